//! The connections that a room wakes.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use crate::{
    presence::tab_key::ConnectionId,
    wake::wake_flags::{WakeFlags, WakeReasons},
};

/// So many subscriptions are woken at a time. Each has some microseconds of work then, for which all tasks wait that
/// become ready later.
pub(super) const MOST_WOKEN_AT_ONCE: usize = 64;

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

    /// Wakes the next active subscriptions after this one, or the first ones, except one that reads next anyway. Returns
    /// the last one if there may be more.
    pub(super) fn notify_next_active(
        &self,
        reason: WakeReasons,
        after: Option<ConnectionId>,
        except: Option<ConnectionId>,
    ) -> Option<ConnectionId> {
        let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut last = None;
        let next = self.active.range((begin, Bound::Unbounded)).take(MOST_WOKEN_AT_ONCE);
        for (number, (connection, flags)) in next.enumerate() {
            if Some(*connection) != except {
                flags.notify(reason);
            }
            last = (number + 1 == MOST_WOKEN_AT_ONCE).then_some(*connection);
        }
        last
    }

    /// Wakes all subscriptions.
    pub(super) fn notify_all(&self, reason: WakeReasons) {
        self.active.values().chain(self.idle.values()).for_each(|flags| flags.notify(reason));
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
        assert_eq!(subscribers.notify_next_active(WakeReasons::UPDATES, None, None), None);
        assert_eq!(woken(&all), [false, true, false]);
        let except = Some(ConnectionId(1));
        assert_eq!(subscribers.notify_next_active(WakeReasons::UPDATES, None, except), None);
        assert_eq!(woken(&all), [false, false, false]);
        subscribers.remove(ConnectionId(2));
        subscribers.notify_all(WakeReasons::ROOM_CLOSED);
        assert_eq!(woken(&all), [true, true, false]);
        subscribers.notify(ConnectionId(0), WakeReasons::REPLACED);
        subscribers.notify(ConnectionId(2), WakeReasons::REPLACED);
        assert_eq!(woken(&all), [true, false, false]);
    }

    #[test]
    fn many_subscriptions_are_woken_some_at_a_time() {
        let mut subscribers = Subscribers::default();
        let count = 2 * MOST_WOKEN_AT_ONCE + 1;
        let all: Vec<_> = (0..count).map(|_| Arc::new(WakeFlags::default())).collect();
        for (number, flags) in (0..).zip(&all) {
            subscribers.add(ConnectionId(number), Arc::clone(flags));
            subscribers.activate(ConnectionId(number));
        }
        let mut last = None;
        for woken in [MOST_WOKEN_AT_ONCE, MOST_WOKEN_AT_ONCE, 1] {
            last = subscribers.notify_next_active(WakeReasons::UPDATES, last, None);
            assert_eq!(all.iter().filter(|flags| take_wake(flags)).count(), woken);
        }
        assert_eq!(last, None);
    }
}
