//! Who is to be woken when something happens in a room.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    presence::members::ConnectionId,
    wake::wake_flags::{WakeFlags, WakeReasons},
};

/// The bells of everyone who holds something of a room.
///
/// Whoever has not said yet what they want is no follower: news would wake thousands who never say it.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    active: BTreeMap<ConnectionId, Arc<WakeFlags>>,
    idle: BTreeMap<ConnectionId, Arc<WakeFlags>>,
}

impl Subscribers {
    /// Somebody comes, and says nothing yet.
    pub(super) fn add(&mut self, connection: ConnectionId, flags: Arc<WakeFlags>) {
        self.idle.insert(connection, flags);
    }

    /// They follow the room from now on.
    pub(super) fn activate(&mut self, connection: ConnectionId) {
        if let Some(flags) = self.idle.remove(&connection) {
            self.active.insert(connection, flags);
        }
    }

    /// They are gone.
    pub(super) fn remove(&mut self, connection: ConnectionId) {
        self.idle.remove(&connection);
        self.active.remove(&connection);
    }

    /// How many follow the room.
    pub(super) fn active_count(&self) -> usize {
        self.active.len()
    }

    /// Rings for all who follow the room.
    pub(super) fn notify_active(&self, signal: WakeReasons) {
        self.active.values().for_each(|flags| flags.notify(signal));
    }

    /// Rings for everyone.
    pub(super) fn notify_all(&self, signal: WakeReasons) {
        self.notify_active(signal);
        self.idle.values().for_each(|flags| flags.notify(signal));
    }

    /// Rings for this one, if they are still there.
    pub(super) fn notify(&self, connection: ConnectionId, signal: WakeReasons) {
        let flags = self.active.get(&connection).or_else(|| self.idle.get(&connection));
        if let Some(flags) = flags {
            flags.notify(signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    fn is_rung(flags: &WakeFlags) -> bool {
        flags.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn news_wake_only_those_who_follow_and_an_end_wakes_everyone() {
        let mut subscribers = Subscribers::default();
        let own: Vec<_> = (0..3).map(|_| Arc::new(WakeFlags::default())).collect();
        for (number, flags) in (0..).zip(&own) {
            subscribers.add(ConnectionId(number), Arc::clone(flags));
        }
        subscribers.activate(ConnectionId(1));
        assert_eq!(subscribers.active_count(), 1);
        let rung =
            |own: &[Arc<WakeFlags>]| own.iter().map(|flags| is_rung(flags)).collect::<Vec<_>>();
        subscribers.notify_active(WakeReasons::NEWS);
        assert_eq!(rung(&own), [false, true, false]);
        subscribers.remove(ConnectionId(2));
        subscribers.notify_all(WakeReasons::ROOM_CLOSED);
        assert_eq!(rung(&own), [true, true, false]);
        subscribers.notify(ConnectionId(0), WakeReasons::REPLACED);
        subscribers.notify(ConnectionId(2), WakeReasons::REPLACED);
        assert_eq!(rung(&own), [true, false, false]);
    }
}
