//! How much of the network one room may take.

use std::{num::NonZeroU64, time::Duration};

/// What a room may send to all of its readers together, in bytes per second.
///
/// One change of a few hundred bytes is sent once for each reader, so a few people who rename themselves all the time
/// make a room of thousands fill a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FanOutRate(Option<NonZeroU64>);

impl FanOutRate {
    /// No limit.
    pub const OFF: Self = Self(None);

    /// So many bytes per second; 0 is no limit.
    pub const fn per_second(bytes: u64) -> Self {
        Self(NonZeroU64::new(bytes))
    }

    /// The time that so many bytes take.
    pub(super) fn time_for(self, bytes: u64) -> Duration {
        let Some(per_second) = self.0 else { return Duration::ZERO };
        let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(per_second.get());
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

impl Default for FanOutRate {
    /// Half of a line of 1 Gbit/s.
    fn default() -> Self {
        Self::per_second(64_000_000)
    }
}
