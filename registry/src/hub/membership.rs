//! What one socket holds of a room.

use std::sync::Arc;

use super::Subscription;
use crate::{
    encoding::frame::{Batch, Frame},
    presence::{
        members::{Announced, ConnectionId, TabKey},
        name_validation,
        refusal::Refused,
        room::JoinKind,
    },
    wake::{timer_queue::TimerQueue, wake_flags::WakeFlags},
};
use app::presence::{DepartureReason, Since, TabId, UserId};

/// What one socket holds of a room. Dropping it is the end of the socket for everyone else,
/// also when the task that held it panicked or was aborted.
#[derive(Debug)]
pub struct Membership {
    subscription: Subscription,
    who: UserId,
    /// What the others are told when it ends; a break, unless something better is known.
    departure: DepartureReason,
}

/// A tab that wants to be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcing {
    /// The name as it was typed.
    pub name: String,
    /// Which page instance it is; without a name for it, the socket is a tab of its own.
    pub tab: Option<TabId>,
    /// Whether the page is visible.
    pub is_visible: bool,
    /// Whether it is the socket's first frame.
    pub announcement: JoinKind,
    /// Where the client's list is; it counts in a first frame only.
    pub since: Option<Since>,
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
        self.subscription.room.with_room(|room, _| room.watch(self.who, self.connection()))?;
        self.subscription.start_from(since);
        Ok(())
    }

    /// Is listed under `name`, and follows the room; the answer comes with the next [`Membership::news`].
    pub fn announce(&mut self, announcing: Announcing) -> Result<(), Refused> {
        let Announcing { name, tab, is_visible, announcement, since } = announcing;
        let name = name_validation::validate(&name)?;
        let connection = self.connection();
        let tab = tab.map_or(TabKey::Unnamed(connection), TabKey::Named);
        let announced = Announced { tab, connection, is_visible };
        // Before the announcement itself moves the count: what it gives was not given to anybody.
        let since = since.filter(|since| self.subscription.room.has_issued(since));
        self.subscription.room.announce(self.who, announced, name, announcement)?;
        match announcement {
            JoinKind::Opening => self.subscription.start_from(since.as_ref()),
            JoinKind::Repeat => self.subscription.expect_reply(),
        }
        Ok(())
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
