//! What work costs in processor time, as far as it can be measured.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{task::yield_now, time::sleep};

use super::processor_share::COST_OF_A_WAKE;

/// The source of processor time.
#[derive(Clone, Copy, Debug)]
pub enum ProcessorClock {
    /// There is none: work costs what it is expected to.
    Unknown,
    /// The time that the calling thread has used, since it began. Not the time that passes: that would count what other
    /// threads and programs do meanwhile.
    OfThread(fn() -> Duration),
    /// Costs that are drawn from a seed, for simulated time. Work takes as long.
    Simulated {
        /// The same seed draws the same costs.
        seed: u64,
    },
}

/// A processor clock in use.
#[derive(Debug)]
pub(super) struct Processor {
    clock: ProcessorClock,
    draws: AtomicU64,
}

/// Readers that a broadcast is delivered to before other tasks run: about a quarter of a millisecond.
pub(super) const READERS_AT_A_TIME: usize = 64;

/// The same where time is simulated, so that much happens in between.
const SIMULATED_READERS_AT_A_TIME: usize = 2;

impl Processor {
    pub(super) fn new(clock: ProcessorClock) -> Self {
        Self { clock, draws: AtomicU64::new(0) }
    }

    /// How many readers a broadcast is delivered to at a time.
    pub(super) fn readers_at_a_time(&self) -> usize {
        match self.clock {
            ProcessorClock::Simulated { .. } => SIMULATED_READERS_AT_A_TIME,
            ProcessorClock::Unknown | ProcessorClock::OfThread(_) => READERS_AT_A_TIME,
        }
    }

    /// Does work for so many readers, and returns what it cost. The work must not wait.
    pub(super) fn measure(&self, readers: usize, work: impl FnOnce()) -> Duration {
        let readers = u32::try_from(readers).unwrap_or(u32::MAX);
        match self.clock {
            ProcessorClock::Unknown => {
                work();
                COST_OF_A_WAKE.saturating_mul(readers)
            }
            ProcessorClock::OfThread(used) => {
                let before = used();
                work();
                used().saturating_sub(before)
            }
            ProcessorClock::Simulated { seed } => {
                work();
                let draw = self.draws.fetch_add(1, Ordering::Relaxed);
                drawn_cost(seed, draw).saturating_mul(readers)
            }
        }
    }

    /// Lets other tasks run after work that cost so much.
    pub(super) async fn give_way(&self, cost: Duration) {
        match self.clock {
            ProcessorClock::Simulated { .. } => sleep(cost).await,
            ProcessorClock::Unknown | ProcessorClock::OfThread(_) => yield_now().await,
        }
    }
}

/// Up to 32 µs for each reader, and one time in thirty-two a hundred times as much.
fn drawn_cost(seed: u64, draw: u64) -> Duration {
    let random = split_mix(seed.wrapping_add(split_mix(draw)));
    let cost = Duration::from_nanos(random % 32_000);
    if (random >> 32).is_multiple_of(32) { 100 * cost } else { cost }
}

/// The mixing function of `SplitMix64`.
fn split_mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_costs_repeat_and_vary() {
        let costs = |seed| (0..1_000).map(move |draw| drawn_cost(seed, draw)).collect::<Vec<_>>();
        assert_eq!(costs(1), costs(1));
        assert_ne!(costs(1), costs(2));
        let most = Duration::from_micros(32);
        assert!(costs(3).iter().any(|cost| *cost > most));
        assert!(costs(3).iter().filter(|cost| **cost <= most).count() > 900);
    }

    #[test]
    fn cost_of_work_is_what_the_thread_used_meanwhile() {
        thread_local! {
            static USED: std::cell::Cell<Duration> = const { std::cell::Cell::new(Duration::ZERO) };
        }
        let processor = Processor::new(ProcessorClock::OfThread(|| USED.get()));
        USED.set(Duration::from_secs(5));
        let cost = processor.measure(1, || USED.set(Duration::from_secs(7)));
        assert_eq!(cost, Duration::from_secs(2));
    }
}
