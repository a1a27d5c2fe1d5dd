//! The frames and bytes that one socket may send.

use std::time::Duration;

use crate::admission::rate_limit::{Limit, Rate, TokenBucket};
use registry::encoding::messages::LONGEST_FRAME_IN_BYTES;

/// The limits of what one socket may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// The rate of frames; none is no limit.
    pub rate: Option<Rate>,
    /// The size in bytes of a frame, and of a message in several frames.
    pub longest: Limit,
}

impl Default for FrameLimits {
    /// Those of the protocol: a burst of 40 frames, then 5 per second, each of at most 4 KiB.
    fn default() -> Self {
        Self { rate: Rate::new(40, 5), longest: Limit::at_most(LONGEST_FRAME_IN_BYTES) }
    }
}

/// The frames that a socket may still send.
#[derive(Clone, Debug)]
pub struct FrameBudget {
    rate: Option<Rate>,
    bucket: TokenBucket,
}

impl FrameBudget {
    /// The full budget of a new socket.
    pub fn new(limits: FrameLimits) -> Self {
        Self { rate: limits.rate, bucket: TokenBucket::default() }
    }

    /// Takes one frame at `now`, a time since the socket was opened; false if the budget is exhausted.
    pub fn take(&mut self, now: Duration) -> bool {
        self.rate.is_none_or(|rate| self.bucket.take(rate, now).is_ok())
    }
}

/// Bytes at twice the rate of frames, paid for by the chunk.
#[derive(Clone, Debug)]
pub struct ChunkBudget {
    size: usize,
    rate: Rate,
    bucket: TokenBucket,
    /// Bytes read of the current chunk.
    partial_chunk: usize,
}

impl ChunkBudget {
    /// The full budget of a new socket, with chunks of so many bytes: those of the longest frame.
    pub fn new(size: usize, rate_of_frames: Rate) -> Self {
        let rate = rate_of_frames.doubled();
        Self { size, rate, bucket: TokenBucket::default(), partial_chunk: 0 }
    }

    /// Takes bytes at `now`, a time since the socket was opened; false if the budget is exhausted.
    pub fn take(&mut self, bytes: usize, now: Duration) -> bool {
        self.partial_chunk = self.partial_chunk.saturating_add(bytes);
        while self.partial_chunk >= self.size {
            self.partial_chunk -= self.size;
            if self.bucket.take(self.rate, now).is_err() {
                return false;
            }
        }
        true
    }
}

/// A message can arrive in fragments of one byte, each a frame of seven bytes (RFC 6455, section 5.2).
const MOST_BYTES_PER_PAYLOAD_BYTE: usize = 8;

/// The bytes that a socket may still send: twice the size of all frames that it may send, and for a single
/// message as many as its smallest fragments take.
///
/// The second bound is needed because an endless message is never a whole frame for [`FrameBudget`].
#[derive(Clone, Debug)]
pub struct ByteBudget {
    /// None is no limit.
    chunks: Option<ChunkBudget>,
    /// The maximum of bytes read for one message.
    most_per_message: Option<usize>,
    /// Bytes read since the last complete message or control frame.
    partial_message: usize,
}

impl ByteBudget {
    /// The full budget of a new socket.
    pub fn new(limits: FrameLimits) -> Self {
        let longest = limits.longest.number();
        let chunks = longest.zip(limits.rate).map(|(size, rate)| ChunkBudget::new(size, rate));
        let most_per_message =
            longest.map(|bytes| bytes.saturating_mul(MOST_BYTES_PER_PAYLOAD_BYTE));
        Self { chunks, most_per_message, partial_message: 0 }
    }

    /// Takes bytes at `now`, a time since the socket was opened; false if the budget is exhausted.
    pub fn take(&mut self, bytes: usize, now: Duration) -> bool {
        self.partial_message = self.partial_message.saturating_add(bytes);
        if self.most_per_message.is_some_and(|most| self.partial_message > most) {
            return false;
        }
        self.chunks.as_mut().is_none_or(|chunks| chunks.take(bytes, now))
    }

    /// A message or control frame is complete.
    pub fn on_message(&mut self) {
        self.partial_message = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_forty_frames_and_then_five_per_second() {
        let mut budget = FrameBudget::new(FrameLimits::default());
        let at = Duration::from_secs;
        assert_eq!((0..50).filter(|_| budget.take(at(0))).count(), 40);
        assert_eq!((0..50).filter(|_| budget.take(at(1))).count(), 5);
        assert_eq!((0..50).filter(|_| budget.take(at(100))).count(), 40);
    }

    #[test]
    fn the_byte_budget_is_twice_the_frames_size_for_any_split() {
        let most = 2 * 40 * LONGEST_FRAME_IN_BYTES;
        for bytes in [1, 100, 1_024, LONGEST_FRAME_IN_BYTES] {
            let mut budget = ByteBudget::new(FrameLimits::default());
            let mut take = || {
                budget.on_message();
                budget.take(bytes, Duration::ZERO)
            };
            assert!((0..most / bytes).all(|_| take()), "{bytes}");
            let one_frame_more = LONGEST_FRAME_IN_BYTES / bytes + 2;
            assert!((0..one_frame_more).any(|_| !take()), "{bytes}");
        }
    }

    #[test]
    fn a_message_may_take_the_bytes_of_its_smallest_fragments() {
        let in_smallest_fragments = 7 * LONGEST_FRAME_IN_BYTES;
        let mut budget = ByteBudget::new(FrameLimits::default());
        for _ in 0..3 {
            assert!(budget.take(in_smallest_fragments, Duration::ZERO));
            budget.on_message();
        }
        let endless = (0..100).take_while(|_| budget.take(1_024, Duration::ZERO)).count();
        assert_eq!(endless, 32);
    }

    #[test]
    fn bytes_are_unlimited_without_a_rate_or_a_size() {
        let limits = FrameLimits::default();
        for limits in
            [FrameLimits { rate: None, ..limits }, FrameLimits { longest: Limit::OFF, ..limits }]
        {
            let mut budget = ByteBudget::new(limits);
            assert!((0..1_000).all(|_| {
                budget.on_message();
                budget.take(LONGEST_FRAME_IN_BYTES, Duration::ZERO)
            }));
        }
        let mut unlimited = FrameBudget::new(FrameLimits { rate: None, ..limits });
        assert!((0..1_000).all(|_| unlimited.take(Duration::ZERO)));
    }
}
