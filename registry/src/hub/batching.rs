//! When changes are broadcast: at once after a quiet moment, else at the end of a gap.

use std::time::Duration;

use tokio::time::Instant;

/// Twice what a broadcast costs for each subscriber (a write, a wake and their share of the kernel, about
/// 16 µs), so that broadcasts never take more than half a core.
const GAP_PER_SUBSCRIBER: Duration = Duration::from_micros(32);

/// No change waits longer than this.
const LONGEST_GAP: Duration = Duration::from_millis(250);

/// Decides when the changes of a room are broadcast.
#[derive(Debug, Default)]
pub(super) struct BroadcastScheduler {
    last_broadcast: Option<Instant>,
    is_scheduled: bool,
}

/// When a change is broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BroadcastTime {
    /// At once.
    Now,
    /// At this time, with all changes until then. The caller has to set a timer.
    At(Instant),
    /// At the time that is set already.
    AlreadyScheduled,
}

impl BroadcastScheduler {
    /// A room changes at `now`; so many subscribers will receive it.
    pub(super) fn on_change(&mut self, now: Instant, subscribers: usize) -> BroadcastTime {
        if self.is_scheduled {
            return BroadcastTime::AlreadyScheduled;
        }
        let subscribers = u32::try_from(subscribers).unwrap_or(u32::MAX);
        let gap = GAP_PER_SUBSCRIBER.saturating_mul(subscribers).min(LONGEST_GAP);
        match self.last_broadcast.map(|last| last + gap) {
            Some(end_of_gap) if end_of_gap > now => {
                self.is_scheduled = true;
                BroadcastTime::At(end_of_gap)
            }
            _ => BroadcastTime::Now,
        }
    }

    /// All changes until `now` are broadcast.
    pub(super) fn on_broadcast(&mut self, now: Instant) {
        self.last_broadcast = Some(now);
        self.is_scheduled = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_change_goes_out_at_once_and_later_ones_at_the_end_of_the_gap() {
        let mut scheduler = BroadcastScheduler::default();
        let start = Instant::now();
        let ms = |count| start + Duration::from_millis(count);
        assert_eq!(scheduler.on_change(ms(0), 1_000), BroadcastTime::Now);
        scheduler.on_broadcast(ms(0));
        assert_eq!(scheduler.on_change(ms(5), 1_000), BroadcastTime::At(ms(32)));
        assert_eq!(scheduler.on_change(ms(6), 1_000), BroadcastTime::AlreadyScheduled);
        scheduler.on_broadcast(ms(33));
        assert_eq!(scheduler.on_change(ms(70), 1_000), BroadcastTime::Now);
    }

    #[test]
    fn gap_grows_with_the_subscribers_up_to_a_bound() {
        let start = Instant::now();
        for (subscribers, gap) in [(0, None), (100, Some(3_200)), (1_000_000, Some(250_000))] {
            let mut scheduler = BroadcastScheduler::default();
            scheduler.on_broadcast(start);
            let expected = gap.map_or(BroadcastTime::Now, |gap| {
                BroadcastTime::At(start + Duration::from_micros(gap))
            });
            assert_eq!(scheduler.on_change(start, subscribers), expected);
        }
    }
}
