//! When to tell everyone: at once after a quiet moment, else at the end of a gap.

use std::time::Duration;

use tokio::time::Instant;

/// Twice what telling one listener costs (a write, a wake and their share of the kernel, about 16 µs),
/// so that telling everyone never takes more than half a core.
const GAP_PER_LISTENER: Duration = Duration::from_micros(32);

/// Nobody waits longer for news than this.
const LONGEST_GAP: Duration = Duration::from_millis(250);

/// Decides when the changes of a room go out.
#[derive(Debug, Default)]
pub(super) struct FlushScheduler {
    last_broadcast: Option<Instant>,
    is_scheduled: bool,
}

/// What to do about a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// Tell everyone at once.
    Now,
    /// Tell everyone at this moment: the caller sees to it.
    At(Instant),
    /// It goes out with what is waiting already.
    AlreadyScheduled,
}

impl FlushScheduler {
    /// Something changed at `now` in a room with this many listeners.
    pub(super) fn on_change(&mut self, now: Instant, listeners: usize) -> Flush {
        if self.is_scheduled {
            return Flush::AlreadyScheduled;
        }
        let listeners = u32::try_from(listeners).unwrap_or(u32::MAX);
        let gap = GAP_PER_LISTENER.saturating_mul(listeners).min(LONGEST_GAP);
        match self.last_broadcast.map(|last| last + gap) {
            Some(quiet_until) if quiet_until > now => {
                self.is_scheduled = true;
                Flush::At(quiet_until)
            }
            _ => Flush::Now,
        }
    }

    /// Everyone was told at `now`.
    pub(super) fn on_flush(&mut self, now: Instant) {
        self.last_broadcast = Some(now);
        self.is_scheduled = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_goes_at_once_and_the_next_wait_for_the_end_of_the_gap() {
        let mut flush_scheduler = FlushScheduler::default();
        let start = Instant::now();
        let ms = |count| start + Duration::from_millis(count);
        assert_eq!(flush_scheduler.on_change(ms(0), 1_000), Flush::Now);
        flush_scheduler.on_flush(ms(0));
        assert_eq!(flush_scheduler.on_change(ms(5), 1_000), Flush::At(ms(32)));
        assert_eq!(flush_scheduler.on_change(ms(6), 1_000), Flush::AlreadyScheduled);
        flush_scheduler.on_flush(ms(33));
        assert_eq!(flush_scheduler.on_change(ms(70), 1_000), Flush::Now);
    }

    #[test]
    fn the_gap_grows_with_the_listeners_up_to_a_bound() {
        let start = Instant::now();
        for (listeners, gap) in [(0, None), (100, Some(3_200)), (1_000_000, Some(250_000))] {
            let mut flush_scheduler = FlushScheduler::default();
            flush_scheduler.on_flush(start);
            let expected =
                gap.map_or(Flush::Now, |gap| Flush::At(start + Duration::from_micros(gap)));
            assert_eq!(flush_scheduler.on_change(start, listeners), expected);
        }
    }
}
