//! How much one client may ask for, and how often.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

/// A highest number; without one there is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit(Option<NonZeroUsize>);

impl Limit {
    /// No bound.
    pub const OFF: Self = Self(None);

    /// At most so many; 0 is no bound.
    pub fn at_most(number: usize) -> Self {
        Self(NonZeroUsize::new(number))
    }

    /// Whether there may be one more where there are so many.
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

    /// The number; none where there is no bound.
    pub fn number(self) -> Option<usize> {
        self.0.map(NonZeroUsize::get)
    }
}

/// How often something may happen: so many times at once, and then once in every interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    burst: u32,
    /// At most a second: every socket keeps some of these.
    interval_in_nanoseconds: NonZeroU32,
}

impl Rate {
    /// So many times at once, and then so often in a second; none, so no bound, where one of them is 0.
    pub fn new(burst: u32, each_second: u32) -> Option<Self> {
        let interval_in_nanoseconds = NonZeroU32::new(1_000_000_000_u32.checked_div(each_second)?)?;
        (burst > 0).then_some(Self { burst, interval_in_nanoseconds })
    }

    /// The same twice as often.
    pub(crate) fn doubled(self) -> Self {
        let half = NonZeroU32::new(self.interval_in_nanoseconds.get() / 2);
        let interval_in_nanoseconds = half.unwrap_or(NonZeroU32::MIN);
        Self { burst: self.burst.saturating_mul(2), interval_in_nanoseconds }
    }

    fn interval(self) -> Duration {
        Duration::from_nanos(self.interval_in_nanoseconds.get().into())
    }

    /// What is given at once.
    fn whole(self) -> Duration {
        self.interval().saturating_mul(self.burst)
    }
}

/// How often it may still happen: a bucket that holds a burst, and is filled again as time goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenBucket {
    /// The time that has been used up so far; an empty bucket is a whole burst ahead of now.
    used_until: Duration,
}

impl TokenBucket {
    /// Takes one out at `now`, which never goes back; where there is none, says after how long there will be.
    pub fn take(&mut self, rate: Rate, now: Duration) -> Result<(), Duration> {
        let used_until = self.used_until.max(now).saturating_add(rate.interval());
        let given_until = now.saturating_add(rate.whole());
        let missing = used_until.saturating_sub(given_until);
        if !missing.is_zero() {
            return Err(missing);
        }
        self.used_until = used_until;
        Ok(())
    }

    /// Whether all that was taken out has come back.
    pub fn is_full(self, now: Duration) -> bool {
        self.used_until <= now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// In any stretch of time no more than a burst and what the time gives, and nobody is refused
        /// who stays below.
        #[test]
        fn never_more_than_the_burst_and_what_time_gives(
            burst in 1..60_u32,
            each_second in 1..20_u32,
            pauses in prop::collection::vec(0..400_u64, 1..300),
        ) {
            let rate = Rate::new(burst, each_second).unwrap();
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
                        prop_assert!(recent(&taken, rate.whole()) >= usize::try_from(burst).unwrap());
                        // Who waits as long as they are told is let in, and not a moment before.
                        prop_assert!(wait > Duration::ZERO);
                        prop_assert!(bucket.clone().take(rate, now + wait).is_ok());
                        let early = now + wait.saturating_sub(Duration::from_nanos(1));
                        prop_assert!(bucket.clone().take(rate, early).is_err());
                    }
                }
                let most = burst + 2 * each_second;
                let two_seconds = Duration::from_secs(2);
                prop_assert!(recent(&taken, two_seconds) <= usize::try_from(most).unwrap());
            }
            prop_assert!(bucket.is_full(now + rate.whole()));
        }

        #[test]
        fn a_limit_counts_up_to_its_number(most in 1..100_usize, other in 1..100_usize, number in 0..200_usize) {
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
    fn a_rate_of_nothing_is_no_bound() {
        assert_eq!(Rate::new(0, 5), None);
        assert_eq!(Rate::new(5, 0), None);
    }
}
