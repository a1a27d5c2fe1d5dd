//! What somebody holds of a room who only looks.

use std::{future::poll_fn, sync::Arc};

use app::presence::{RoomName, Since, UserId};

use super::{Hub, cursor::Cursor, shared_room::LiveRoom};
use crate::{
    encoding::frame::{Batch, Frame},
    presence::members::ConnectionId,
    wake::{
        timer_queue::Wheel,
        wake_flags::{Doorbell, Signals},
    },
};

/// What somebody holds of a room who only looks: the room itself, and a position in its log.
#[derive(Debug)]
pub struct Observer {
    hub: Arc<Hub>,
    room_name: RoomName,
    pub(super) room: Arc<LiveRoom>,
    pub(super) connection: ConnectionId,
    cursor: Cursor,
    bell: Arc<Doorbell>,
}

impl Observer {
    pub(super) fn new(
        hub: Arc<Hub>,
        room_name: RoomName,
        room: Arc<LiveRoom>,
        connection: ConnectionId,
        you: Option<UserId>,
    ) -> Self {
        let bell = Arc::new(Doorbell::default());
        room.bells().come(connection, Arc::clone(&bell));
        Self { hub, room_name, room, connection, cursor: Cursor::new(you), bell }
    }

    /// Where to begin: at `since`, if that can be used, else with the list.
    pub fn start(&mut self, since: Option<&Since>) {
        self.room.bells().follow(self.connection);
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
    pub fn news(&mut self) -> Batch {
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
    pub fn bell(&self) -> &Arc<Doorbell> {
        &self.bell
    }

    /// What rings the bell at a time of one's own.
    pub fn wheel(&self) -> &Arc<Wheel> {
        &self.hub.wheel
    }

    /// Waits until the bell rings, and says why.
    pub async fn listen(&mut self) -> Signals {
        poll_fn(|context| self.bell.poll(context)).await
    }

    pub(super) fn is_closing(&self) -> bool {
        self.hub.is_closing()
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.room.bells().go(self.connection);
        // The wheel may hold the bell for some time yet.
        self.bell.unplug();
        self.hub.close(&self.room_name);
    }
}
