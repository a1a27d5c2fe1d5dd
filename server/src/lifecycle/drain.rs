//! Going down: who is told, and who is waited for.

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

/// Goodbyes are spread over a moment that grows by this much with each guest,
/// so that those who come back do not come as one wave.
const CLOSE_JITTER_PER_SOCKET: Duration = Duration::from_millis(1);

/// How the server goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainConfig {
    /// How long new visitors are still let in while it is said already that they should go elsewhere.
    pub delay: Duration,
    /// Nobody waits longer for their goodbye: the next process can't begin before.
    pub longest_spread: Duration,
    /// How long sockets may take to say goodbye, and requests to end.
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

/// Tells everyone that the server goes down, and knows who has not gone yet.
///
/// axum's own graceful shutdown knows nothing of upgraded sockets, hence this.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    config: DrainConfig,
    /// New visitors should go elsewhere.
    draining: CancellationToken,
    closing: CancellationToken,
    /// Over how long the goodbyes are spread; known once the server goes down.
    spread: Arc<OnceLock<Duration>>,
    next_guest: Arc<AtomicU64>,
    bells: Bells,
    sockets: TaskTracker,
    feeds: TaskTracker,
}

/// The bells of those guests who are to be rung, by the guests' numbers.
#[derive(Clone, Debug, Default)]
struct Bells(Arc<Mutex<BTreeMap<u64, Arc<WakeFlags>>>>);

impl Bells {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<WakeFlags>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket or a feed, which is told at a moment of its own that the server goes down.
#[derive(Debug)]
pub struct DrainGuard {
    number: u64,
    closing: CancellationToken,
    spread: Arc<OnceLock<Duration>>,
    bells: Bells,
    _counted: TaskTrackerToken,
}

impl DrainGuard {
    /// Rings this bell when the server goes down.
    pub fn notify(&self, flags: &Arc<WakeFlags>) {
        self.bells.lock().insert(self.number, Arc::clone(flags));
        // Whoever comes while they are all rung may have been left out.
        if self.is_closing() {
            flags.notify(WakeReasons::CLOSING);
        }
    }

    /// Tells it from all others of this process.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Waits until the server goes down.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }

    /// Whether the server goes down.
    pub fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// How long after that it is this one's turn to be told.
    pub fn close_delay(&self) -> Duration {
        close_delay(self.number, self.spread.get().copied().unwrap_or_default())
    }

    /// Waits until the server goes down and it is this one's turn to be told.
    pub async fn drained(&self) {
        self.closing().await;
        sleep(self.close_delay()).await;
    }
}

impl Drop for DrainGuard {
    fn drop(&mut self) {
        self.bells.lock().remove(&self.number);
    }
}

/// The moment of a spread that is the turn of the guest with this number.
///
/// The multiples of the golden ratio lie evenly between whole numbers, whichever run of them one takes:
/// so do the turns, whoever has gone meanwhile.
fn close_delay(number: u64, spread: Duration) -> Duration {
    const GOLDEN_RATIO_OF_64_BITS: u64 = 0x9e37_79b9_7f4a_7c15;
    let share_of_32_bits = number.wrapping_mul(GOLDEN_RATIO_OF_64_BITS) >> 32;
    let spread_in_microseconds = u64::from(spread.subsec_micros()) + spread.as_secs() * 1_000_000;
    Duration::from_micros((spread_in_microseconds * share_of_32_bits) >> 32)
}

/// Over how long so many goodbyes are spread.
fn spread_for(guards: usize, longest: Duration) -> Duration {
    let guards = u32::try_from(guards).unwrap_or(u32::MAX);
    CLOSE_JITTER_PER_SOCKET.saturating_mul(guards).min(longest)
}

impl Drain {
    /// Nobody is here yet.
    pub fn new(config: DrainConfig) -> Self {
        Self { config, ..Self::default() }
    }

