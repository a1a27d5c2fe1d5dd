//! The clocks of the rooms: a monotonic one for deadlines, and the time of day for people.

use std::{
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

use super::processor_clock::ProcessorClock;
use crate::presence::{members::Moment, room::Now};

/// The clocks of a hub, the same for all of its rooms.
#[derive(Debug)]
pub(super) struct Clocks {
    /// The origin of every [`Moment`]. Until it is set no time passes.
    started_at: OnceLock<Instant>,
    wall: WallClock,
}

/// The source of the time of day.
#[derive(Clone, Copy, Debug)]
pub enum WallClock {
    /// The system's clock, which may be set, also to an earlier time.
    System,
    /// A clock that advances with Tokio's, for simulated time.
    Simulated {
        /// Tokio's time when it was set.
        set_at: Instant,
        /// The time of day that it was set to, in milliseconds since the Unix epoch.
        unix_milliseconds: u64,
    },
}

/// The clocks that a hub reads, besides the monotonic one.
#[derive(Clone, Copy, Debug)]
pub struct HubClocks {
    /// For people.
    pub wall: WallClock,
    /// For what broadcasts cost.
    pub processor: ProcessorClock,
}

impl Default for HubClocks {
    /// The system's time of day.
    fn default() -> Self {
        WallClock::System.into()
    }
}

impl From<WallClock> for HubClocks {
    /// Without a clock for costs.
    fn from(wall: WallClock) -> Self {
        Self { wall, processor: ProcessorClock::Unknown }
    }
}

impl Clocks {
    /// Clocks that are not started: no time passes.
    pub(super) fn new(wall: WallClock) -> Self {
        Self { started_at: OnceLock::new(), wall }
    }

    /// Time passes from now on; without effect the second time.
    pub(super) fn start(&self) {
        let _ = self.started_at.set(Instant::now());
    }

    /// `None` until the clocks are started.
    pub(super) fn started_at(&self) -> Option<Instant> {
        self.started_at.get().copied()
    }

    /// The time since the start; zero until then.
    pub(super) fn moment(&self) -> Moment {
        self.started_at.get().map_or(Moment::ZERO, Instant::elapsed)
    }

    /// The time of day, in milliseconds since the Unix epoch.
    pub(super) fn unix_milliseconds(&self) -> u64 {
        self.wall.unix_milliseconds()
    }

    /// The time on both clocks.
    pub(super) fn now(&self) -> Now {
        Now { moment: self.moment(), unix_seconds: self.unix_milliseconds() / 1_000 }
    }
}

impl WallClock {
    /// The time of day, in milliseconds since the Unix epoch.
    pub(super) fn unix_milliseconds(self) -> u64 {
        let milliseconds = match self {
            Self::System => {
                SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
            }
            Self::Simulated { set_at, unix_milliseconds } => {
                u128::from(unix_milliseconds) + set_at.elapsed().as_millis()
            }
        };
        u64::try_from(milliseconds).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Duration, advance};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn simulated_clock_advances_with_tokios() {
        let clocks =
            Clocks::new(WallClock::Simulated { set_at: Instant::now(), unix_milliseconds: 90_000 });
        advance(Duration::from_secs(30)).await;
        assert_eq!(clocks.unix_milliseconds(), 120_000);
        // No time passes before the start.
        assert_eq!(clocks.now(), Now { moment: Moment::ZERO, unix_seconds: 120 });
    }
}
