//! When to reconnect after a connection was lost: exponential backoff with full jitter.

use std::time::Duration;

/// The delay before the next attempt to connect.
///
/// Full jitter: a delay between zero and a bound that doubles with each failure, so that a thousand
/// pages that lost the same server do not all reconnect at once. While the server holds a row for its
/// owner the bound stays low: a client that reconnects later loses its row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
    disconnected_at: Option<Duration>,
}

impl Backoff {
    /// The bound after the first failure.
    pub const BASE: Duration = Duration::from_millis(500);
    /// The bound that no number of failures exceeds.
    pub const CAP: Duration = Duration::from_secs(15);
    /// How long after a disconnect the server holds a row for its owner.
    pub const ROW_IS_HELD: Duration = Duration::from_secs(15);
    /// The bound that no number of failures exceeds while the row is held.
    pub const CAP_WHILE_HELD: Duration = Duration::from_secs(3);

    /// Counts a failure and returns how long to wait from `now`, a time on any clock;
    /// `random` has to be uniform over all its values.
    pub fn next_delay(&mut self, now: Duration, random: u32) -> Duration {
        let disconnected_at = *self.disconnected_at.get_or_insert(now);
        let delay = fraction(self.bound(now.saturating_sub(disconnected_at)), random);
        self.failures = self.failures.saturating_add(1);
        delay
    }

    /// A list came over the connection: the next failure counts as the first.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The bound of the next delay, this long after the disconnect.
    pub fn bound(self, since_disconnect: Duration) -> Duration {
        let doubled = 2_u32.saturating_pow(self.failures);
        let is_held = since_disconnect < Self::ROW_IS_HELD;
        let longest = if is_held { Self::CAP_WHILE_HELD } else { Self::CAP };
        Self::BASE.saturating_mul(doubled).min(longest)
    }
}

/// `random / 2^32` of `whole`, in whole milliseconds.
fn fraction(whole: Duration, random: u32) -> Duration {
    // The durations here are at most 15,000 ms and fit 32 bits, so the product fits 64.
    let milliseconds = u64::try_from(whole.as_millis()).unwrap_or(u64::from(u32::MAX));
    Duration::from_millis(milliseconds.saturating_mul(u64::from(random)) >> 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bounds(since_disconnect: Duration) -> [u128; 8] {
        std::array::from_fn(|failures| {
            let failures = u32::try_from(failures).unwrap();
            Backoff { failures, ..Backoff::default() }.bound(since_disconnect).as_millis()
        })
    }

    #[test]
    fn the_bound_doubles_and_stays_low_while_the_row_is_held() {
        let held = [500, 1_000, 2_000, 3_000, 3_000, 3_000, 3_000, 3_000];
        assert_eq!(bounds(Duration::ZERO), held);
        assert_eq!(bounds(Duration::from_millis(14_999)), held);
        let later = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000];
        assert_eq!(bounds(Duration::from_secs(15)), later);
    }

    #[test]
    fn time_since_disconnect_counts_from_the_first_failure() {
        let mut backoff = Backoff::default();
        let times = [100_u64, 105, 114, 115, 200].map(Duration::from_secs);
        let delays = times.map(|now| backoff.next_delay(now, u32::MAX).as_millis());
        assert_eq!(delays, [499, 999, 1_999, 3_999, 7_999]);
        backoff.reset();
        assert_eq!(backoff.next_delay(Duration::from_mins(5), u32::MAX).as_millis(), 499);
        for _ in 0..9 {
            backoff.next_delay(Duration::from_mins(5), 0);
        }
        let bound = backoff.bound(Duration::from_secs(14)).as_millis();
        assert_eq!(bound, 3_000);
    }

    #[test]
    fn the_delay_covers_the_whole_range() {
        let delay = |random| Backoff::default().next_delay(Duration::ZERO, random);
        assert_eq!(delay(0), Duration::ZERO);
        assert_eq!(delay(1 << 31), Duration::from_millis(250));
        assert_eq!(delay(u32::MAX), Duration::from_millis(499));
    }

    proptest! {
        /// For any number of failures, any random number, and a clock that jumps.
        #[test]
        fn a_delay_stays_under_its_bound(
            failures in any::<u32>(),
            disconnected_at in prop::option::of(0..100_000_u64),
            now in 0..100_000_u64,
            random in any::<u32>(),
        ) {
            let disconnected_at = disconnected_at.map(Duration::from_millis);
            let now = Duration::from_millis(now);
            let mut backoff = Backoff { failures, disconnected_at };
            let since_disconnect = now.saturating_sub(disconnected_at.unwrap_or(now));
            let bound = backoff.bound(since_disconnect);
            prop_assert!(Backoff::BASE <= bound && bound <= Backoff::CAP);
            if since_disconnect < Backoff::ROW_IS_HELD {
                prop_assert!(bound <= Backoff::CAP_WHILE_HELD);
            }
            prop_assert!(backoff.next_delay(now, random) < bound);
            prop_assert!(bound <= backoff.bound(since_disconnect));
        }

        /// The delay is monotonic in the random number, so uniform numbers give uniform delays.
        #[test]
        fn a_delay_grows_with_the_random_number(failures in 0..9_u32, one in any::<u32>(), other in any::<u32>()) {
            let wait = |random| Backoff { failures, disconnected_at: None }.next_delay(Duration::ZERO, random);
            prop_assert!(wait(one.min(other)) <= wait(one.max(other)));
        }
    }
}