    /// New visitors should go elsewhere from now on; those who come are still let in for a while.
    pub async fn begin_drain(&self) {
        self.draining.cancel();
        // Even an empty sleep lasts until the clock's next tick.
        if !self.config.delay.is_zero() {
            sleep(self.config.delay).await;
        }
    }

    /// Whether new visitors should go elsewhere.
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// The server goes down.
    pub fn close_all(&self) {
        self.draining.cancel();
        self.spread
            .get_or_init(|| spread_for(self.sockets() + self.feeds(), self.config.longest_spread));
        self.closing.cancel();
        for flags in self.bells.lock().values() {
            flags.notify(WakeReasons::CLOSING);
        }
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        self.sockets.len()
    }

    /// How many feeds are open.
    pub fn feeds(&self) -> usize {
        self.feeds.len()
    }

    /// How long sockets may take to say goodbye, and requests to end.
    pub fn deadline(&self) -> Duration {
        self.config.deadline
    }

    /// Cancelled when the server goes down.
    pub fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// A socket, which is waited for until this is dropped.
    pub fn socket(&self) -> DrainGuard {
        self.guard(self.sockets.token())
    }

    /// A feed; that it ends is seen to as with every other request.
    pub fn feed(&self) -> DrainGuard {
        self.guard(self.feeds.token())
    }

    /// Waits until every socket has said goodbye.
    pub async fn sockets_ended(&self) {
        self.sockets.close();
        self.sockets.wait().await;
    }

    fn guard(&self, counted: TaskTrackerToken) -> DrainGuard {
        DrainGuard {
            number: self.next_guest.fetch_add(1, Ordering::Relaxed),
            closing: self.closing.clone(),
            spread: Arc::clone(&self.spread),
            bells: self.bells.clone(),
            _counted: counted,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_spread_grows_with_the_guests_up_to_a_bound() {
        let longest = Duration::from_secs(1);
        for (guards, milliseconds) in [(0, 0), (1, 1), (300, 300), (1_000, 1_000), (1_001, 1_000)] {
            assert_eq!(spread_for(guards, longest), Duration::from_millis(milliseconds));
        }
        assert_eq!(spread_for(usize::MAX, longest), longest);
    }

    proptest! {
        #[test]
        fn nobodys_turn_is_after_the_spread(number: u64, milliseconds in 0..=1_000_u64) {
            let spread = Duration::from_millis(milliseconds);
            let turn = close_delay(number, spread);
            prop_assert!(turn < spread || turn.is_zero());
        }

        /// Whether all are still here or only every second, third or fourth.
        #[test]
        fn turns_are_spread_evenly(first in 0..u64::MAX / 2, step in 1..5_u64) {
            const GUESTS: u64 = 1_000;
            const PARTS: usize = 10;
            let mut turns_in_part = [0_u32; PARTS];
            for guard in 0..GUESTS {
                let turn = close_delay(first + guard * step, Duration::from_secs(1));
                let part = (0..PARTS).filter(|part| {
                    Duration::from_millis(100) * u32::try_from(*part).unwrap() <= turn
                });
                turns_in_part[part.count() - 1] += 1;
            }
            prop_assert!(turns_in_part.iter().all(|turns| (90..=110).contains(turns)), "{turns_in_part:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_guest_is_called_at_a_moment_of_its_own() {
        let drain = Drain::default();
        let guards: Vec<_> = (0..100).map(|_| drain.socket()).collect();
        let feed = drain.feed();
        drain.close_all();
        let begun = tokio::time::Instant::now();
        let mut turns: Vec<_> = guards.iter().map(DrainGuard::close_delay).collect();
        turns.sort_unstable();
        turns.dedup();
        assert_eq!(turns.len(), 100);
        // One who comes only now has a turn too.
        let late = drain.socket();
        for guard in guards.iter().chain([&feed, &late]) {
            guard.drained().await;
        }
        assert!(begun.elapsed() >= feed.close_delay());
        assert!([feed, late].iter().all(|guard| guard.close_delay() < Duration::from_millis(101)));
    }
}
