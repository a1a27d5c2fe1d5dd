//! What time it is in the rooms: how much has passed, and what the clock on the wall says.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::{sync::SetOnce, time::Instant};

use crate::presence::members::Moment;

/// The clocks of a server, the same for all of its rooms.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    /// The origin of every [`Moment`]: set once for all rooms. Until then no time passes.
    began: Arc<SetOnce<Instant>>,
    wall: WallClock,
}

/// What tells the time of day.
#[derive(Clone, Copy, Debug)]
pub enum WallClock {
    /// The system's clock, which somebody may set.
    System,
    /// One that goes as Tokio's clock goes, for time that is simulated.
    Simulated {
        /// When it was set.
        set_at: Instant,
        /// What it was set to, in milliseconds since the Unix epoch.
        unix_milliseconds: u64,
    },
}

impl Clocks {
    /// No time passes yet.
    pub(super) fn new(wall: WallClock) -> Self {
        Self { began: Arc::default(), wall }
    }

    /// Time passes from now on.
    pub(super) fn start(&self) {
        // Where there was nothing to wait for it passes already.
        let _ = self.began.set(Instant::now());
    }

    /// When time began to pass, once it does.
    pub(super) async fn began(&self) -> Instant {
        *self.began.wait().await
    }

    /// What has passed since the server began.
    pub(super) fn moment(&self) -> Moment {
        self.began.get().map_or(Moment::ZERO, Instant::elapsed)
    }

    /// The wall clock, in milliseconds since the Unix epoch.
    pub(super) fn unix_milliseconds(&self) -> u64 {
        self.wall.unix_milliseconds()
    }

    /// The wall clock, in whole minutes since the Unix epoch.
    pub(super) fn unix_minutes(&self) -> u64 {
        self.unix_milliseconds() / 60_000
    }
}

impl WallClock {
    /// What it says, in milliseconds since the Unix epoch.
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
    async fn a_simulated_clock_goes_as_time_does() {
        let clocks =
            Clocks::new(WallClock::Simulated { set_at: Instant::now(), unix_milliseconds: 90_000 });
        advance(Duration::from_secs(30)).await;
        assert_eq!((clocks.unix_milliseconds(), clocks.unix_minutes()), (120_000, 2));
        assert_eq!(clocks.moment(), Moment::ZERO, "no time passes before the server begins");
    }
}
