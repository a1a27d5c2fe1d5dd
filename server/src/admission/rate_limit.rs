//! Limits and rates of one client. The rate is a token bucket, computed as GCRA: one time instead of a count.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

/// A maximum, or no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit(Option<NonZeroUsize>);

impl Limit {
    /// No limit.
    pub const OFF: Self = Self(None);

    /// A maximum; 0 is no limit.
    pub fn at_most(number: usize) -> Self {
        Self(NonZeroUsize::new(number))
    }

    /// Whether one more is allowed when there are `number` already.
    pub fn allows_one_more_than(self, number: usize) -> bool {
        self.0.is_none_or(|most| number < most.get())
    }

    /// The lower of the two.
    #[must_use]
    pub fn and_at_most(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(another)) => Self(Some(one.min(another))),
            (one, another) => Self(one.or(another)),
        }
    }

    /// Half of it, and at least one; none of no limit.
    #[must_use]
    pub(super) fn half(self) -> Self {
        Self(self.0.map(|most| NonZeroUsize::new(most.get() / 2).unwrap_or(most)))
    }

    /// At most half of a pool; where it is off, it stays off.
    #[must_use]
    pub(super) fn at_most_half_of(self, pool: Self) -> Self {
        if self == Self::OFF { self } else { self.and_at_most(pool.half()) }
    }

    /// Three quarters of it, rounded up.
    #[must_use]
    pub(super) fn three_quarters(self) -> Self {
        Self(self.0.map(|most| {
            // At least one is left of one.
            NonZeroUsize::new(most.get() - most.get() / 4).unwrap_or(most)
        }))
    }

    /// The maximum; none where there is no limit.
    pub fn number(self) -> Option<usize> {
        self.0.map(NonZeroUsize::get)
    }
}

/// A wait in whole seconds, rounded up, as `Retry-After` has it.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// A burst, and then one in every interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    burst: u32,
    /// At most 4/3 of a second, so that 32 bits suffice: every socket keeps some of these.
    interval_in_nanoseconds: NonZeroU32,
}

impl Rate {
    /// A burst, and then a number per second; none, so no limit, if either is 0.
    pub fn new(burst: u32, per_second: u32) -> Option<Self> {
        let interval_in_nanoseconds = NonZeroU32::new(1_000_000_000_u32.checked_div(per_second)?)?;
        (burst > 0).then_some(Self { burst, interval_in_nanoseconds })
    }

    /// Twice the burst at twice the rate.
    pub(crate) fn doubled(self) -> Self {
        let half = NonZeroU32::new(self.interval_in_nanoseconds.get() / 2);
        let interval_in_nanoseconds = half.unwrap_or(NonZeroU32::MIN);
        Self { burst: self.burst.saturating_mul(2), interval_in_nanoseconds }
    }

    /// Three quarters of the burst, rounded up, at three quarters of the rate.
    #[must_use]
    pub(super) fn three_quarters(self) -> Self {
        let longer = self.interval_in_nanoseconds.get() / 3;
        let interval_in_nanoseconds = self.interval_in_nanoseconds.saturating_add(longer);
        Self { burst: self.burst - self.burst / 4, interval_in_nanoseconds }
    }

    fn interval(self) -> Duration {
        Duration::from_nanos(self.interval_in_nanoseconds.get().into())
    }

    /// The time in which a whole burst is refilled.
    fn refill_time(self) -> Duration {
        self.interval().saturating_mul(self.burst)
    }
}

/// A token bucket that holds a burst and is refilled at the rate (GCRA).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenBucket {
    /// GCRA's theoretical arrival time: when the bucket will be full again. At most a refill time after now.
    full_at: Duration,
}

impl TokenBucket {
    /// Takes a token at `now`, which never goes back.
    ///
    /// # Errors
    /// The time until there is a token, if there is none.
    pub fn take(&mut self, rate: Rate, now: Duration) -> Result<(), Duration> {
        let full_at = self.full_at.max(now).saturating_add(rate.interval());
        let latest = now.saturating_add(rate.refill_time());
        let wait = full_at.saturating_sub(latest);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.full_at = full_at;
        Ok(())
    }

    /// Whether all tokens are back.
    pub fn is_full(self, now: Duration) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// In any period at most the burst and the rate times the period, and nothing below that is refused.
        #[test]
        fn a_bucket_gives_a_burst_and_then_the_rate(
            burst in 1..60_u32,
            per_second in 1..20_u32,
            pauses in prop::collection::vec(0..400_u64, 1..300),
        ) {
            let rate = Rate::new(burst, per_second).unwrap();
            let mut bucket = TokenBucket::default();
            let mut now = Duration::ZERO;
            let mut taken = Vec::new();
            for pause in pauses {
                now += Duration::from_millis(pause);
                let recent = |taken: &[Duration], span| {
                    taken.iter().filter(|time| **time + span > now).count()
                };
                match bucket.take(rate, now) {
                    Ok(()) => taken.push(now),
                    Err(wait) => {
                        prop_assert!(recent(&taken, rate.refill_time()) >= usize::try_from(burst).unwrap());
                        // The returned wait is exact.
                        prop_assert!(wait > Duration::ZERO);
                        prop_assert!(bucket.clone().take(rate, now + wait).is_ok());
                        let early = now + wait.saturating_sub(Duration::from_nanos(1));
                        prop_assert!(bucket.clone().take(rate, early).is_err());
                    }
                }
                let most = burst + 2 * per_second;
                let two_seconds = Duration::from_secs(2);
                prop_assert!(recent(&taken, two_seconds) <= usize::try_from(most).unwrap());
            }
            prop_assert!(bucket.is_full(now + rate.refill_time()));
        }

        #[test]
        fn a_limit_allows_up_to_its_number(most in 1..100_usize, other in 1..100_usize, number in 0..200_usize) {
            let limit = Limit::at_most(most);
            prop_assert_eq!(limit.allows_one_more_than(number), number < most);
            prop_assert!(Limit::at_most(0).allows_one_more_than(number));
            let both = limit.and_at_most(Limit::at_most(other));
            prop_assert_eq!(both.number(), Some(most.min(other)));
            prop_assert_eq!(limit.and_at_most(Limit::OFF), limit);
            prop_assert_eq!(Limit::OFF.and_at_most(limit), limit);
        }
    }

    #[test]
    fn three_quarters_are_rounded_up_and_never_none() {
        for (whole, part) in [(1, 1), (2, 2), (3, 3), (4, 3), (100, 75), (2_000, 1_500)] {
            assert_eq!(Limit::at_most(whole).three_quarters(), Limit::at_most(part));
        }
        assert_eq!(Limit::OFF.three_quarters(), Limit::OFF);
        let rate = Rate::new(1_000, 200).unwrap().three_quarters();
        assert_eq!((rate.burst, rate.interval()), (750, Duration::from_nanos(6_666_666)));
        assert_eq!(Rate::new(1, 1).unwrap().three_quarters().burst, 1);
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        assert_eq!(Rate::new(0, 5), None);
        assert_eq!(Rate::new(5, 0), None);
    }
}
