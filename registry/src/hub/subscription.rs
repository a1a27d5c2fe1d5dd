//! What somebody holds of a room who only looks.

use std::{future::poll_fn, sync::Arc};

use app::presence::{RoomName, Since, UserId};

use super::{Hub, cursor::Cursor, shared_room::SharedRoom};
use crate::{
    encoding::frame::{Batch, Frame},
    presence::members::ConnectionId,
    wake::{
        timer_queue::TimerQueue,
        wake_flags::{WakeFlags, WakeReasons},
    },
};

/// What somebody holds of a room who only looks: the room itself, and a position in its log.
#[derive(Debug)]
pub struct Subscription {
    hub: Arc<Hub>,
    room_name: RoomName,
    pub(super) room: Arc<SharedRoom>,
    pub(super) connection: ConnectionId,
    cursor: Cursor,
    flags: Arc<WakeFlags>,
}

impl Subscription {
    pub(super) fn new(
        hub: Arc<Hub>,
        room_name: RoomName,
        room: Arc<SharedRoom>,
        connection: ConnectionId,
        you: Option<UserId>,
    ) -> Self {
        let flags = Arc::new(WakeFlags::default());
        room.subscribers().add(connection, Arc::clone(&flags));
        Self { hub, room_name, room, connection, cursor: Cursor::new(you), flags }
    }

    /// Where to begin: at `since`, if that can be used, else with the list.
    pub fn start_from(&mut self, since: Option<&Since>) {
        self.room.subscribers().activate(self.connection);
        self.room.start_from(&mut self.cursor, since);
    }

    /// What is missing comes as `resumed` with one of the next [`Subscription::news`].
    pub(super) fn expect_reply(&mut self) {
        self.room.expect_reply(&mut self.cursor);
    }

    /// The whole list comes with the next [`Subscription::news`].
    pub fn resync(&mut self) {
        self.cursor.request_snapshot();
    }

    /// The frames that bring this observer to where everyone is. They belong together.
    pub fn poll_updates(&mut self) -> Batch {
        self.room.catch_up(&mut self.cursor)
    }

    /// The frame that says where this observer's list should be now; none while it is behind.
    pub fn beat(&self) -> Option<Frame> {
        self.room.beat(&self.cursor)
    }

    /// The point that this observer was brought to; none before the first list.
    pub fn position(&self) -> Option<Since> {
        self.cursor.seq.map(|seq| Since { epoch: self.room.epoch().clone(), seq })
    }

    /// What rings when there may be news.
    pub fn flags(&self) -> &Arc<WakeFlags> {
        &self.flags
    }

    /// What rings the bell at a time of one's own.
    pub fn timers(&self) -> &Arc<TimerQueue> {
        &self.hub.context.timers
    }

    /// Waits until the bell rings, and says why.
    pub async fn woken(&mut self) -> WakeReasons {
        poll_fn(|context| self.flags.poll(context)).await
    }

    pub(super) fn is_closing(&self) -> bool {
        self.hub.is_closing()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.room.subscribers().remove(self.connection);
        // The wheel may hold the bell for some time yet.
        self.flags.detach();
        self.hub.close(&self.room_name);
    }
}
