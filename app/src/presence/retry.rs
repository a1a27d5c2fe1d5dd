//! When to try again after a connection was lost.

use std::time::Duration;

/// How long to wait before the next attempt to connect.
///
/// Full jitter: anything from nothing to a bound that doubles with each failure,
/// so that a thousand pages that lost the same server do not all come back in the same moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    failures: u32,
}

impl Retry {
    /// The bound after the first failure.
    pub const SHORTEST_BOUND: Duration = Duration::from_millis(500);
    /// The bound that no number of failures exceeds.
    pub const LONGEST_BOUND: Duration = Duration::from_secs(15);

    /// Counts a failure and says how long to wait; `random` is drawn evenly from all its values.
    pub fn next_delay(&mut self, random: u32) -> Duration {
        let delay = fraction(self.bound(), random);
        self.failures = self.failures.saturating_add(1);
        delay
    }

    /// The connection proved itself: the next failure counts as the first.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// What the next delay stays under.
    pub fn bound(self) -> Duration {
        let doubled = 2_u32.saturating_pow(self.failures);
        Self::SHORTEST_BOUND.saturating_mul(doubled).min(Self::LONGEST_BOUND)
    }
}

/// `random / 2^32` of `whole`, in whole milliseconds.
fn fraction(whole: Duration, random: u32) -> Duration {
    // A duration in milliseconds fits 32 bits here (15,000), so the product fits 64.
    let milliseconds = u64::try_from(whole.as_millis()).unwrap_or(u64::from(u32::MAX));
    Duration::from_millis(milliseconds.saturating_mul(u64::from(random)) >> 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bound_doubles_from_half_a_second_to_fifteen() {
        let mut retry = Retry::default();
        let bounds: Vec<_> = (0..8)
            .map(|_| {
                let bound = retry.bound().as_millis();
                retry.next_delay(0);
                bound
            })
            .collect();
        assert_eq!(bounds, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    }

    #[test]
    fn the_whole_range_is_used() {
        assert_eq!(Retry::default().next_delay(0), Duration::ZERO);
        assert_eq!(Retry::default().next_delay(1 << 31), Duration::from_millis(250));
        assert_eq!(Retry::default().next_delay(u32::MAX), Duration::from_millis(499));
    }

    proptest! {
        /// However often it failed, and whatever was drawn.
        #[test]
        fn a_delay_stays_under_its_bound(failures in any::<u32>(), random in any::<u32>()) {
            let mut retry = Retry { failures };
            let bound = retry.bound();
            prop_assert!(Retry::SHORTEST_BOUND <= bound && bound <= Retry::LONGEST_BOUND);
            prop_assert!(retry.next_delay(random) < bound);
            prop_assert!(bound <= retry.bound());
        }

        /// A larger draw never means a shorter wait: what is drawn evenly is spread evenly.
        #[test]
        fn a_delay_grows_with_what_is_drawn(failures in 0..9_u32, one in any::<u32>(), other in any::<u32>()) {
            let wait = |random| Retry { failures }.next_delay(random);
            prop_assert!(wait(one.min(other)) <= wait(one.max(other)));
        }

        #[test]
        fn after_a_reset_a_failure_is_the_first(draws in prop::collection::vec(any::<u32>(), 0..20)) {
            let mut retry = Retry::default();
            for random in draws {
                retry.next_delay(random);
            }
            retry.reset();
            prop_assert_eq!(retry, Retry::default());
        }
    }
}
