//! The rooms behind their locks, and what a connection holds of a room.
//!
//! - The rooms: `mod.rs` ([`Hub`]), `room_pool`, `room_permit` (who may enter one), `sweep`, `saved_rooms`,
//!   `room_stats`, `hub_stats`, `clock`, `processor_clock`, `room_context`.
//! - One room: `shared_room`, with `subscribe` (how a reader begins) and `catch_up` (how it goes on).
//! - What a room sends: `broadcast`, when (`batching`, `processor_share`, `fan_out`), to whom (`subscribers`), and
//!   `catch_up_cache`.
//! - Who comes and goes in all rooms: `observer`.
//! - What a connection holds: `subscription` (a reader, with its `cursor`), `membership` (a socket).
//!
//! Locks are taken in this order: a room's state, its subscribers, its last broadcast or the observer's, the timer queue.
//! The lock of all rooms is never held together with another one, but for that of the attendance of ended rooms.

pub mod attendance;
mod batching;
mod broadcast;
mod catch_up_cache;
pub mod client_address;
mod clock;
mod cursor;
pub mod fan_out;
mod hub_stats;
mod in_cluster;
mod kept_attendance;
mod limits;
mod log_memory;
mod membership;
pub mod observer;
mod operator;
mod processor_clock;
mod processor_share;
mod room_context;
mod room_permit;
mod room_pool;
pub mod room_stats;
#[cfg(test)]
mod row_lifecycle;
mod saved_rooms;
mod shared_room;
mod subscribers;
mod subscription;
mod sweep;
#[cfg(test)]
mod tests;
mod waiting_rows;

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use app::presence::{Epoch, ExistingUsers, RecentChange, RoomName, Since, UserId};

pub(crate) use self::shared_room::replicated::Receipt;
use self::{
    clock::Clocks,
    kept_attendance::KeptAttendance,
    processor_clock::Processor,
    room_context::RoomContext,
    room_pool::{RoomEntry, RoomPool},
    shared_room::{SharedRoom, no_epoch},
};
pub use self::{
    clock::{HubClocks, WallClock},
    hub_stats::HubStats,
    limits::{HubLimits, MOST_LOG_BYTES, RoomPoolLimits},
    membership::Membership,
    operator::RoomChangeError,
    processor_clock::ProcessorClock,
    room_permit::RoomPermit,
    room_pool::NoRoomError,
    room_stats::{Occupancy, RoomStats},
    saved_rooms::{NamedRoom, SavedAttendance, SavedRooms, Shutdown},
    shared_room::replicated::{Accepted, Answer},
    subscription::Subscription,
};
use crate::{
    presence::{count_history::PastHour, room::SavedRoom, tab_key::ConnectionId},
    replication::handle::ClusterHandle,
    wake::timer_queue::TimerQueue,
};

