//! Draining: closing all sockets and feeds on shutdown, and waiting for them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use registry::wake::wake_flags::{WakeFlags, WakeReasons};

/// Close frames are spread over a time that grows by this much with each socket and feed, to avoid a
/// reconnect storm.
const CLOSE_JITTER_PER_SOCKET: Duration = Duration::from_millis(1);

/// The time limits of a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainConfig {
    /// How long new connections are still accepted while `/readyz` already returns 503.
    pub delay: Duration,
    /// Maximum time over which close frames are spread. It delays the start of the next process.
    pub longest_spread: Duration,
    /// How long sockets may take to close, and requests to finish.
    pub deadline: Duration,
}

impl Default for DrainConfig {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            longest_spread: Duration::from_secs(1),
            deadline: Duration::from_secs(3),
        }
    }
}

/// Announces the shutdown to sockets and feeds, and tracks those that are still open.
///
/// axum's graceful shutdown does not track upgraded connections.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    config: DrainConfig,
    /// `/readyz` returns 503.
    draining: CancellationToken,
    /// Sockets are closed.
    closing: CancellationToken,
    /// The time over which close frames are spread; set when closing begins.
    spread: Arc<OnceLock<Duration>>,
    next_number: Arc<AtomicU64>,
    wakers: Wakers,
    sockets: TaskTracker,
    feeds: TaskTracker,
}

/// The flags to set when closing begins, by the number of their guard.
#[derive(Clone, Debug, Default)]
struct Wakers(Arc<Mutex<BTreeMap<u64, Arc<WakeFlags>>>>);

impl Wakers {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<WakeFlags>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket or feed that is tracked until this is dropped, and is to be closed at a time of its own.
#[derive(Debug)]
pub struct DrainGuard {
    number: u64,
    closing: CancellationToken,
    spread: Arc<OnceLock<Duration>>,
    wakers: Wakers,
    _tracked: TaskTrackerToken,
}

impl DrainGuard {
    /// Wakes these flags when closing begins.
    pub fn notify(&self, flags: &Arc<WakeFlags>) {
        self.wakers.lock().insert(self.number, Arc::clone(flags));
        // `close_all` may have walked over the flags before this insertion.
        if self.is_closing() {
            flags.notify(WakeReasons::CLOSING);
        }
    }

    /// Unique within this process.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Waits until closing begins.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }

    /// Whether closing has begun.
    pub fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// When to close this one, as a time after closing began.
    pub fn close_delay(&self) -> Duration {
        close_delay(self.number, self.spread.get().copied().unwrap_or_default())
    }

    /// Waits until this one is to be closed.
    pub async fn drained(&self) {
        self.closing().await;
        sleep(self.close_delay()).await;
    }
}

impl Drop for DrainGuard {
    fn drop(&mut self) {
        self.wakers.lock().remove(&self.number);
    }
}

/// The delay within the spread for the guard with this number.
///
/// The fractional parts of multiples of the golden ratio are evenly distributed, for any run of multiples:
/// so are the delays, whichever sockets have ended meanwhile.
fn close_delay(number: u64, spread: Duration) -> Duration {
    const GOLDEN_RATIO_OF_64_BITS: u64 = 0x9e37_79b9_7f4a_7c15;
    let share_of_32_bits = number.wrapping_mul(GOLDEN_RATIO_OF_64_BITS) >> 32;
    let spread_in_microseconds = u64::from(spread.subsec_micros()) + spread.as_secs() * 1_000_000;
    Duration::from_micros((spread_in_microseconds * share_of_32_bits) >> 32)
}

/// The time over which to spread the close frames of this many sockets and feeds.
fn spread_for(guards: usize, longest: Duration) -> Duration {
    let guards = u32::try_from(guards).unwrap_or(u32::MAX);
    CLOSE_JITTER_PER_SOCKET.saturating_mul(guards).min(longest)
}

impl Drain {
    /// With nothing to track yet.
    pub fn new(config: DrainConfig) -> Self {
        Self { config, ..Self::default() }
    }

