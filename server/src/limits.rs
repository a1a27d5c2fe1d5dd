//! How much one client may ask for.

use std::time::Duration;

/// How many frames a socket may send at once.
const BURST: u32 = 40;

/// How long it takes until it may send one more: 5 a second.
const REFILL: Duration = Duration::from_millis(200);

/// How many frames a socket may still send: a bucket of 40 that gains 5 a second.
#[derive(Clone, Debug)]
pub struct FrameAllowance {
    /// The time that the frames already sent have used up; an empty bucket is at `BURST * REFILL` ahead of now.
    used_until: Duration,
}

impl FrameAllowance {
    /// Takes one frame out at `now`, a time since the socket was opened; false when there is none.
    pub fn take(&mut self, now: Duration) -> bool {
        let used_until = self.used_until.max(now) + REFILL;
        if used_until > now + REFILL * BURST {
            return false;
        }
        self.used_until = used_until;
        true
    }
}

impl Default for FrameAllowance {
    fn default() -> Self {
        Self { used_until: Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// In any stretch of time no more than a burst and what the time gives.
        #[test]
        fn never_more_than_the_burst_and_what_time_gives(
            pauses in prop::collection::vec(0..400_u64, 1..300),
        ) {
            let mut allowance = FrameAllowance::default();
            let mut now = Duration::ZERO;
            let mut taken = Vec::new();
            for pause in pauses {
                now += Duration::from_millis(pause);
                let before = taken.len();
                if allowance.take(now) {
                    taken.push(now);
                }
                let recent = |span| taken.iter().filter(|time| **time + span > now).count();
                prop_assert!(recent(Duration::from_secs(2)) <= 40 + 10);
                // Who stays under five a second is never refused.
                if taken.len() == before {
                    prop_assert!(recent(REFILL * BURST) >= 40);
                }
            }
        }
    }

    #[test]
    fn forty_at_once_and_then_five_a_second() {
        let mut allowance = FrameAllowance::default();
        let at = Duration::from_secs;
        assert_eq!((0..50).filter(|_| allowance.take(at(0))).count(), 40);
        assert_eq!((0..50).filter(|_| allowance.take(at(1))).count(), 5);
        assert_eq!((0..50).filter(|_| allowance.take(at(100))).count(), 40);
    }
}
