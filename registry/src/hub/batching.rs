//! When changes are broadcast: at once after a quiet moment, else at the end of a gap.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    fan_out::FanOutRate,
    processor_share::{Charge, Deliveries, LONGEST_GAP, ProcessorShare},
};

/// A room that was quiet may send as much at once as its rate allows in this time. A school that joins within seconds
/// (1,000 people: 35 MB) waits for nothing.
const BURST: Duration = Duration::from_secs(2);

/// For the sake of the network no change waits longer than this: pages are not live after 15 s of silence. At the
/// default rate that is a broadcast of 640 MB, such as 64 kB to each of 10,000 readers.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Decides when the changes of a room are broadcast.
///
/// The gap between two broadcasts has two reasons: what a broadcast costs in processor time ([`ProcessorShare`]), and
/// what it takes of the network, which grows with the bytes as well. The second one is a token bucket (GCRA) of bytes,
/// which are known when they are encoded: so they are paid for after they were sent.
#[derive(Debug, Default)]
pub(super) struct BroadcastScheduler {
    share: ProcessorShare,
    last_broadcast: Option<Instant>,
    /// When all that was sent has taken its time at the room's rate.
    paid_at: Option<Instant>,
    /// When the next broadcast is due; `None` if no change waits for a time.
    scheduled_at: Option<Instant>,
    /// Whether a broadcast writes to its readers: changes wait for its end, so that only one does at a time.
    is_delivering: bool,
}

/// When a change is broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BroadcastTime {
    /// At once.
    Now,
    /// At this time, with all changes until then. The caller has to set a timer.
    At(Instant),
    /// At the time that is set already, or when the broadcast that is under way ends.
    AlreadyScheduled,
}

impl BroadcastScheduler {
    /// A room changes at `now`; so many subscribers will receive all that was not broadcast yet.
    pub(super) fn on_change(
        &mut self,
        now: Instant,
        subscribers: usize,
        changes: u64,
    ) -> BroadcastTime {
        if self.is_delivering {
            return BroadcastTime::AlreadyScheduled;
        }
        let end_of_gap = self.share.due_at(subscribers, changes);
        let end_of_wait = self.paid_at.and_then(|paid_at| paid_at.checked_sub(BURST));
        let due = end_of_gap.max(end_of_wait).filter(|due| now < *due);
        // With many changes the next broadcast may be due earlier.
        if self.scheduled_at.is_some_and(|at| at <= due.unwrap_or(now)) {
            return BroadcastTime::AlreadyScheduled;
        }
        match due {
            Some(due) => {
                self.scheduled_at = Some(due);
                BroadcastTime::At(due)
            }
            None => BroadcastTime::Now,
        }
    }

    /// Whether the broadcast of this time, which has come, is due.
    pub(super) fn on_timer(&mut self, time: Instant) -> bool {
        if self.scheduled_at != Some(time) {
            return false;
        }
        self.scheduled_at = None;
        // Else the end of the broadcast that is under way leads to the next one.
        !self.is_delivering
    }

    /// All changes until `now` are broadcast.
    pub(super) fn on_broadcast(&mut self, now: Instant, subscribers: usize) -> Charge {
        self.last_broadcast = Some(now);
        self.scheduled_at = None;
        self.share.on_broadcast(now, subscribers)
    }

    /// A broadcast begins to write to its readers, if none does so already. Changes wait for [`Self::on_delivered`].
    pub(super) fn begin_delivery(&mut self) -> bool {
        !std::mem::replace(&mut self.is_delivering, true)
    }

    /// A broadcast was delivered to all readers, or it has failed. It was charged so much.
    pub(super) fn on_delivered(&mut self, charge: Charge, deliveries: Deliveries) {
        self.is_delivering = false;
        self.share.on_delivered(charge, deliveries);
    }

    /// Whether a broadcast is under way.
    pub(super) fn is_delivering(&self) -> bool {
        self.is_delivering
    }

    /// Whether changes wait longer than for the lasting share of the processor.
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

    const FEW: u64 = 1;
    const MANY: u64 = 1_000;

