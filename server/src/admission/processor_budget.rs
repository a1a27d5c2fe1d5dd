//! How much processor time the answers to one address may take: a token bucket of time, computed as GCRA. Pure.

use std::{num::NonZeroU32, time::Duration};

/// The longest wait that an address can bring upon itself, whatever it goes on asking for.
const LONGEST_DEBT: Duration = Duration::from_secs(30);

/// A burst of processor time, and then a share of one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorLimit {
    burst: Duration,
    percent: NonZeroU32,
}

impl ProcessorLimit {
    /// A burst, and then a share of one core in percent; none, so no limit, if either is 0.
    pub fn new(burst: Duration, percent: u32) -> Option<Self> {
        let percent = NonZeroU32::new(percent)?;
        (!burst.is_zero()).then_some(Self { burst, percent })
    }

    /// Three quarters of the burst, at three quarters of the share.
    #[must_use]
    pub(super) fn three_quarters(self) -> Self {
        let percent = NonZeroU32::new(self.percent.get() - self.percent.get() / 4);
        Self { burst: self.burst.mul_f64(0.75), percent: percent.unwrap_or(self.percent) }
    }

    /// In what time this much processor time is granted.
    fn time_to_grant(self, cost: Duration) -> Duration {
        cost.saturating_mul(100) / self.percent.get()
    }
}

/// The processor time that an address may still use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessorBudget {
    /// When the whole burst will be there again.
    full_at: Duration,
}

impl ProcessorBudget {
    /// Whether the address may ask for more at `now`, which never goes back.
    ///
    /// # Errors
    /// The time until it may.
    pub fn check(self, limit: ProcessorLimit, now: Duration) -> Result<(), Duration> {
        let latest = now.saturating_add(limit.time_to_grant(limit.burst));
        let wait = self.full_at.saturating_sub(latest);
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    /// Takes what an answer has cost. That is known only afterwards, so it can be more than there is.
    pub fn charge(&mut self, cost: Duration, limit: ProcessorLimit, now: Duration) {
        let full_at = self.full_at.max(now).saturating_add(limit.time_to_grant(cost));
        let most = limit.time_to_grant(limit.burst).saturating_add(LONGEST_DEBT);
        self.full_at = full_at.min(now.saturating_add(most));
    }

    /// How much was used and not granted again.
    pub fn used(self, limit: ProcessorLimit, now: Duration) -> Duration {
        self.full_at.saturating_sub(now).saturating_mul(limit.percent.get()) / 100
    }

    /// Whether the whole burst is there.
    pub fn is_full(self, now: Duration) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limit(burst: Duration, percent: u32) -> ProcessorLimit {
        ProcessorLimit::new(burst, percent).unwrap()
    }

    #[test]
    fn burst_is_followed_by_a_share_of_a_core() {
        let limit = limit(10 * SECOND, 25);
        let mut budget = ProcessorBudget::default();
        let now = 100 * SECOND;
        budget.charge(10 * SECOND, limit, now);
        assert_eq!(budget.check(limit, now), Ok(()));
        budget.charge(SECOND, limit, now);
        // One second of processor time is granted in four.
        assert_eq!(budget.check(limit, now), Err(4 * SECOND));
        assert_eq!(budget.used(limit, now), 11 * SECOND);
        assert_eq!(budget.used(limit, now + 40 * SECOND), SECOND);
        assert_eq!(budget.check(limit, now + 4 * SECOND), Ok(()));
        assert!(!budget.is_full(now + 43 * SECOND));
        assert!(budget.is_full(now + 44 * SECOND));
    }

    /// An address that goes on asking is heard again soon after it stops.
    #[test]
    fn debt_has_a_bound() {
        let limit = limit(10 * SECOND, 25);
        let mut budget = ProcessorBudget::default();
        for _ in 0..1_000 {
            budget.charge(SECOND, limit, SECOND);
        }
        assert_eq!(budget.check(limit, SECOND), Err(LONGEST_DEBT));
    }

    #[test]
    fn nothing_is_no_limit() {
        assert_eq!(ProcessorLimit::new(Duration::ZERO, 25), None);
        assert_eq!(ProcessorLimit::new(SECOND, 0), None);
        let part = limit(20 * SECOND, 25).three_quarters();
        assert_eq!(part, limit(15 * SECOND, 19));
        assert_eq!(limit(4 * SECOND, 1).three_quarters(), limit(3 * SECOND, 1));
    }

    proptest! {
        /// Over any time an address that asks only when it may gets at most the burst, its share, and what the last
        /// answer cost beyond that; and what is within the share is never refused.
        #[test]
        fn address_gets_its_burst_and_its_share(
            burst in 1..5_000_u64,
            percent in 1..100_u32,
            steps in prop::collection::vec((0..2_000_u64, 1..500_u64), 1..200),
        ) {
            let limit = limit(Duration::from_millis(burst), percent);
            let mut budget = ProcessorBudget::default();
            let (mut now, mut used) = (Duration::ZERO, Duration::ZERO);
            for (pause, cost) in steps {
                now += Duration::from_millis(pause);
                let granted = limit.burst + now * percent / 100;
                match budget.check(limit, now) {
                    Ok(()) => {
                        // No debt is so high that some of it is forgiven.
                        let most = LONGEST_DEBT * percent / 100;
                        let cost = Duration::from_millis(cost).min(most);
                        budget.charge(cost, limit, now);
                        used += cost;
                        prop_assert!(used <= granted + cost);
                    }
                    Err(wait) => {
                        // All that was granted is used; the returned wait is exact.
                        prop_assert!(wait > Duration::ZERO && wait <= LONGEST_DEBT);
                        prop_assert!(budget.check(limit, now + wait).is_ok());
                        let early = now + wait.saturating_sub(Duration::from_nanos(1));
                        prop_assert!(budget.check(limit, early).is_err());
                    }
                }
            }
            prop_assert!(budget.is_full(now + limit.time_to_grant(limit.burst) + LONGEST_DEBT));
        }

        /// An address that stays within its share is never refused.
        #[test]
        fn frugal_address_notices_nothing(
            percent in 1..100_u32,
            pauses in prop::collection::vec(1..2_000_u64, 1..200),
        ) {
            // As much as the longest pause grants.
            let limit = limit(2 * SECOND, percent);
            let mut budget = ProcessorBudget::default();
            let mut now = Duration::ZERO;
            for pause in pauses {
                let pause = Duration::from_millis(pause);
                now += pause;
                prop_assert_eq!(budget.check(limit, now), Ok(()));
                budget.charge(pause * percent / 100, limit, now);
            }
        }
    }
}
