//! How much one socket may send: frames and bytes.

use std::time::Duration;

use crate::admission::rate_limit::{Limit, Rate, TokenBucket};
use registry::encoding::messages::LONGEST_FRAME_IN_BYTES;

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
pub struct FrameBudget {
    rate: Option<Rate>,
    bucket: TokenBucket,
}

impl FrameBudget {
    /// A socket that has sent nothing yet.
    pub fn new(limits: FrameLimits) -> Self {
        Self { rate: limits.rate, bucket: TokenBucket::default() }
    }

    /// Takes one frame out at `now`, a time since the socket was opened; false when there is none.
    pub fn take(&mut self, now: Duration) -> bool {
        self.rate.is_none_or(|rate| self.bucket.take(rate, now).is_ok())
    }
}

/// A text may come in fragments of one byte, each in a frame of seven (RFC 6455, section 5.2).
const MOST_BYTES_AROUND_A_BYTE: usize = 8;

/// How many bytes a socket may still send: twice what all frames that it may send could hold, and of
/// a single text as many as it takes in the smallest fragments.
///
/// Whoever splits one text into frames without end sends none, and would be read for ever.
#[derive(Clone, Debug)]
pub struct ByteBudget {
    /// How many bytes are one portion, and how many portions there may be.
    chunks: Option<(usize, Rate)>,
    /// What was read of a portion that is not full yet.
    begun: usize,
    bucket: TokenBucket,
    /// The most that is read of a text before it is whole.
    most_in_parts: Option<usize>,
    /// What was read since a text or a sign of life was whole.
    in_parts: usize,
}

impl ByteBudget {
    /// A socket that has sent nothing yet.
    pub fn new(limits: FrameLimits) -> Self {
        let chunks = limits.longest.number().zip(limits.rate.map(Rate::doubled));
        let longest = limits.longest.number();
        let most_in_parts = longest.map(|bytes| bytes.saturating_mul(MOST_BYTES_AROUND_A_BYTE));
        let bucket = TokenBucket::default();
        Self { chunks, begun: 0, bucket, most_in_parts, in_parts: 0 }
    }

    /// Takes so many bytes out at `now`, a time since the socket was opened; false when there are too few.
    pub fn take(&mut self, bytes: usize, now: Duration) -> bool {
        self.in_parts = self.in_parts.saturating_add(bytes);
        if self.most_in_parts.is_some_and(|most| self.in_parts > most) {
            return false;
        }
        let Some((chunk, rate)) = self.chunks else { return true };
        self.begun = self.begun.saturating_add(bytes);
        while self.begun >= chunk {
            self.begun -= chunk;
            if self.bucket.take(rate, now).is_err() {
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
    use super::*;

    #[test]
    fn forty_at_once_and_then_five_a_second() {
        let mut bucket = FrameBudget::new(FrameLimits::default());
        let at = Duration::from_secs;
        assert_eq!((0..50).filter(|_| bucket.take(at(0))).count(), 40);
        assert_eq!((0..50).filter(|_| bucket.take(at(1))).count(), 5);
        assert_eq!((0..50).filter(|_| bucket.take(at(100))).count(), 40);
    }

    #[test]
    fn bytes_are_twice_what_the_frames_may_hold_however_they_come() {
        let most = 2 * 40 * LONGEST_FRAME_IN_BYTES;
        for bytes in [1, 100, 1_024, LONGEST_FRAME_IN_BYTES] {
            let mut bucket = ByteBudget::new(FrameLimits::default());
            let mut read = || {
                bucket.is_whole();
                bucket.take(bytes, Duration::ZERO)
            };
            assert!((0..most / bytes).all(|_| read()), "{bytes}");
            let a_frame_more = LONGEST_FRAME_IN_BYTES / bytes + 2;
            assert!((0..a_frame_more).any(|_| !read()), "{bytes}");
        }
    }

    #[test]
    fn a_text_comes_in_as_many_bytes_as_its_smallest_fragments_have() {
        let in_smallest_fragments = 7 * LONGEST_FRAME_IN_BYTES;
        let mut bucket = ByteBudget::new(FrameLimits::default());
        for _ in 0..3 {
            assert!(bucket.take(in_smallest_fragments, Duration::ZERO));
            bucket.is_whole();
        }
        let without_end = (0..100).take_while(|_| bucket.take(1_024, Duration::ZERO)).count();
        assert_eq!(without_end, 32);
    }

    #[test]
    fn without_one_of_the_limits_bytes_are_not_counted() {
        let limits = FrameLimits::default();
        for limits in
            [FrameLimits { rate: None, ..limits }, FrameLimits { longest: Limit::OFF, ..limits }]
        {
            let mut bucket = ByteBudget::new(limits);
            assert!((0..1_000).all(|_| {
                bucket.is_whole();
                bucket.take(LONGEST_FRAME_IN_BYTES, Duration::ZERO)
            }));
        }
        let mut unlimited = FrameBudget::new(FrameLimits { rate: None, ..limits });
        assert!((0..1_000).all(|_| unlimited.take(Duration::ZERO)));
    }
}
