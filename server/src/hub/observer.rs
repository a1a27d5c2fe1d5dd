//! What somebody holds of a room who only looks.

use std::sync::Arc;

use app::presence::{RoomName, Since, UserId};
use axum::extract::ws::Utf8Bytes;
use tokio::sync::watch;

use super::{Hub, cursor::Cursor, live_room::LiveRoom};

/// What somebody holds of a room who only looks: the room itself, and a position in its log.
#[derive(Debug)]
pub struct Observer {
    hub: Arc<Hub>,
    room_name: RoomName,
    pub(super) room: Arc<LiveRoom>,
    cursor: Cursor,
    flushed: watch::Receiver<u64>,
}

impl Observer {
    pub(super) fn new(
        hub: Arc<Hub>,
        room_name: RoomName,
        room: Arc<LiveRoom>,
        you: Option<UserId>,
    ) -> Self {
        let flushed = room.listen();
        Self { hub, room_name, room, cursor: Cursor::new(you), flushed }
    }

    /// Where to begin: at `since`, if that can be used, else with the list.
    pub fn start(&mut self, since: Option<&Since>) {
        self.room.start(&mut self.cursor, since);
    }

    /// What is missing comes as `resumed` with one of the next [`Observer::news`].
    pub(super) fn owe_answer(&mut self) {
        self.room.owe_answer(&mut self.cursor);
    }

    /// The whole list comes with the next [`Observer::news`].
    pub fn resync(&mut self) {
        self.cursor.owe_list();
    }

    /// The frames that bring this observer to where everyone is. They belong together.
    pub fn news(&mut self) -> Vec<Utf8Bytes> {
        self.room.catch_up(&mut self.cursor)
    }

    /// The frame that says where this observer's list should be now; none while it is behind.
    pub fn beat(&self) -> Option<Utf8Bytes> {
        self.room.beat(&self.cursor)
    }

    /// The point that this observer was brought to; none before the first list.
    pub fn position(&self) -> Option<Since> {
        self.cursor.seq.map(|seq| Since { epoch: self.room.epoch().clone(), seq })
    }

    /// Waits until there may be news.
    pub async fn listen(&mut self) {
        // The sender lives in the room that this observer holds.
        let _ = self.flushed.changed().await;
    }

    pub(super) fn is_closing(&self) -> bool {
        self.hub.is_closing()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.hub.close(&self.room_name);
    }
}
