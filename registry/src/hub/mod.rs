//! The rooms behind their locks, and what a connection holds of one.

mod batching;
mod broadcast;
mod catch_up_cache;
mod clock;
mod cursor;
mod hub_stats;
#[cfg(test)]
mod life_model;
mod membership;
mod room_context;
pub mod room_stats;
mod saved_rooms;
mod shared_room;
mod subscribers;
mod subscription;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use app::presence::{DepartureReason, Epoch, ExistingUsers, RoomName, UserId};

use self::{
    clock::Clocks,
    room_context::RoomContext,
    shared_room::{SharedRoom, no_epoch},
};
pub use self::{
    clock::WallClock,
    hub_stats::HubStats,
    membership::Membership,
    room_stats::{Occupancy, RoomStats},
    saved_rooms::{NamedRoom, SavedRooms, Shutdown},
    subscription::Subscription,
};
use crate::{
    presence::{
        room::{RoomLimits, SavedRoom},
        tab_key::ConnectionId,
    },
    wake::timer_queue::TimerQueue,
};

/// All rooms. A room lives while a socket or a row is in it, or its log is still honoured.
#[derive(Debug)]
pub struct Hub {
    context: Arc<RoomContext>,
    limits: RoomLimits,
    /// Never locked together with a room's own lock.
    rooms: Mutex<HashMap<RoomName, RoomEntry>>,
    next_connection: AtomicU64,
    is_closing: AtomicBool,
}

/// A room and its subscriptions.
#[derive(Debug)]
struct RoomEntry {
    room: Arc<SharedRoom>,
    /// Sockets without a first frame included.
    subscribers: usize,
    /// The subscriptions so far: a room without any comes to life only by a new one.
    subscribed_in_total: u64,
}

/// A room without subscribers, as it was found.
struct VacantRoom {
    name: RoomName,
    room: Arc<SharedRoom>,
    subscribed_in_total: u64,
}

impl RoomEntry {
    fn of(room: Arc<SharedRoom>) -> Self {
        Self { room, subscribers: 0, subscribed_in_total: 0 }
    }

    fn as_vacant(&self, name: &RoomName) -> Option<VacantRoom> {
        let Self { room, subscribers, subscribed_in_total } = self;
        (*subscribers == 0).then(|| VacantRoom {
            name: name.clone(),
            room: Arc::clone(room),
            subscribed_in_total: *subscribed_in_total,
        })
    }
}

impl Hub {
    /// No rooms yet.
    pub fn new(limits: RoomLimits) -> Arc<Self> {
        let hub = Self::with_stopped_clock(limits, WallClock::System);
        hub.start_clock();
        hub
    }

    fn with_stopped_clock(limits: RoomLimits, wall_clock: WallClock) -> Arc<Self> {
        Arc::new(Self {
            context: Arc::new(RoomContext {
                clocks: Clocks::new(wall_clock),
                timers: TimerQueue::new(),
                stats: HubStats::default(),
            }),
            limits,
            rooms: Mutex::default(),
            next_connection: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
        })
    }

    /// The rooms that the process before this one kept; no time passes in them until [`Hub::begin`].
    pub fn restore(limits: RoomLimits, saved: SavedRooms) -> Arc<Self> {
        Self::restore_by_clock(limits, saved, WallClock::System)
    }

    /// The same by another clock than the system's, for rooms in which time is simulated.
    pub fn restore_by_clock(
        limits: RoomLimits,
        saved: SavedRooms,
        wall_clock: WallClock,
    ) -> Arc<Self> {
        let hub = Self::with_stopped_clock(limits, wall_clock);
        let mut rooms = hub.lock();
        for NamedRoom { name, epoch, room: mut saved_room, history } in saved.rooms {
            let epoch = match saved.ending {
                Shutdown::Clean => epoch,
                Shutdown::Unclean => {
                    saved_room.changes.clear();
                    saved_room.seq = 0;
                    new_epoch()
                }
            };
            match SharedRoom::restore(Arc::clone(&hub.context), epoch, saved_room, history, limits)
            {
                Ok(room) => {
                    rooms.insert(name, RoomEntry::of(room));
                }
                Err(error) => tracing::warn!(%error, "a kept room is left out"),
            }
        }
        drop(rooms);
        hub
    }