/// All rooms. A room exists while it has a socket or a row, or while clients may resume from its log.
///
/// ```
/// use app::presence::{RoomName, UserId};
/// use registry::{
///     hub::Hub,
///     presence::{
///         join::{JoinKind, JoinRequest},
///         request_error::RequestError,
///         room::RoomLimits,
///     },
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), RequestError> {
/// let hub = Hub::new(RoomLimits { most_people: 100, most_connections_per_person: 8, keep_attendance: None });
/// let lobby = RoomName::lobby();
/// let mut reader = hub.subscribe(&lobby, None);
/// reader.start_from(None);
/// let list = reader.poll_updates().next().unwrap();
/// assert!(list.text().starts_with(r#"{"event":"existing_users""#));
///
/// let mut socket = hub.enter(&lobby, UserId::from_leading_bits(1));
/// socket.join(JoinRequest {
///     name: "Ana".to_owned(),
///     tab: None,
///     is_visible: true,
///     kind: JoinKind::Opening,
///     since: None,
/// })?;
/// reader.woken().await;
/// let changes = reader.poll_updates().next().unwrap();
/// assert!(changes.text().starts_with(r#"{"event":"changes""#));
/// // Dropping the socket ends it. The row is held for a grace period.
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Hub {
    context: Arc<RoomContext>,
    limits: HubLimits,
    rooms: Mutex<RoomPool<SharedRoom>>,
    kept_attendance: Mutex<KeptAttendance>,
    next_connection: AtomicU64,
    is_closing: AtomicBool,
}

/// Which rows of a list are read.
#[derive(Clone, Copy, Debug)]
pub enum FirstRows<'ids> {
    /// So many of those who came first.
    InOrderOfArrival(usize),
    /// So many of those who came last, in order of arrival. No client can resume from them, unless they are all.
    Newest(usize),
    /// Those with these ids, in this order. No client can resume from them.
    These(&'ids [UserId]),
}

impl Hub {
    /// A hub without rooms, whose clock is started.
    pub fn new(limits: impl Into<HubLimits>) -> Arc<Self> {
        Self::by_clocks(limits, HubClocks::default())
    }

    /// The same with other clocks than the defaults.
    pub fn by_clocks(limits: impl Into<HubLimits>, clocks: HubClocks) -> Arc<Self> {
        let hub = Self::with(limits.into(), clocks, None);
        hub.start_clock();
        hub
    }

    fn with(
        limits: HubLimits,
        clocks: HubClocks,
        cluster: Option<Arc<ClusterHandle>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            context: Arc::new(RoomContext {
                clocks: Clocks::new(clocks.wall),
                processor: Processor::new(clocks.processor),
                timers: TimerQueue::new(),
                stats: HubStats::default(),
                fan_out: limits.fan_out,
                waiting_rows: Arc::default(),
                observer: OnceLock::new(),
                cluster,
            }),
            limits,
            rooms: Mutex::new(RoomPool::new(limits.rooms)),
            kept_attendance: Mutex::default(),
            next_connection: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
        })
    }

    /// The rooms that the previous process saved. No time passes in them until [`Hub::start_clock`].
    pub fn restore(limits: impl Into<HubLimits>, saved: SavedRooms) -> Arc<Self> {
        Self::restore_by_clocks(limits, saved, HubClocks::default())
    }

    /// The same with other clocks than the defaults.
    pub fn restore_by_clocks(
        limits: impl Into<HubLimits>,
        saved: SavedRooms,
        clocks: HubClocks,
    ) -> Arc<Self> {
        let limits = limits.into();
        let hub = Self::with(limits, clocks, None);
        let mut rooms = hub.lock();
        for NamedRoom { name, epoch, mut room, history } in saved.rooms {
            let epoch = match saved.ending {
                Shutdown::Clean => epoch,
                Shutdown::Unclean => {
                    room.changes.clear();
                    room.seq = 0;
                    new_epoch()
                }
            };
            match SharedRoom::restore(Arc::clone(&hub.context), epoch, room, history, limits.room) {
                Ok(room) => drop(rooms.add_vacant(&name, || room)),
                Err(error) => tracing::warn!(%error, "a saved room is invalid and was left out"),
            }
        }
        let mut kept = saved.ended;
        // A room may have ended while it was saved.
        kept.retain(|room| {
            limits.room.keep_attendance.is_some() && rooms.get(&room.name).is_none()
        });
        drop(rooms);
        *hub.kept_attendance() = kept.into();
        hub
    }

    /// The limits of the rooms.
    pub fn limits(&self) -> &HubLimits {
        &self.limits
    }

    /// The server is ready: restored rows are held from now on, however long it took to load them.
    pub fn start_clock(&self) {
        self.context.clocks.start();
        for (_, room, _) in self.rooms_by_name() {
            room.on_clock_start();
        }
    }

    /// All rooms of this moment, in case that the process is killed.
    pub fn save(&self) -> SavedRooms {
        // The next process begins a new epoch, in which no client can resume from these changes.
        let save = |room: &SharedRoom| SavedRoom { changes: Vec::new(), ..room.save() };
        self.save_with(Shutdown::Unclean, save)
    }

    /// All rooms of this moment, for the next process: this one shuts down.
    ///
    /// From now on the end of a socket removes no row, so that no client sees the others leave one by one.
    pub fn freeze(&self) -> SavedRooms {
        self.is_closing.store(true, Ordering::Release);
        self.save_with(Shutdown::Clean, SharedRoom::freeze)
    }

    fn save_with(&self, ending: Shutdown, save: impl Fn(&SharedRoom) -> SavedRoom) -> SavedRooms {
        // Together: a room that ends meanwhile is in one of them.
        let (rooms, ended) = {
            let rooms = self.lock();
            (list(&rooms, |_| ()), self.kept_attendance().all())
        };
        let ended = ended
            .into_iter()
            .map(|(name, kept)| SavedAttendance { name, attendance: (*kept).clone() });
        let ended = ended.collect();
        let rooms = rooms.into_iter();
        let rooms = rooms.map(|(name, room, ())| NamedRoom {
            name,
            epoch: room.epoch(),
            room: save(&room),
            history: Some(room.history()),
        });
        SavedRooms { ending, rooms: rooms.collect(), ended }
    }

    /// A person's socket enters a room, which is opened if it does not exist.
    pub fn enter(self: &Arc<Self>, room_name: &RoomName, user_id: UserId) -> Membership {
        self.admit_unlimited(room_name).enter(user_id)
    }

    /// A reader subscribes to a room, which is opened if it does not exist. `viewer` is the reader's person.
    pub fn subscribe(
        self: &Arc<Self>,
        room_name: &RoomName,
        viewer: Option<UserId>,
    ) -> Subscription {
        self.admit_unlimited(room_name).subscribe(viewer)
    }

    /// Records that the room's page is sent to this person.
    pub fn note_page_load(&self, room_name: &RoomName, user_id: UserId) {
        if let Some(room) = self.find(room_name) {
            room.note_page_load(user_id);
        }
    }

    /// Counters over all rooms.
    pub fn stats(&self) -> &HubStats {
        &self.context.stats
    }

    /// All rooms, in no order.
    pub fn room_stats(&self) -> Vec<RoomStats> {
        let rooms = self.rooms_with(|entry| entry.subscribers).into_iter();
        let stats = rooms.map(|(name, room, subscribers)| RoomStats {
            room: name,
            people: room.count(),
            subscribers,
        });
        stats.collect()
    }

    /// One room; `None` if it does not exist.
    pub fn room_stats_of(&self, room_name: &RoomName) -> Option<RoomStats> {
        let (room, subscribers) = {
            let rooms = self.lock();
            let entry = rooms.get(room_name)?;
            (Arc::clone(&entry.room), entry.subscribers)
        };
        Some(RoomStats { room: room_name.clone(), people: room.count(), subscribers })
    }

    /// The list of a room, cut to its first `most_rows` rows. A room that does not exist is not opened.
    pub fn snapshot(
        &self,
        room_name: &RoomName,
        viewer: Option<UserId>,
        most_rows: usize,
    ) -> ExistingUsers {
        self.first_rows(room_name, viewer, FirstRows::InOrderOfArrival(most_rows)).0
    }

    /// Some rows of a room's list, and how many people of the whole list are away.
    pub fn first_rows(
        &self,
        room_name: &RoomName,
        viewer: Option<UserId>,
        rows: FirstRows<'_>,
    ) -> (ExistingUsers, usize) {
        if let Some(room) = self.find(room_name) {
            return room.first_rows(viewer, rows);
        }
        let list = ExistingUsers {
            epoch: no_epoch(),
            seq: 0,
            you: viewer,
            now: self.context.clocks.unix_milliseconds(),
            count: 0,
            users: Vec::new(),
        };
        (list, 0)
    }

    /// The position of a room's list in the room's log. Two lists that were read at one position are equal.
    pub fn list_position(&self, room_name: &RoomName) -> Since {
        match self.find(room_name) {
            Some(room) => room.list_position(),
            None => Since { epoch: no_epoch(), seq: 0 },
        }
    }

    /// The position of a room's last broadcast, if nothing more is on its way to the room's readers: no change waits to
    /// be broadcast, and no broadcast is under way. Once no task can run, all readers that can be written to are there.
    pub fn settled_position(&self, room_name: &RoomName) -> Option<Since> {
        self.find(room_name)?.settled_position()
    }

    /// What the limits of a new subscription to this room depend on.
    pub fn occupancy(&self, room_name: &RoomName) -> Occupancy {
        let rooms = self.lock();
        match rooms.get(room_name) {
            Some(entry) => Occupancy::Open { subscribers: entry.subscribers },
            None => Occupancy::Vacant { rooms: rooms.len() },
        }
    }

    /// How many people were here, and not away, in each of the last minutes. Empty for a room that does not exist.
    pub fn past_hour(&self, room_name: &RoomName) -> PastHour {
        self.find(room_name).map(|room| room.past_hour()).unwrap_or_default()
    }

    /// Who came, went and changed their name in the last hour, the oldest first, with the time of each in seconds since
    /// the Unix epoch; as far as the room remembers it.
    pub fn recent_changes(&self, room_name: &RoomName) -> Vec<(u64, RecentChange)> {
        self.find(room_name).map(|room| room.recent_changes()).unwrap_or_default()
    }

    fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed))
    }

    fn new_room(&self, room_name: &RoomName) -> Arc<SharedRoom> {
        let context = Arc::clone(&self.context);
        let room = Arc::new(match &self.context.cluster {
            None => match self.kept_attendance().take(room_name) {
                None => SharedRoom::new(context, new_epoch(), self.limits.room),
                Some(kept) => SharedRoom::reopened(context, new_epoch(), self.limits.room, kept),
            },
            Some(cluster) => {
                let (cluster, name) = (Arc::clone(cluster), room_name.clone());
                SharedRoom::replicated(context, cluster, name, self.limits.room)
            }
        });
        if self.context.observer.get().is_some() {
            room.begin_observation(room_name);
        }
        room
    }

    /// All rooms, with something of their entries, for callers that then lock one room after the other.
    fn rooms_with<T>(
        &self,
        read: impl Fn(&RoomEntry<SharedRoom>) -> T,
    ) -> Vec<(RoomName, Arc<SharedRoom>, T)> {
        list(&self.lock(), read)
    }

    /// All rooms with the numbers of their subscriptions, in the order of their names: that of the map is random,
    /// and a simulation has to repeat exactly.
    pub(crate) fn rooms_by_name(&self) -> Vec<(RoomName, Arc<SharedRoom>, usize)> {
        let mut rooms = self.rooms_with(|entry| entry.subscribers);
        rooms.sort_unstable_by(|(one, ..), (other, ..)| one.as_str().cmp(other.as_str()));
        rooms
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    pub(crate) fn find(&self, room_name: &RoomName) -> Option<Arc<SharedRoom>> {
        self.lock().get(room_name).map(|entry| Arc::clone(&entry.room))
    }

    fn lock(&self) -> MutexGuard<'_, RoomPool<SharedRoom>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn list<T>(
    rooms: &RoomPool<SharedRoom>,
    read: impl Fn(&RoomEntry<SharedRoom>) -> T,
) -> Vec<(RoomName, Arc<SharedRoom>, T)> {
    let read = |(name, entry): (&RoomName, &RoomEntry<SharedRoom>)| {
        (name.clone(), Arc::clone(&entry.room), read(entry))
    };
    rooms.iter().map(read).collect()
}

/// 64 random bits, so that no two epochs are equal.
pub(crate) fn new_epoch() -> Epoch {
    Epoch::from_number(getrandom::u64().unwrap_or_else(|error| {
        // Without randomness the time still tells two epochs apart.
        tracing::error!(%error, "no random numbers for a room's epoch");
        WallClock::System.unix_milliseconds()
    }))
}
