//! When changes are broadcast: at once after a quiet moment, else at the end of a gap.

use std::time::Duration;

use tokio::time::Instant;

use super::fan_out::FanOutRate;

/// Twice what a broadcast costs for each subscriber (a write, a wake and their share of the kernel, about
/// 16 µs), so that broadcasts never take more than half a core.
const GAP_PER_SUBSCRIBER: Duration = Duration::from_micros(32);

/// For the sake of the processor no change waits longer than this.
pub(super) const LONGEST_GAP: Duration = Duration::from_millis(250);

/// A room that was quiet may send as much at once as its rate allows in this time. A school that joins within seconds
/// (1,000 people: 35 MB) waits for nothing.
const BURST: Duration = Duration::from_secs(2);

/// For the sake of the network no change waits longer than this: pages are not live after 15 s of silence. At the
/// default rate that is a broadcast of 640 MB, such as 64 kB to each of 10,000 readers.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Decides when the changes of a room are broadcast.
///
/// The gap between two broadcasts has two reasons: what a broadcast costs in processor time, which grows with the
/// subscribers, and what it takes of the network, which grows with the bytes as well. The second one is a token bucket
/// (GCRA) of bytes, which are known when they are encoded: so they are paid for after they were sent.
#[derive(Debug, Default)]
pub(super) struct BroadcastScheduler {
    last_broadcast: Option<Instant>,
    /// When all that was sent has taken its time at the room's rate.
    paid_at: Option<Instant>,
    /// When the next broadcast is due; `None` if no change waits.
    scheduled_at: Option<Instant>,
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
        if self.scheduled_at.is_some() {
            return BroadcastTime::AlreadyScheduled;
        }
        let subscribers = u32::try_from(subscribers).unwrap_or(u32::MAX);
        let gap = GAP_PER_SUBSCRIBER.saturating_mul(subscribers).min(LONGEST_GAP);
        let end_of_gap = self.last_broadcast.map(|last| last + gap);
        let end_of_wait = self.paid_at.and_then(|paid_at| paid_at.checked_sub(BURST));
        match end_of_gap.max(end_of_wait) {
            Some(end_of_gap) if end_of_gap > now => {
                self.scheduled_at = Some(end_of_gap);
                BroadcastTime::At(end_of_gap)
            }
            _ => BroadcastTime::Now,
        }
    }

    /// All changes until `now` are broadcast.
    pub(super) fn on_broadcast(&mut self, now: Instant) {
        self.last_broadcast = Some(now);
        self.scheduled_at = None;
    }

    /// Whether changes wait longer than for the sake of the processor.
    pub(super) fn is_throttled(&self) -> bool {
        let longest = self.last_broadcast.map(|last| last + LONGEST_GAP);
        self.scheduled_at.zip(longest).is_some_and(|(at, longest)| at > longest)
    }

    /// The broadcast of `now` sends so many bytes to all of its readers together.
    pub(super) fn on_sent(&mut self, now: Instant, bytes: u64, rate: FanOutRate) {
        let paid_at = self.paid_at.map_or(now, |paid_at| paid_at.max(now));
        let latest = now + BURST + LONGEST_WAIT;
        let paid_at = paid_at.checked_add(rate.time_for(bytes)).unwrap_or(latest);
        self.paid_at = Some(paid_at.min(latest));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    const RATE: u64 = 1_000_000;

    /// What is broadcast at `now`, of so many bytes to all readers.
    fn broadcast(scheduler: &mut BroadcastScheduler, now: Instant, bytes: u64) {
        scheduler.on_broadcast(now);
        scheduler.on_sent(now, bytes, FanOutRate::per_second(RATE));
    }

    #[test]
    fn gap_grows_with_what_was_sent_beyond_a_burst() {
        let start = Instant::now();
        let at = |milliseconds| BroadcastTime::At(start + Duration::from_millis(milliseconds));
        for (bytes, time) in [
            // Two seconds' worth is the burst.
            (2 * RATE, BroadcastTime::Now),
            (3 * RATE, at(1_000)),
            (12 * RATE, at(10_000)),
            (1_000 * RATE, at(10_000)),
            (u64::MAX, at(10_000)),
        ] {
            let mut scheduler = BroadcastScheduler::default();
            assert_eq!(scheduler.on_change(start, 0), BroadcastTime::Now, "the room was quiet");
            broadcast(&mut scheduler, start, bytes);
            assert_eq!(scheduler.on_change(start, 0), time, "{bytes}");
            assert_eq!(scheduler.is_throttled(), time != BroadcastTime::Now);
        }
        // What was sent is forgotten in time.
        let mut scheduler = BroadcastScheduler::default();
        broadcast(&mut scheduler, start, 12 * RATE);
        let later = start + Duration::from_secs(10);
        assert_eq!(scheduler.on_change(later, 0), BroadcastTime::Now);
        // Only what is beyond the burst again.
        broadcast(&mut scheduler, later, RATE);
        assert_eq!(scheduler.on_change(later, 0), at(11_000));
    }

    #[test]
    fn without_a_rate_only_subscribers_count() {
        let mut scheduler = BroadcastScheduler::default();
        let start = Instant::now();
        scheduler.on_broadcast(start);
        scheduler.on_sent(start, u64::MAX, FanOutRate::OFF);
        assert_eq!(scheduler.on_change(start, 0), BroadcastTime::Now);
    }

    proptest! {
        /// However a room changes: in any time it sends the burst, its rate and one broadcast at most.
        #[test]
        fn room_sends_no_more_than_its_rate(
            changes in prop::collection::vec((0..2_000_u64, 0..5 * RATE, 0..20_000_usize), 1..200),
        ) {
            let mut scheduler = BroadcastScheduler::default();
            let start = Instant::now();
            let mut now = start;
            let (mut sent, mut largest): (Vec<(Instant, u64)>, u64) = (Vec::new(), 0);
            for (pause, bytes, subscribers) in changes {
                now += Duration::from_millis(pause);
                let at = match scheduler.on_change(now, subscribers) {
                    BroadcastTime::Now => now,
                    BroadcastTime::At(time) => time,
                    BroadcastTime::AlreadyScheduled => continue,
                };
                prop_assert!(at <= now + LONGEST_WAIT, "no change waits for ever");
                now = at;
                broadcast(&mut scheduler, now, bytes);
                sent.push((now, bytes));
                largest = largest.max(bytes);
            }
            for (index, (from, _)) in sent.iter().enumerate() {
                let mut total = 0;
                for (until, bytes) in &sent[index..] {
                    total += bytes;
                    let time = until.duration_since(*from) + BURST;
                    let allowed = u64::try_from(time.as_micros()).unwrap() * RATE / 1_000_000;
                    prop_assert!(total <= allowed + largest + 1, "{total} in {time:?}");
                }
            }
        }
    }
}
