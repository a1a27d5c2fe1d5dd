//! What one socket holds of a room.

use super::Subscription;
use crate::presence::{
    join::{Join, JoinRequest},
    name_validation,
    request_error::RequestError,
    tab_key::ConnectionId,
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

    /// What the socket reads of the room, and what wakes it.
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// The same, for reading on.
    pub fn subscription_mut(&mut self) -> &mut Subscription {
        &mut self.subscription
    }

    /// Follows the room without being listed; the answer comes with the next [`Subscription::poll_updates`].
    pub fn watch(&mut self, since: Option<&Since>) -> Result<(), RequestError> {
        let Subscription { room, connection, cursor, .. } = &mut self.subscription;
        room.watch(self.who, *connection, since, cursor)
    }

    /// Is listed under `name`, and follows the room; the answer comes with the next [`Subscription::poll_updates`].
    pub fn join(&mut self, mut request: JoinRequest) -> Result<(), RequestError> {
        let Subscription { room, connection, cursor, .. } = &mut self.subscription;
        let since = request.since.take();
        let join = Join::from_request(request, *connection)?;
        room.join(self.who, join, since.as_ref(), cursor)
    }

    /// Changes the name, keeps the row.
    pub fn rename(&mut self, name: &str) -> Result<(), RequestError> {
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
