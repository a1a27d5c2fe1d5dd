//! The rooms behind their locks, and what a connection holds of one.

mod batching;
mod broadcast;
mod catch_up_cache;
mod clock;
mod cursor;
#[cfg(test)]
mod life_model;
mod membership;
pub mod room_stats;
mod shared_room;
mod subscribers;
mod subscription;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use app::presence::{DepartureReason, Epoch, ExistingUsers, RoomName, UserId};

use self::{
    clock::Clocks,
    shared_room::{LiveRoom, no_epoch},
};
pub use self::{
    clock::WallClock,
    membership::{Announcing, Membership},
    room_stats::{Occupancy, RoomInNumbers},
    subscription::Observer,
};
use crate::{
    presence::{
        members::ConnectionId,
        room::{RoomLimits, SavedRoom},
    },
    storage::rooms_file::{ProcessEnding, SavedRoomOfName, SavedRooms},
    wake::timer_queue::Wheel,
};

/// All rooms. A room lives while a socket or a row is in it, or its log is still honoured.
#[derive(Debug)]
pub struct Hub {
    clocks: Clocks,
    limits: RoomLimits,
    /// Locked before a room's own lock, never after.
    rooms: Mutex<HashMap<RoomName, Occupied>>,
    next_connection: AtomicU64,
    is_closing: AtomicBool,
    /// The clock of all connections.
    wheel: Arc<Wheel>,
}

/// A room and how many look at it, sockets without a first frame included.
#[derive(Debug)]
struct Occupied {
    room: Arc<LiveRoom>,
    observers: usize,
}

impl Hub {
    /// No rooms yet.
    pub fn new(limits: RoomLimits) -> Arc<Self> {
        let hub = Self::waiting(limits, WallClock::System);
        hub.begin();
        hub
    }

