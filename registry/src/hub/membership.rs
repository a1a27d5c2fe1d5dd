//! What one socket holds of a room.

use std::sync::Arc;

use super::Subscription;
use crate::{
    encoding::frame::{Batch, Frame},
    presence::{
        join::{Join, JoinRequest},
        name_validation,
        refusal::Refused,
        tab_key::ConnectionId,
    },
    wake::{timer_queue::TimerQueue, wake_flags::WakeFlags},
};
use app::presence::{DepartureReason, Since, UserId};

/// What one socket holds of a room. Dropping it is the end of the socket for everyone else,
/// also when the task that held it panicked or was aborted.
#[derive(Debug)]
pub struct Membership {
    subscription: Subscription,
    who: UserId,
    /// What the others are told when it ends; a break, unless something better is known.
    departure: DepartureReason,
}

impl Membership {
    pub(super) fn new(subscription: Subscription, who: UserId) -> Self {
        Self { subscription, who, departure: DepartureReason::Lost }
    }

    /// What rings when there is something to know: news, or that another socket has this one's tab.
    pub fn flags(&self) -> &Arc<WakeFlags> {
        self.subscription.flags()
    }

    /// What rings the bell at a time of one's own.
    pub fn timers(&self) -> &Arc<TimerQueue> {
        self.subscription.timers()
    }

    /// Follows the room without being listed; the answer comes with the next [`Membership::news`].
    pub fn watch(&mut self, since: Option<&Since>) -> Result<(), Refused> {
        let Subscription { room, connection, cursor, .. } = &mut self.subscription;
        room.watch(self.who, *connection, since, cursor)
    }

    /// Is listed under `name`, and follows the room; the answer comes with the next [`Membership::news`].
    pub fn join(&mut self, mut request: JoinRequest) -> Result<(), Refused> {
        let Subscription { room, connection, cursor, .. } = &mut self.subscription;
        let since = request.since.take();
        let join = Join::from_request(request, *connection)?;
        room.join(self.who, join, since.as_ref(), cursor)
    }

    /// Changes the name, keeps the row.
    pub fn rename(&mut self, name: &str) -> Result<(), Refused> {
        let name = name_validation::validate(name)?;
        self.subscription.room.with_room(|room, now| room.rename(self.who, name, now))
    }

    /// The page is hidden, or shown again.
    pub fn set_visible(&mut self, is_visible: bool) {
        self.subscription
            .room
            .with_room(|room, now| room.set_visible(self.who, self.connection(), is_visible, now));
    }

    /// Is no longer listed, and goes on watching.
    pub fn leave(&mut self) {
        self.subscription
            .room
            .with_room(|room, now| room.remove_row(self.who, DepartureReason::Left, now));
    }

    /// The whole list comes with the next [`Membership::news`].
    pub fn resync(&mut self) {
        self.subscription.resync();
    }

    /// The frames that bring this socket to where everyone is; it must have been accepted before.
    pub fn poll_updates(&mut self) -> Batch {
        self.subscription.poll_updates()
    }

    /// The frame that says where this socket's list should be now; none while it is behind.
    pub fn beat(&self) -> Option<Frame> {
        self.subscription.beat()
    }

    fn connection(&self) -> ConnectionId {
        self.subscription.connection
    }

    /// What the others are told when this ends: a socket that ends without a word is lost.
    pub fn departs_as(&mut self, departure: DepartureReason) {
        self.departure = departure;
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        if !self.subscription.is_closing() {
            self.subscription.room.disconnect(self.who, self.connection(), self.departure);
        }
    }
}