    /// A broadcast to a thousand subscribers takes 6 ms.
    #[test]
    fn first_changes_go_out_at_once_and_later_ones_at_the_end_of_the_gap() {
        let mut scheduler = BroadcastScheduler::default();
        let start = Instant::now();
        let ms = |count| start + Duration::from_millis(count);
        for _ in 0..2 {
            assert_eq!(scheduler.on_change(ms(0), 1_000, FEW), BroadcastTime::Now);
            scheduler.on_broadcast(ms(0), 1_000);
        }
        assert_eq!(scheduler.on_change(ms(5), 1_000, FEW), BroadcastTime::At(ms(12)));
        assert_eq!(scheduler.on_change(ms(6), 1_000, FEW), BroadcastTime::AlreadyScheduled);
        assert_eq!(scheduler.on_change(ms(13), 1_000, FEW), BroadcastTime::AlreadyScheduled);
        assert!(!scheduler.on_timer(ms(11)), "it is another time that is set");
        assert!(scheduler.on_timer(ms(12)));
        assert!(!scheduler.on_timer(ms(12)));
        scheduler.on_broadcast(ms(13), 1_000);
        assert_eq!(scheduler.on_change(ms(70), 1_000, FEW), BroadcastTime::Now);
    }

    #[test]
    fn many_changes_are_broadcast_earlier_than_the_first_of_them_was_to_be() {
        let mut scheduler = BroadcastScheduler::default();
        let mut now = Instant::now();
        // Half of a core, until the lasting share is used up.
        for _ in 0..100 {
            now += Duration::from_millis(12);
            scheduler.on_broadcast(now, 1_000);
        }
        scheduler.on_broadcast(now, 1_000);
        let ms = |count| BroadcastTime::At(now + Duration::from_millis(count));
        assert_eq!(scheduler.on_change(now, 1_000, FEW), ms(24));
        assert_eq!(scheduler.on_change(now, 1_000, 2), BroadcastTime::AlreadyScheduled);
        assert_eq!(scheduler.on_change(now, 1_000, MANY), ms(12));
        assert_eq!(scheduler.on_change(now, 1_000, MANY), BroadcastTime::AlreadyScheduled);
    }

    #[test]
    fn changes_wait_for_the_end_of_the_broadcast_that_is_under_way() {
        let mut scheduler = BroadcastScheduler::default();
        let now = Instant::now();
        let charge = scheduler.on_broadcast(now, 0);
        assert!(scheduler.begin_delivery());
        assert_eq!(scheduler.on_change(now, 0, MANY), BroadcastTime::AlreadyScheduled);
        assert!(!scheduler.begin_delivery(), "one at a time");
        scheduler.on_delivered(charge, Deliveries::default());
        assert_eq!(scheduler.on_change(now, 0, FEW), BroadcastTime::Now);
        // A broadcast that is due meanwhile waits as well.
        for _ in 0..3 {
            scheduler.on_broadcast(now, 1_000);
        }
        let BroadcastTime::At(due) = scheduler.on_change(now, 1_000, FEW) else { panic!() };
        assert!(scheduler.begin_delivery());
        assert!(!scheduler.on_timer(due));
        scheduler.on_delivered(charge, Deliveries::default());
        assert_eq!(scheduler.on_change(due, 1_000, FEW), BroadcastTime::Now);
    }

    const RATE: u64 = 1_000_000;

    /// What is broadcast at `now`, of so many bytes to all readers.
    fn broadcast(scheduler: &mut BroadcastScheduler, now: Instant, bytes: u64) {
        scheduler.on_broadcast(now, 0);
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
            assert_eq!(
                scheduler.on_change(start, 0, FEW),
                BroadcastTime::Now,
                "the room was quiet"
            );
            broadcast(&mut scheduler, start, bytes);
            assert_eq!(scheduler.on_change(start, 0, FEW), time, "{bytes}");
            assert_eq!(scheduler.is_throttled(), time != BroadcastTime::Now);
        }
        // What was sent is forgotten in time.
        let mut scheduler = BroadcastScheduler::default();
        broadcast(&mut scheduler, start, 12 * RATE);
        let later = start + Duration::from_secs(10);
        assert_eq!(scheduler.on_change(later, 0, FEW), BroadcastTime::Now);
        // Only what is beyond the burst again.
        broadcast(&mut scheduler, later, RATE);
        assert_eq!(scheduler.on_change(later, 0, FEW), at(11_000));
    }

    #[test]
    fn without_a_rate_only_subscribers_count() {
        let mut scheduler = BroadcastScheduler::default();
        let start = Instant::now();
        scheduler.on_broadcast(start, 0);
        scheduler.on_sent(start, u64::MAX, FanOutRate::OFF);
        assert_eq!(scheduler.on_change(start, 0, FEW), BroadcastTime::Now);
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
                let at = match scheduler.on_change(now, subscribers, FEW) {
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
