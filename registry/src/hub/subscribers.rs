//! The connections that a room wakes.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

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

    /// Wakes the next active subscriptions after this one, or the first ones, at most so many, except one that reads next
    /// anyway. Returns the last one if there may be more.
    pub(super) fn notify_next_active(
        &self,
        reason: WakeReasons,
        after: Option<ConnectionId>,
        except: Option<ConnectionId>,
        most: usize,
    ) -> Option<ConnectionId> {
        let next = self.next_active(after, None, most);
        for (_, flags) in next.iter().filter(|(connection, _)| Some(*connection) != except) {
            flags.notify(reason);
        }
        next.last().filter(|_| next.len() == most).map(|(last, _)| *last)
    }

    /// The next active subscriptions after one of them, at most so many, up to `last`.
    pub(super) fn next_active(
        &self,
        after: Option<ConnectionId>,
        last: Option<ConnectionId>,
        most: usize,
    ) -> Vec<(ConnectionId, Arc<WakeFlags>)> {
        let first = after.map_or(Bound::Unbounded, Bound::Excluded);
        let last = last.map_or(Bound::Unbounded, Bound::Included);
        let next = self.active.range((first, last)).take(most);
        next.map(|(connection, flags)| (*connection, Arc::clone(flags))).collect()
    }

    /// The last subscription of each of so many equal parts but the last one.
    pub(super) fn boundaries(&self, parts: usize) -> Vec<ConnectionId> {
        let size = self.active.len().div_ceil(parts.max(1)).max(1);
        let ends = self.active.keys().skip(size - 1).step_by(size).copied();
        ends.take(parts.saturating_sub(1)).collect()
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

    use proptest::prelude::*;

    use super::*;

    const MOST: usize = 64;

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
        assert_eq!(subscribers.notify_next_active(WakeReasons::UPDATES, None, None, MOST), None);
        assert_eq!(woken(&all), [false, true, false]);
        let except = Some(ConnectionId(1));
        assert_eq!(subscribers.notify_next_active(WakeReasons::UPDATES, None, except, MOST), None);
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
        let count = 2 * MOST + 1;
        let all: Vec<_> = (0..count).map(|_| Arc::new(WakeFlags::default())).collect();
        for (number, flags) in (0..).zip(&all) {
            subscribers.add(ConnectionId(number), Arc::clone(flags));
            subscribers.activate(ConnectionId(number));
        }
        let mut last = None;
        for woken in [MOST, MOST, 1] {
            last = subscribers.notify_next_active(WakeReasons::UPDATES, last, None, MOST);
            assert_eq!(all.iter().filter(|flags| take_wake(flags)).count(), woken);
        }
        assert_eq!(last, None);
    }

    proptest! {
        /// Also while some of them end.
        #[test]
        fn parts_together_are_all_active_subscriptions(
            count in 0..200_u64,
            parts in 1..5_usize,
            most in 1..70_usize,
            ending in prop::collection::vec(0..200_u64, 0..20),
        ) {
            let mut subscribers = Subscribers::default();
            for number in 0..count {
                subscribers.add(ConnectionId(number), Arc::default());
                subscribers.activate(ConnectionId(number));
            }
            let boundaries = subscribers.boundaries(parts);
            prop_assert!(boundaries.len() < parts);
            for number in &ending {
                subscribers.remove(ConnectionId(*number));
            }
            let firsts = std::iter::once(None).chain(boundaries.iter().copied().map(Some));
            let lasts = boundaries.iter().copied().map(Some).chain([None]);
            let mut found = Vec::new();
            for (mut after, last) in firsts.zip(lasts) {
                loop {
                    let next = subscribers.next_active(after, last, most);
                    prop_assert!(next.len() <= most);
                    let Some((end, _)) = next.last() else { break };
                    after = Some(*end);
                    found.extend(next.iter().map(|(connection, _)| connection.0));
                }
            }
            let expected: Vec<u64> = (0..count).filter(|number| !ending.contains(number)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