    /// The server is ready: rows are held from now on for those who come back,
    /// however long it took to read them.
    pub fn start_clock(&self) {
        self.context.clocks.start();
        let mut rooms: Vec<_> = {
            let rooms = self.lock();
            rooms.iter().map(|(name, entry)| (name.clone(), Arc::clone(&entry.room))).collect()
        };
        // In an order that does not depend on the map, for simulations to repeat.
        rooms.sort_unstable_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
        for (_, room) in rooms {
            room.on_clock_start();
        }
    }

    /// All rooms as they are, for the process after this one, should this one end out of order.
    pub fn save(&self) -> SavedRooms {
        // The next process begins a new count: what led to the present one is of no use to it.
        let save = |room: &SharedRoom| SavedRoom { changes: Vec::new(), ..room.save() };
        SavedRooms { ending: Shutdown::Unclean, rooms: self.each_room(save) }
    }

    /// The server goes down: all rooms for the process after this one.
    ///
    /// From now on a socket's end removes no row, so that nobody sees the others go one by one.
    pub fn freeze(&self) -> SavedRooms {
        self.is_closing.store(true, Ordering::Release);
        SavedRooms { ending: Shutdown::Clean, rooms: self.each_room(SharedRoom::freeze) }
    }

    /// The rooms' own locks are taken one at a time, without holding up who comes and goes.
    fn each_room(&self, save: impl Fn(&SharedRoom) -> SavedRoom) -> Vec<NamedRoom> {
        let rooms: Vec<_> = {
            let rooms = self.lock();
            rooms.iter().map(|(name, entry)| (name.clone(), Arc::clone(&entry.room))).collect()
        };
        let saved = rooms.into_iter().map(|(name, room)| NamedRoom {
            name,
            epoch: room.epoch().clone(),
            room: save(&room),
            history: Some(room.history()),
        });
        saved.collect()
    }

    /// A socket was opened by `who` for a room, which exists from now on.
    pub fn enter(self: &Arc<Self>, room_name: &RoomName, who: UserId) -> Membership {
        Membership::new(self.observe(room_name, Some(who)), who)
    }