    /// Lets `/readyz` return 503, and waits for the delay, in which connections are still accepted.
    pub async fn begin_drain(&self) {
        self.draining.cancel();
        // Even a sleep of zero lasts until the timer's next tick.
        if !self.config.delay.is_zero() {
            sleep(self.config.delay).await;
        }
    }

    /// Whether load balancers should send visitors elsewhere.
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Begins to close all sockets and feeds, each after its own delay.
    pub fn close_all(&self) {
        self.draining.cancel();
        self.spread
            .get_or_init(|| spread_for(self.sockets() + self.feeds(), self.config.longest_spread));
        self.closing.cancel();
        for flags in self.wakers.lock().values() {
            flags.notify(WakeReasons::CLOSING);
        }
    }

    /// The number of open sockets.
    pub fn sockets(&self) -> usize {
        self.sockets.len()
    }

    /// The number of open feeds.
    pub fn feeds(&self) -> usize {
        self.feeds.len()
    }

    /// How long sockets may take to close, and requests to finish.
    pub fn deadline(&self) -> Duration {
        self.config.deadline
    }

    /// Cancelled when closing begins.
    pub fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// Tracks a socket; `sockets_ended` waits for it.
    pub fn socket(&self) -> DrainGuard {
        self.guard(self.sockets.token())
    }

    /// Tracks a feed; the HTTP server waits for it as for any response.
    pub fn feed(&self) -> DrainGuard {
        self.guard(self.feeds.token())
    }

    /// Waits until every socket has ended.
    pub async fn sockets_ended(&self) {
        self.sockets.close();
        self.sockets.wait().await;
    }

    fn guard(&self, tracked: TaskTrackerToken) -> DrainGuard {
        DrainGuard {
            number: self.next_number.fetch_add(1, Ordering::Relaxed),
            closing: self.closing.clone(),
            spread: Arc::clone(&self.spread),
            wakers: self.wakers.clone(),
            _tracked: tracked,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_spread_grows_with_the_guards_up_to_a_bound() {
        let longest = Duration::from_secs(1);
        for (guards, milliseconds) in [(0, 0), (1, 1), (300, 300), (1_000, 1_000), (1_001, 1_000)] {
            assert_eq!(spread_for(guards, longest), Duration::from_millis(milliseconds));
        }
        assert_eq!(spread_for(usize::MAX, longest), longest);
    }

    proptest! {
        #[test]
        fn every_close_delay_is_within_the_spread(number: u64, milliseconds in 0..=1_000_u64) {
            let spread = Duration::from_millis(milliseconds);
            let delay = close_delay(number, spread);
            prop_assert!(delay < spread || delay.is_zero());
        }

        /// For all numbers, and for every second, third or fourth.
        #[test]
        fn close_delays_are_spread_evenly(first in 0..u64::MAX / 2, step in 1..5_u64) {
            const GUARDS: u64 = 1_000;
            const PARTS: usize = 10;
            let mut delays_in_part = [0_u32; PARTS];
            for guard in 0..GUARDS {
                let delay = close_delay(first + guard * step, Duration::from_secs(1));
                let part = (0..PARTS).filter(|part| {
                    Duration::from_millis(100) * u32::try_from(*part).unwrap() <= delay
                });
                delays_in_part[part.count() - 1] += 1;
            }
            prop_assert!(delays_in_part.iter().all(|delays| (90..=110).contains(delays)), "{delays_in_part:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_guard_is_drained_at_a_time_of_its_own() {
        let drain = Drain::default();
        let guards: Vec<_> = (0..100).map(|_| drain.socket()).collect();
        let feed = drain.feed();
        drain.close_all();
        let started = tokio::time::Instant::now();
        let mut delays: Vec<_> = guards.iter().map(DrainGuard::close_delay).collect();
        delays.sort_unstable();
        delays.dedup();
        assert_eq!(delays.len(), 100);
        // A socket that is opened only now has a delay too.
        let late = drain.socket();
        for guard in guards.iter().chain([&feed, &late]) {
            guard.drained().await;
        }
        assert!(started.elapsed() >= feed.close_delay());
        assert!([feed, late].iter().all(|guard| guard.close_delay() < Duration::from_millis(101)));
    }
}
