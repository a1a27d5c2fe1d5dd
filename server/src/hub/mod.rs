//! The rooms behind their locks, and what a connection holds of one.

mod gathering;
mod live_room;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use app::presence::{DepartureReason, Epoch, ExistingUsers, RoomName, UserId};
use axum::extract::ws::Utf8Bytes;
use tokio::sync::watch;

use self::live_room::{Cursor, LiveRoom, now_in_milliseconds};
use crate::presence::{
    name_rules,
    people::ConnectionId,
    refused::Refused,
    room::{Announcement, RoomLimits},
};

/// All rooms. A room lives while a socket or a row is in it.
#[derive(Debug)]
pub struct Hub {
    limits: RoomLimits,
    /// Locked before a room's own lock, never after.
    rooms: Mutex<HashMap<RoomName, Occupied>>,
    next_connection: AtomicU64,
    is_closing: AtomicBool,
}

/// A room and how many sockets are open for it, those without a first frame included.
#[derive(Debug)]
struct Occupied {
    room: Arc<LiveRoom>,
    sockets: usize,
}

/// What one socket holds of a room. Dropping it is the end of the socket for everyone else,
/// also when the task that held it panicked or was aborted.
#[derive(Debug)]
pub struct Membership {
    hub: Arc<Hub>,
    room_name: RoomName,
    room: Arc<LiveRoom>,
    cursor: Cursor,
    flushed: watch::Receiver<u64>,
    /// What the others are told when it ends; a break, unless something better is known.
    departure: DepartureReason,
}

impl Hub {
    /// No rooms yet.
    pub fn new(limits: RoomLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            rooms: Mutex::default(),
            next_connection: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
        })
    }

    /// A socket was opened by `who` for a room, which exists from now on.
    pub fn enter(self: &Arc<Self>, room_name: &RoomName, who: UserId) -> Membership {
        let room = {
            let mut rooms = self.lock();
            let occupied = rooms.entry(room_name.clone()).or_insert_with(|| Occupied {
                room: Arc::new(LiveRoom::new(new_epoch(), self.limits)),
                sockets: 0,
            });
            occupied.sockets += 1;
            Arc::clone(&occupied.room)
        };
        let connection = ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed));
        Membership {
            hub: Arc::clone(self),
            room_name: room_name.clone(),
            flushed: room.listen(),
            room,
            cursor: Cursor::new(who, connection),
            departure: DepartureReason::Lost,
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
                // No life of a room has this one: it can't be resumed from.
                epoch: Epoch::from_number(0),
                seq: 0,
                you,
                now: now_in_milliseconds(),
                count: 0,
                users: Vec::new(),
            },
        }
    }

    /// Whether the room takes no more people.
    pub fn is_full(&self, room_name: &RoomName) -> bool {
        self.find(room_name).is_some_and(|room| room.is_full())
    }

    /// The server goes down: from now on a socket's end removes no row,
    /// so that nobody sees the others go one by one.
    pub fn freeze(&self) {
        self.is_closing.store(true, Ordering::Release);
    }

    fn find(&self, room_name: &RoomName) -> Option<Arc<LiveRoom>> {
        self.lock().get(room_name).map(|occupied| Arc::clone(&occupied.room))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomName, Occupied>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Membership {
    /// Follows the room without being listed; the list comes with the next [`Membership::news`].
    pub fn watch(&mut self) -> Result<(), Refused> {
        let Cursor { who, connection, .. } = self.cursor;
        self.room.change(|room| room.watch(who, connection))?;
        self.cursor.owe_list();
        Ok(())
    }

    /// Is listed under `name`, and follows the room; the answer comes with the next [`Membership::news`].
    pub fn announce(&mut self, name: &str, announcement: Announcement) -> Result<(), Refused> {
        let name = name_rules::accept(name)?;
        let Cursor { who, connection, .. } = self.cursor;
        let now = now_in_milliseconds() / 1000;
        self.room.change(|room| room.announce(who, connection, name, announcement, now))?;
        match announcement {
            Announcement::First => self.cursor.owe_list(),
            Announcement::Later => self.cursor.owe_answer(),
        }
        Ok(())
    }

    /// Changes the name, keeps the row.
    pub fn rename(&mut self, name: &str) -> Result<(), Refused> {
        let name = name_rules::accept(name)?;
        let who = self.cursor.who;
        self.room.change(|room| room.rename(who, name))
    }

    /// Is no longer listed, and goes on watching.
    pub fn leave(&mut self) {
        let who = self.cursor.who;
        self.room.change(|room| room.leave(who));
    }

    /// The whole list comes with the next [`Membership::news`].
    pub fn resync(&mut self) {
        self.cursor.owe_list();
    }

    /// The frames that bring this socket to where everyone is; it must have been accepted before.
    pub fn news(&mut self) -> Vec<Utf8Bytes> {
        self.room.catch_up(&mut self.cursor)
    }

    /// Waits until there may be news.
    pub async fn listen(&mut self) {
        // The sender lives in the room that this socket holds.
        let _ = self.flushed.changed().await;
    }

    /// The frame that says where this socket's list should be now; none while it is behind.
    pub fn beat(&self) -> Option<Utf8Bytes> {
        self.room.beat(&self.cursor)
    }

    /// What the others are told when this ends: a socket that ends without a word is lost.
    pub fn departs_as(&mut self, departure: DepartureReason) {
        self.departure = departure;
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        if self.hub.is_closing.load(Ordering::Acquire) {
            return;
        }
        self.room.disconnect(&self.cursor, self.departure);
        let mut rooms = self.hub.lock();
        if let Some(occupied) = rooms.get_mut(&self.room_name) {
            occupied.sockets -= 1;
            if occupied.sockets == 0 && self.room.is_deserted() {
                rooms.remove(&self.room_name);
            }
        }
    }
}

/// A new room's epoch: 64 random bits.
fn new_epoch() -> Epoch {
    Epoch::from_number(getrandom::u64().unwrap_or_else(|error| {
        // Without randomness the clock still tells two lives of a room apart.
        tracing::error!(%error, "no random numbers for a room's epoch");
        now_in_milliseconds()
    }))
}
