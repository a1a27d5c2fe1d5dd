//! The connections that a room wakes.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    presence::tab_key::ConnectionId,
    wake::wake_flags::{WakeFlags, WakeReasons},
};

/// The wake flags of a room's subscriptions.
///
/// A socket is idle until its first frame is accepted: changes would wake thousands that never send one.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    active: BTreeMap<ConnectionId, Arc<WakeFlags>>,
    idle: BTreeMap<ConnectionId, Arc<WakeFlags>>,
}

impl Subscribers {
    /// A subscription begins, and is idle.
    pub(super) fn add(&mut self, connection: ConnectionId, flags: Arc<WakeFlags>) {
        self.idle.insert(connection, flags);
    }

    /// It is woken for changes from now on.
    pub(super) fn activate(&mut self, connection: ConnectionId) {
        if let Some(flags) = self.idle.remove(&connection) {
            self.active.insert(connection, flags);
        }
    }

    /// The flags of a subscription that has not ended.
    pub(super) fn flags_of(&self, connection: ConnectionId) -> Option<Arc<WakeFlags>> {
        self.active.get(&connection).or_else(|| self.idle.get(&connection)).cloned()
    }

    /// Whether a subscription has not ended.
    pub(super) fn contains(&self, connection: ConnectionId) -> bool {
        self.active.contains_key(&connection) || self.idle.contains_key(&connection)
    }

    /// It has ended.
    pub(super) fn remove(&mut self, connection: ConnectionId) {
        self.idle.remove(&connection);
        self.active.remove(&connection);
    }

    /// The subscriptions that are not idle.
    pub(super) fn active_count(&self) -> usize {
        self.active.len()
    }

    /// Wakes the active subscriptions, except one that reads next anyway.
    pub(super) fn notify_active(&self, reason: WakeReasons, except: Option<ConnectionId>) {
        let others = self.active.iter().filter(|(connection, _)| Some(**connection) != except);
        others.for_each(|(_, flags)| flags.notify(reason));
    }

    /// Wakes all subscriptions.
    pub(super) fn notify_all(&self, reason: WakeReasons) {
        self.notify_active(reason, None);
        self.idle.values().for_each(|flags| flags.notify(reason));
    }

    /// Wakes one subscription, if it has not ended.
    pub(super) fn notify(&self, connection: ConnectionId, reason: WakeReasons) {
        let flags = self.active.get(&connection).or_else(|| self.idle.get(&connection));
        if let Some(flags) = flags {
            flags.notify(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    fn take_wake(flags: &WakeFlags) -> bool {
        flags.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn changes_wake_active_subscriptions_and_the_end_of_the_room_wakes_all() {
        let mut subscribers = Subscribers::default();
        let all: Vec<_> = (0..3).map(|_| Arc::new(WakeFlags::default())).collect();
        for (number, flags) in (0..).zip(&all) {
            subscribers.add(ConnectionId(number), Arc::clone(flags));
        }
        subscribers.activate(ConnectionId(1));
        assert_eq!(subscribers.active_count(), 1);
        let woken =
            |all: &[Arc<WakeFlags>]| all.iter().map(|flags| take_wake(flags)).collect::<Vec<_>>();
        subscribers.notify_active(WakeReasons::UPDATES, None);
        assert_eq!(woken(&all), [false, true, false]);
        subscribers.notify_active(WakeReasons::UPDATES, Some(ConnectionId(1)));
        assert_eq!(woken(&all), [false, false, false]);
        subscribers.remove(ConnectionId(2));
        subscribers.notify_all(WakeReasons::ROOM_CLOSED);
        assert_eq!(woken(&all), [true, true, false]);
        subscribers.notify(ConnectionId(0), WakeReasons::REPLACED);
        subscribers.notify(ConnectionId(2), WakeReasons::REPLACED);
        assert_eq!(woken(&all), [true, false, false]);
    }
}
