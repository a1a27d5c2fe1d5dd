//! Which results are kept: those that were asked for last, up to a number of bytes. Pure.

use std::{collections::HashMap, hash::Hash, time::Duration};

use tokio::time::Instant;

/// More results are never kept, however small they are.
const MOST_SLOTS: usize = 256;

/// The places of results, some of which are still made.
#[derive(Debug)]
pub(super) struct Slots<Key, Slot> {
    by_key: HashMap<Key, Kept<Slot>>,
    most_bytes: usize,
}

#[derive(Debug)]
struct Kept<Slot> {
    slot: Slot,
    /// 0 while it is made for the first time.
    bytes: usize,
    asked: Instant,
}

impl<Key: Clone + Eq + Hash, Slot: Clone + Default> Slots<Key, Slot> {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { by_key: HashMap::new(), most_bytes }
    }

    /// The place of a result that is asked for now. A new one takes that of results which nobody asked for lately.
    pub(super) fn slot(&mut self, key: &Key, now: Instant, lifetime: Duration) -> Slot {
        if let Some(kept) = self.by_key.get_mut(key) {
            kept.asked = now;
            return kept.slot.clone();
        }
        self.by_key.retain(|_, kept| now.duration_since(kept.asked) < lifetime);
        if self.by_key.len() >= MOST_SLOTS {
            self.remove_oldest();
        }
        let slot = Slot::default();
        let kept = Kept { slot: slot.clone(), bytes: 0, asked: now };
        self.by_key.insert(key.clone(), kept);
        slot
    }

    /// A result of so many bytes is kept in its place, unless that was taken meanwhile. The oldest ones give way.
    pub(super) fn keep(&mut self, key: &Key, bytes: usize) {
        if let Some(kept) = self.by_key.get_mut(key) {
            kept.bytes = bytes;
        }
        while self.bytes() > self.most_bytes {
            self.remove_oldest();
        }
    }

    fn bytes(&self) -> usize {
        self.by_key.values().map(|kept| kept.bytes).sum()
    }

    fn remove_oldest(&mut self) {
        let oldest = self.by_key.iter().min_by_key(|(_, kept)| kept.asked);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.by_key.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    const LIFETIME: Duration = Duration::from_secs(1);

    proptest! {
        /// The bounds hold at any time, and whoever asks for the same in time gets the same place.
        #[test]
        fn results_are_bounded_in_bytes_and_number(
            steps in prop::collection::vec((0..400_u16, 0..300_usize, 1..5_u64), 1..500),
        ) {
            let mut slots: Slots<u16, Arc<()>> = Slots::new(1_000);
            let mut now = Instant::now();
            for (key, bytes, pause) in steps {
                now += Duration::from_millis(pause);
                let slot = slots.slot(&key, now, LIFETIME);
                prop_assert!(Arc::ptr_eq(&slot, &slots.slot(&key, now, LIFETIME)));
                prop_assert!(slots.by_key.len() <= MOST_SLOTS);
                slots.keep(&key, bytes);
                prop_assert!(slots.bytes() <= 1_000);
                // The newest one stays.
                prop_assert!(slots.by_key.contains_key(&key));
            }
        }
    }

    #[test]
    fn results_give_way_by_age() {
        let mut slots: Slots<u16, Arc<()>> = Slots::new(1_000);
        let now = Instant::now();
        for key in 0..3_u16 {
            slots.slot(&key, now + Duration::from_millis(key.into()), LIFETIME);
            slots.keep(&key, 400);
        }
        let mut kept: Vec<u16> = slots.by_key.keys().copied().collect();
        kept.sort_unstable();
        assert_eq!(kept, [1, 2]);
        // A result that is larger than all together is not kept.
        slots.keep(&2, 2_000);
        assert!(slots.by_key.is_empty());
        // Results that nobody asks for are forgotten with the next one.
        slots.slot(&4, now, LIFETIME);
        slots.slot(&5, now + LIFETIME, LIFETIME);
        assert_eq!(slots.by_key.len(), 1);
    }
}