    /// Somebody looks at a room, which exists from now on; `you` is who is looking, where it is a person.
    pub fn observe(self: &Arc<Self>, room_name: &RoomName, you: Option<UserId>) -> Subscription {
        let connection = ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed));
        let room = self.find_or_open(room_name);
        Subscription::new(Arc::clone(self), room_name.clone(), room, connection, you)
    }

    /// The room's page is on its way to this person.
    pub fn note_page_load(&self, room_name: &RoomName, who: UserId) {
        if let Some(room) = self.find(room_name) {
            room.with_room(|room, now| room.note_page_load(who, now));
        }
    }

    /// The operator takes somebody off the list; answers whether they were on it.
    pub fn remove(&self, room_name: &RoomName, who: UserId) -> bool {
        self.find(room_name).is_some_and(|room| {
            room.with_room(|room, now| {
                let is_listed = room.roster().contains(&who);
                room.remove_row(who, DepartureReason::Removed, now);
                is_listed
            })
        })
    }

    /// The operator closes a room: everybody is taken off its list, and all who look at it are ended.
    ///
    /// Answers how many were listed; none where there is no such room. Nobody is kept from opening it again.
    pub fn close_room(&self, room_name: &RoomName) -> Option<usize> {
        self.find(room_name).map(|room| room.close())
    }

    /// What this hub has done so far, over all rooms.
    pub fn stats(&self) -> &HubStats {
        &self.context.stats
    }

    /// Every room, in no order.
    pub fn room_stats(&self) -> Vec<RoomStats> {
        let rooms: Vec<_> = {
            let rooms = self.lock();
            let of = |(name, entry): (&RoomName, &RoomEntry)| {
                (name.clone(), Arc::clone(&entry.room), entry.subscribers)
            };
            rooms.iter().map(of).collect()
        };
        // The rooms' own locks are taken one at a time, as always.
        let numbers = |(room, live, subscribers): (RoomName, Arc<SharedRoom>, usize)| RoomStats {
            room,
            people: live.people(),
            subscribers,
        };
        rooms.into_iter().map(numbers).collect()
    }

    /// One room, if it is there.
    pub fn room_stats_of(&self, room_name: &RoomName) -> Option<RoomStats> {
        let (live, subscribers) = {
            let rooms = self.lock();
            let entry = rooms.get(room_name)?;
            (Arc::clone(&entry.room), entry.subscribers)
        };
        Some(RoomStats { room: room_name.clone(), people: live.people(), subscribers })
    }

    /// Forgets the rooms that are over; to be called now and then.
    pub fn sweep(&self) {
        let vacant: Vec<_> = {
            let rooms = self.lock();
            rooms.iter().filter_map(|(name, entry)| entry.as_vacant(name)).collect()
        };
        vacant.into_iter().for_each(|vacant| self.remove_if_expired(vacant));
    }

    /// The room is examined without the lock of all rooms.
    fn remove_if_expired(&self, vacant: VacantRoom) {
        if vacant.room.is_expired() {
            self.remove_unless_entered(vacant);
        }
    }

    /// An expired room stays expired until it is entered: nothing else can happen in it.
    fn remove_unless_entered(&self, vacant: VacantRoom) {
        let VacantRoom { name, room, subscribed_in_total } = vacant;
        if let Entry::Occupied(entry) = self.lock().entry(name)
            && entry.get().subscribed_in_total == subscribed_in_total
            && Arc::ptr_eq(&entry.get().room, &room)
        {
            entry.remove();
        }
    }

    /// The list of a room, cut to its first `most_rows` rows. Asking creates no room.
    pub fn snapshot(
        &self,
        room_name: &RoomName,
        you: Option<UserId>,
        most_rows: usize,
    ) -> ExistingUsers {
        match self.find(room_name) {
            Some(room) => room.snapshot(you, most_rows),
            None => ExistingUsers {
                epoch: no_epoch(),
                seq: 0,
                you,
                now: self.context.clocks.unix_milliseconds(),
                count: 0,
                users: Vec::new(),
            },
        }
    }

    /// How many look at a room, or how many rooms there are besides.
    pub fn occupancy(&self, room_name: &RoomName) -> Occupancy {
        let rooms = self.lock();
        match rooms.get(room_name) {
            Some(entry) => Occupancy::Open { subscribers: entry.subscribers },
            None => Occupancy::Vacant { rooms: rooms.len() },
        }
    }

    /// How many were in a room in each of the last minutes, at most an hour of them, the oldest first.
    /// A room that is not there has none.
    pub fn count_history(&self, room_name: &RoomName) -> Vec<u32> {
        self.find(room_name).map(|room| room.count_history()).unwrap_or_default()
    }

    /// Whether the room takes no more people.
    pub fn is_full(&self, room_name: &RoomName) -> bool {
        self.find(room_name).is_some_and(|room| room.is_full())
    }

    /// The room, for one more observer.
    fn find_or_open(&self, room_name: &RoomName) -> Arc<SharedRoom> {
        let mut rooms = self.lock();
        let entry = rooms.entry(room_name.clone()).or_insert_with(|| {
            let context = Arc::clone(&self.context);
            RoomEntry::of(Arc::new(SharedRoom::new(context, new_epoch(), self.limits)))
        });
        entry.subscribers += 1;
        entry.subscribed_in_total += 1;
        Arc::clone(&entry.room)
    }

    /// One observer less.
    fn close(&self, room_name: &RoomName) {
        let vacant = self.lock().get_mut(room_name).and_then(|entry| {
            entry.subscribers -= 1;
            entry.as_vacant(room_name)
        });
        if let Some(vacant) = vacant {
            self.remove_if_expired(vacant);
        }
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    fn find(&self, room_name: &RoomName) -> Option<Arc<SharedRoom>> {
        self.lock().get(room_name).map(|entry| Arc::clone(&entry.room))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomName, RoomEntry>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new room's epoch: 64 random bits.
fn new_epoch() -> Epoch {
    Epoch::from_number(getrandom::u64().unwrap_or_else(|error| {
        // Without randomness the clock still tells two lives of a room apart.
        tracing::error!(%error, "no random numbers for a room's epoch");
        WallClock::System.unix_milliseconds()
    }))
}