    fn waiting(limits: RoomLimits, wall_clock: WallClock) -> Arc<Self> {
        Arc::new(Self {
            clocks: Clocks::new(wall_clock),
            limits,
            rooms: Mutex::default(),
            next_connection: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
            wheel: Wheel::new(),
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
        let hub = Self::waiting(limits, wall_clock);
        let mut rooms = hub.lock();
        for SavedRoomOfName { name, epoch, room: mut saved_room, history } in saved.rooms {
            let epoch = match saved.ending {
                ProcessEnding::InOrder => epoch,
                ProcessEnding::Unknown => {
                    saved_room.changes.clear();
                    saved_room.seq = 0;
                    new_epoch()
                }
            };
            match LiveRoom::restore(hub.clocks.clone(), epoch, saved_room, history, limits) {
                Ok(room) => {
                    rooms.insert(name, Occupied { room, observers: 0 });
                }
                Err(error) => tracing::warn!(%error, "a kept room is left out"),
            }
        }
        drop(rooms);
        hub
    }

    /// The server is ready: rows are held from now on for those who come back,
    /// however long it took to read them.
    pub fn begin(&self) {
        self.clocks.begin();
    }

    /// All rooms as they are, for the process after this one, should this one end out of order.
    pub fn save(&self) -> SavedRooms {
        // The next process begins a new count: what led to the present one is of no use to it.
        let save = |room: &LiveRoom| SavedRoom { changes: Vec::new(), ..room.save() };
        SavedRooms { ending: ProcessEnding::Unknown, rooms: self.each_room(save) }
    }

    /// The server goes down: all rooms for the process after this one.
    ///
    /// From now on a socket's end removes no row, so that nobody sees the others go one by one.
    pub fn freeze(&self) -> SavedRooms {
        self.is_closing.store(true, Ordering::Release);
        SavedRooms { ending: ProcessEnding::InOrder, rooms: self.each_room(LiveRoom::freeze) }
    }

    /// The rooms' own locks are taken one at a time, without holding up who comes and goes.
    fn each_room(&self, save: impl Fn(&LiveRoom) -> SavedRoom) -> Vec<SavedRoomOfName> {
        let rooms: Vec<_> = {
            let rooms = self.lock();
            rooms
                .iter()
                .map(|(name, occupied)| (name.clone(), Arc::clone(&occupied.room)))
                .collect()
        };
        let saved = rooms.into_iter().map(|(name, room)| SavedRoomOfName {
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
    pub fn observe(self: &Arc<Self>, room_name: &RoomName, you: Option<UserId>) -> Observer {
        let connection = ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed));
        let room = self.find_or_open(room_name);
        Observer::new(Arc::clone(self), room_name.clone(), room, connection, you)
    }

    /// The room's page is on its way to this person.
    pub fn page_served(&self, room_name: &RoomName, who: UserId) {
        if let Some(room) = self.find(room_name) {
            room.act(|room, now| room.page_served(who, now));
        }
    }

    /// The operator takes somebody off the list; answers whether they were on it.
    pub fn remove(&self, room_name: &RoomName, who: UserId) -> bool {
        self.find(room_name).is_some_and(|room| {
            room.act(|room, now| {
                let is_listed = room.roster().contains(&who);
                room.unlist(who, DepartureReason::Removed, now);
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

    /// Every room, in no order.
    pub fn census(&self) -> Vec<RoomInNumbers> {
        let rooms: Vec<_> = {
            let rooms = self.lock();
            let of = |(name, Occupied { room, observers }): (&RoomName, &Occupied)| {
                (name.clone(), Arc::clone(room), *observers)
            };
            rooms.iter().map(of).collect()
        };
        // The rooms' own locks are taken one at a time, as always.
        let numbers = |(room, live, observers): (RoomName, Arc<LiveRoom>, usize)| RoomInNumbers {
            room,
            people: live.people(),
            observers,
        };
        rooms.into_iter().map(numbers).collect()
    }

    /// One room, if it is there.
    pub fn room_in_numbers(&self, room_name: &RoomName) -> Option<RoomInNumbers> {
        let (live, observers) = {
            let rooms = self.lock();
            let Occupied { room, observers } = rooms.get(room_name)?;
            (Arc::clone(room), *observers)
        };
        Some(RoomInNumbers { room: room_name.clone(), people: live.people(), observers })
    }

    /// Forgets the rooms that are over; to be called now and then.
    pub fn sweep(&self) {
        self.lock().retain(|_, occupied| occupied.observers > 0 || !occupied.room.is_over());
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
                now: self.clocks.unix_milliseconds(),
                count: 0,
                users: Vec::new(),
            },
        }
    }

    /// How many look at a room, or how many rooms there are besides.
    pub fn occupancy(&self, room_name: &RoomName) -> Occupancy {
        let rooms = self.lock();
        match rooms.get(room_name) {
            Some(occupied) => Occupancy::Open { observers: occupied.observers },
            None => Occupancy::NotThere { rooms: rooms.len() },
        }
    }

    /// How many were in a room in each of the last minutes, at most an hour of them, the oldest first.
    /// A room that is not there has none.
    pub fn counts(&self, room_name: &RoomName) -> Vec<u32> {
        self.find(room_name).map(|room| room.counts()).unwrap_or_default()
    }

    /// Whether the room takes no more people.
    pub fn is_full(&self, room_name: &RoomName) -> bool {
        self.find(room_name).is_some_and(|room| room.is_full())
    }

    /// The room, for one more observer.
    fn find_or_open(&self, room_name: &RoomName) -> Arc<LiveRoom> {
        let mut rooms = self.lock();
        let occupied = rooms.entry(room_name.clone()).or_insert_with(|| Occupied {
            room: Arc::new(LiveRoom::new(self.clocks.clone(), new_epoch(), self.limits)),
            observers: 0,
        });
        occupied.observers += 1;
        Arc::clone(&occupied.room)
    }

    /// One observer less.
    fn close(&self, room_name: &RoomName) {
        let mut rooms = self.lock();
        if let Some(occupied) = rooms.get_mut(room_name) {
            occupied.observers -= 1;
            if occupied.observers == 0 && occupied.room.is_over() {
                rooms.remove(room_name);
            }
        }
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    fn find(&self, room_name: &RoomName) -> Option<Arc<LiveRoom>> {
        self.lock().get(room_name).map(|occupied| Arc::clone(&occupied.room))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomName, Occupied>> {
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
