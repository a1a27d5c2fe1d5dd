//! How much one client may ask for, and how often.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use crate::presence::frames::LONGEST_FRAME_IN_BYTES;

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
    fn doubled(self) -> Self {
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
pub struct Allowance {
    /// The time that has been used up so far; an empty bucket is a whole burst ahead of now.
    used_until: Duration,
}

impl Allowance {
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
    pub fn is_whole(self, now: Duration) -> bool {
        self.used_until <= now
    }
}

/// How much one socket may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// How often; without a rate, as often as it likes.
    pub rate: Option<Rate>,
    /// The most bytes of a frame, and of a text that comes in several.
    pub longest: Limit,
}

impl Default for FrameLimits {
    /// Those of the protocol: 40 frames at once, then 5 a second, each of at most 4 KiB.
    fn default() -> Self {
        Self { rate: Rate::new(40, 5), longest: Limit::at_most(LONGEST_FRAME_IN_BYTES) }
    }
}

/// How many frames a socket may still send.
#[derive(Clone, Debug)]
pub struct FrameAllowance {
    rate: Option<Rate>,
    allowance: Allowance,
}

impl FrameAllowance {
    /// A socket that has sent nothing yet.
    pub fn new(limits: FrameLimits) -> Self {
        Self { rate: limits.rate, allowance: Allowance::default() }
    }

    /// Takes one frame out at `now`, a time since the socket was opened; false when there is none.
    pub fn take(&mut self, now: Duration) -> bool {
        self.rate.is_none_or(|rate| self.allowance.take(rate, now).is_ok())
    }
}

/// A text may come in fragments of one byte, each in a frame of seven (RFC 6455, section 5.2).
const MOST_BYTES_AROUND_A_BYTE: usize = 8;

/// How many bytes a socket may still send: twice what all frames that it may send could hold, and of
/// a single text as many as it takes in the smallest fragments.
///
/// Whoever splits one text into frames without end sends none, and would be read for ever.
#[derive(Clone, Debug)]
pub struct ByteAllowance {
    /// How many bytes are one portion, and how many portions there may be.
    portions: Option<(usize, Rate)>,
    /// What was read of a portion that is not full yet.
    begun: usize,
    allowance: Allowance,
    /// The most that is read of a text before it is whole.
    most_in_parts: Option<usize>,
    /// What was read since a text or a sign of life was whole.
    in_parts: usize,
}

impl ByteAllowance {
    /// A socket that has sent nothing yet.
    pub fn new(limits: FrameLimits) -> Self {
        let portions = limits.longest.number().zip(limits.rate.map(Rate::doubled));
        let longest = limits.longest.number();
        let most_in_parts = longest.map(|bytes| bytes.saturating_mul(MOST_BYTES_AROUND_A_BYTE));
        let allowance = Allowance::default();
        Self { portions, begun: 0, allowance, most_in_parts, in_parts: 0 }
    }

    /// Takes so many bytes out at `now`, a time since the socket was opened; false when there are too few.
    pub fn take(&mut self, bytes: usize, now: Duration) -> bool {
        self.in_parts = self.in_parts.saturating_add(bytes);
        if self.most_in_parts.is_some_and(|most| self.in_parts > most) {
            return false;
        }
        let Some((portion, rate)) = self.portions else { return true };
        self.begun = self.begun.saturating_add(bytes);
        while self.begun >= portion {
            self.begun -= portion;
            if self.allowance.take(rate, now).is_err() {
                return false;
            }
        }
        true
    }

    /// A text or a sign of life has come whole.
    pub fn is_whole(&mut self) {
        self.in_parts = 0;
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
            let mut allowance = Allowance::default();
            let mut now = Duration::ZERO;
            let mut taken = Vec::new();
            for pause in pauses {
                now += Duration::from_millis(pause);
                let recent = |taken: &[Duration], span| {
                    taken.iter().filter(|time| **time + span > now).count()
                };
                match allowance.take(rate, now) {
                    Ok(()) => taken.push(now),
                    Err(wait) => {
                        prop_assert!(recent(&taken, rate.whole()) >= usize::try_from(burst).unwrap());
                        // Who waits as long as they are told is let in, and not a moment before.
                        prop_assert!(wait > Duration::ZERO);
                        prop_assert!(allowance.clone().take(rate, now + wait).is_ok());
                        let early = now + wait.saturating_sub(Duration::from_nanos(1));
                        prop_assert!(allowance.clone().take(rate, early).is_err());
                    }
                }
                let most = burst + 2 * each_second;
                let two_seconds = Duration::from_secs(2);
                prop_assert!(recent(&taken, two_seconds) <= usize::try_from(most).unwrap());
            }
            prop_assert!(allowance.is_whole(now + rate.whole()));
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
    fn forty_at_once_and_then_five_a_second() {
        let mut allowance = FrameAllowance::new(FrameLimits::default());
        let at = Duration::from_secs;
        assert_eq!((0..50).filter(|_| allowance.take(at(0))).count(), 40);
        assert_eq!((0..50).filter(|_| allowance.take(at(1))).count(), 5);
        assert_eq!((0..50).filter(|_| allowance.take(at(100))).count(), 40);
    }

    #[test]
    fn bytes_are_twice_what_the_frames_may_hold_however_they_come() {
        let most = 2 * 40 * LONGEST_FRAME_IN_BYTES;
        for bytes in [1, 100, 1_024, LONGEST_FRAME_IN_BYTES] {
            let mut allowance = ByteAllowance::new(FrameLimits::default());
            let mut read = || {
                allowance.is_whole();
                allowance.take(bytes, Duration::ZERO)
            };
            assert!((0..most / bytes).all(|_| read()), "{bytes}");
            let a_frame_more = LONGEST_FRAME_IN_BYTES / bytes + 2;
            assert!((0..a_frame_more).any(|_| !read()), "{bytes}");
        }
    }

    #[test]
    fn a_text_comes_in_as_many_bytes_as_its_smallest_fragments_have() {
        let in_smallest_fragments = 7 * LONGEST_FRAME_IN_BYTES;
        let mut allowance = ByteAllowance::new(FrameLimits::default());
        for _ in 0..3 {
            assert!(allowance.take(in_smallest_fragments, Duration::ZERO));
            allowance.is_whole();
        }
        let without_end = (0..100).take_while(|_| allowance.take(1_024, Duration::ZERO)).count();
        assert_eq!(without_end, 32);
    }

    #[test]
    fn without_one_of_the_limits_bytes_are_not_counted() {
        let limits = FrameLimits::default();
        for limits in
            [FrameLimits { rate: None, ..limits }, FrameLimits { longest: Limit::OFF, ..limits }]
        {
            let mut allowance = ByteAllowance::new(limits);
            assert!((0..1_000).all(|_| {
                allowance.is_whole();
                allowance.take(LONGEST_FRAME_IN_BYTES, Duration::ZERO)
            }));
        }
        let mut unlimited = FrameAllowance::new(FrameLimits { rate: None, ..limits });
        assert!((0..1_000).all(|_| unlimited.take(Duration::ZERO)));
    }

    #[test]
    fn a_rate_of_nothing_is_no_bound() {
        assert_eq!(Rate::new(0, 5), None);
        assert_eq!(Rate::new(5, 0), None);
    }
}
