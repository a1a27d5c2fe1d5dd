//! What a reader holds of a room.

use std::{future::poll_fn, sync::Arc};

use app::presence::{Since, UserId};
use bytes::Bytes;

use super::{cursor::Cursor, room_permit::RoomPermit};
use crate::{
    encoding::frame::{Batch, Frame},
    presence::tab_key::ConnectionId,
    wake::{
        direct_write::{DirectSocket, Written},
        timer_queue::TimerQueue,
        wake_flags::{WakeFlags, WakeReasons},
    },
};

/// What a reader holds of a room: its permit, a position in the log, and the flags that wake it.
#[derive(Debug)]
pub struct Subscription {
    pub(super) permit: RoomPermit,
    pub(super) connection: ConnectionId,
    pub(super) cursor: Cursor,
    flags: Arc<WakeFlags>,
}

impl Subscription {
    pub(super) fn new(
        permit: RoomPermit,
        connection: ConnectionId,
        viewer: Option<UserId>,
    ) -> Self {
        let flags = Arc::new(WakeFlags::default());
        permit.room.subscribers().add(connection, Arc::clone(&flags));
        Self { permit, connection, cursor: Cursor::new(viewer), flags }
    }

    /// Begins at `since` if the log covers it, else with the whole list.
    pub fn start_from(&mut self, since: Option<&Since>) {
        self.permit.room.start_from(self.connection, since, &mut self.cursor);
    }

    /// Has the next [`Subscription::poll_updates`] return the whole list.
    pub fn resync(&mut self) {
        self.cursor.request_snapshot();
    }

    /// The frames that bring the reader to the last broadcast. They belong together. A socket's first frame
    /// must have been accepted before.
    pub fn poll_updates(&mut self) -> Batch {
        let batch = self.permit.room.catch_up(&mut self.cursor);
        if batch.is_empty()
            && self.cursor.is_waiting()
            && let Some(at) = self.permit.room.next_list_ahead(&self.cursor)
        {
            self.timers().insert_at(&self.flags, at);
        }
        batch
    }

    /// Whether the reader has asked for something that the next updates answer: its first list, or another one.
    pub fn awaits_reply(&self) -> bool {
        self.cursor.is_waiting()
    }

    /// From now on broadcasts may write to the reader's socket themselves, whenever its task gives the right to.
    pub fn allow_direct_writes(&self, socket: Arc<dyn DirectSocket>) {
        self.flags.direct_writes.allow(socket);
        self.permit.room.on_direct_socket();
    }

    /// The reader's task takes the right to write. It has to do so in each poll, after it has polled the flags and before
    /// anything else. What broadcasts have written meanwhile is accounted for; returned is the rest of a frame that was
    /// written in part, which comes before all other bytes.
    pub fn take_write_right(&mut self) -> Option<Bytes> {
        let Written { at, rest } = self.flags.direct_writes.take()?;
        self.cursor.advance_to(at);
        rest
    }

    /// The reader's task lets broadcasts write until it is polled again. It must have written all that it had to, and be
    /// about to be pending.
    pub fn give_write_right(&self) {
        if let Some(at) = self.cursor.at_rest() {
            self.flags.direct_writes.give(at);
        }
    }

    /// The frame with count and digest of the reader's list; `None` while the reader is behind.
    pub fn beat(&self) -> Option<Frame> {
        self.permit.room.beat(&self.cursor)
    }

    /// Whether this server's lists are old: then a beat says so after each first answer.
    pub fn is_stale(&self) -> bool {
        self.permit.hub.context.stale_for().is_some()
    }

    /// The position of the reader's list; `None` before the first one.
    pub fn position(&self) -> Option<Since> {
        self.permit.room.position(&self.cursor)
    }

    /// What wakes the reader: changes, deadlines, the end of the room, or another socket with its tab.
    pub fn flags(&self) -> &Arc<WakeFlags> {
        &self.flags
    }

    /// What notifies the flags at the reader's own deadlines.
    pub fn timers(&self) -> &Arc<TimerQueue> {
        &self.permit.hub.context.timers
    }

    /// Waits for the flags, and takes the reasons.
    pub async fn woken(&mut self) -> WakeReasons {
        poll_fn(|context| self.flags.poll(context)).await
    }

    pub(super) fn is_closing(&self) -> bool {
        self.permit.hub.is_closing()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.permit.room.subscribers().remove(self.connection);
        // The timer queue may hold the flags until their deadline: it shall not hold the task.
        self.flags.detach();
    }
}
