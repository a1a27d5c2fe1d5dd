//! How much of a processor one room may take for its broadcasts.

use std::{ops::Add, time::Duration};

use tokio::time::Instant;

/// In any time a room takes no more than this part of a core, beyond two broadcasts: a half.
const LARGEST_SHARE: u32 = 2;

/// While only few changes are gathered, it takes no more than this part in the long run: a quarter. More broadcasts
/// would cost much and bring each change a few milliseconds earlier.
const LASTING_SHARE: u32 = 4;

/// What a room may take beyond its lasting share after it was quiet.
const BURST: Duration = Duration::from_millis(100);

/// With so many changes a broadcast is worth its price: the lasting share does not delay it.
const MANY_CHANGES: u64 = 16;

/// For the sake of the lasting share no change waits longer than this.
pub(super) const LONGEST_GAP: Duration = Duration::from_millis(250);

/// A reader that is woken takes about as long as this to write one frame, most of it in the system. It does so in a
/// task of its own, so this can't be measured with the broadcast.
pub(super) const COST_OF_A_WAKE: Duration = Duration::from_micros(6);

/// What a reader may be measured to cost. Beyond, the figure is a fault of the measurement.
const SMALLEST_COST: Duration = Duration::from_nanos(500);
const LARGEST_COST: Duration = Duration::from_micros(32);

/// Decides when a room's next broadcast is due for the sake of the processor.
///
/// Each broadcast is a debt of the processor time that it costs, and time pays it back at the room's share (GCRA). What
/// a broadcast costs for each reader is measured, so that a fast machine sends often and a slow one has time for
/// other work.
#[derive(Debug)]
pub(super) struct ProcessorShare {
    /// What the next broadcast is expected to cost for each reader.
    cost: Duration,
    last_broadcast: Option<Instant>,
    /// What the last broadcast cost, as far as it is known.
    last_cost: Duration,
    /// When all broadcasts are paid at the largest share.
    largest_paid_at: Option<Instant>,
    /// The same at the lasting share, and at most a burst and a broadcast ahead.
    lasting_paid_at: Option<Instant>,
}

impl Default for ProcessorShare {
    fn default() -> Self {
        Self {
            cost: COST_OF_A_WAKE,
            last_broadcast: None,
            last_cost: Duration::ZERO,
            largest_paid_at: None,
            lasting_paid_at: None,
        }
    }
}

/// What a broadcast was expected to cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Charge {
    /// For each reader.
    cost: Duration,
    readers: u32,
}

/// What a broadcast did, and what it cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Deliveries {
    /// Readers that were written to, or had the changes already.
    pub(super) written: u32,
    /// Readers that were woken, and write by themselves.
    pub(super) woken: u32,
    /// The processor time of all of it, without that of the woken.
    pub(super) processor_time: Duration,
}

impl Add for Deliveries {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            written: self.written + other.written,
            woken: self.woken + other.woken,
            processor_time: self.processor_time + other.processor_time,
        }
    }
}

impl Deliveries {
    /// The cost for each reader; `None` without readers.
    fn cost(self) -> Option<Duration> {
        let all = self.processor_time.saturating_add(COST_OF_A_WAKE.saturating_mul(self.woken));
        all.checked_div(self.written.saturating_add(self.woken))
    }
}

impl ProcessorShare {
    /// When a broadcast of so many changes to so many readers is due; `None` if it is due at once.
    pub(super) fn due_at(&self, readers: usize, changes: u64) -> Option<Instant> {
        let one_broadcast = self.cost.saturating_mul(number(readers));
        // Two broadcasts may follow each other at once. The last one may have been to more readers.
        let tolerance = one_broadcast.max(self.last_cost).saturating_mul(LARGEST_SHARE);
        let by_largest = self.largest_paid_at.and_then(|paid_at| paid_at.checked_sub(tolerance));
        if changes >= MANY_CHANGES {
            return by_largest;
        }
        let by_lasting =
            self.lasting_paid_at.and_then(|paid_at| paid_at.checked_sub(BURST * LASTING_SHARE));
        let latest = self.last_broadcast.map(|last| last + LONGEST_GAP);
        by_largest.max(by_lasting.zip(latest).map(|(due, latest)| due.min(latest)))
    }

    /// There is a broadcast to so many readers.
    pub(super) fn on_broadcast(&mut self, now: Instant, readers: usize) -> Charge {
        let charge = Charge { cost: self.cost, readers: number(readers) };
        let cost = charge.cost.saturating_mul(charge.readers);
        let largest = self.largest_paid_at.map_or(now, |paid_at| paid_at.max(now));
        self.largest_paid_at = Some(largest + cost.saturating_mul(LARGEST_SHARE));
        let lasting = self.lasting_paid_at.map_or(now, |paid_at| paid_at.max(now));
        let lasting = lasting.min(now + BURST * LASTING_SHARE);
        self.lasting_paid_at = Some(lasting + cost.saturating_mul(LASTING_SHARE));
        (self.last_broadcast, self.last_cost) = (Some(now), cost);
        charge
    }

    /// A broadcast is over: what it cost is charged instead of what was expected.
    ///
    /// A measurement counts as twice the expected cost at most: if the processor did something else meanwhile, the next
    /// changes don't wait for that.
    pub(super) fn on_delivered(&mut self, charge: Charge, delivered: Deliveries) {
        let Some(measured) = delivered.cost() else { return };
        let largest = (2 * charge.cost).min(LARGEST_COST);
        let measured = measured.max(SMALLEST_COST).min(largest);
        for (paid_at, share) in
            [(&mut self.largest_paid_at, LARGEST_SHARE), (&mut self.lasting_paid_at, LASTING_SHARE)]
        {
            let moved = |difference: Duration| {
                difference.saturating_mul(charge.readers).saturating_mul(share)
            };
            let more = moved(measured.saturating_sub(charge.cost));
            let less = moved(charge.cost.saturating_sub(measured));
            *paid_at = paid_at.and_then(|paid_at| (paid_at + more).checked_sub(less));
        }
        self.last_cost = measured.saturating_mul(charge.readers);
        self.cost = (3 * self.cost + measured) / 4;
    }
}

fn number(readers: usize) -> u32 {
    u32::try_from(readers).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FEW: u64 = 1;

    fn microseconds(count: u64) -> Duration {
        Duration::from_micros(count)
    }

    /// A share whose readers cost so much each.
    fn share(cost: Duration) -> ProcessorShare {
        ProcessorShare { cost, ..ProcessorShare::default() }
    }

    fn wait(share: &ProcessorShare, now: Instant, readers: usize, changes: u64) -> Duration {
        share
            .due_at(readers, changes)
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }

    #[test]
    fn two_broadcasts_after_a_quiet_moment_follow_each_other_at_once() {
        let (start, mut share) = (Instant::now(), share(microseconds(4)));
        assert_eq!(share.due_at(1_000, FEW), None);
        share.on_broadcast(start, 1_000);
        assert_eq!(wait(&share, start, 1_000, FEW), Duration::ZERO);
        share.on_broadcast(start, 1_000);
        assert_eq!(wait(&share, start, 1_000, FEW), Duration::from_millis(8));
        // Both are paid for by then.
        let later = start + Duration::from_millis(16);
        share.on_broadcast(later, 1_000);
        assert_eq!(wait(&share, later, 1_000, FEW), Duration::ZERO);
    }

    #[test]
    fn lasting_load_takes_the_lasting_share_and_many_changes_the_largest() {
        let (start, mut share) = (Instant::now(), share(microseconds(4)));
        let mut now = start;
        for _ in 0..100 {
            share.on_broadcast(now, 1_000);
            now += wait(&share, now, 1_000, FEW);
        }
        assert_eq!(wait(&share, now, 1_000, MANY_CHANGES), Duration::ZERO);
        share.on_broadcast(now, 1_000);
        assert_eq!(wait(&share, now, 1_000, FEW), Duration::from_millis(16));
        share.on_broadcast(now, 1_000);
        assert_eq!(wait(&share, now, 1_000, MANY_CHANGES), Duration::from_millis(8));
    }

    #[test]
    fn gap_for_the_lasting_share_is_bounded() {
        let (start, mut share) = (Instant::now(), share(microseconds(6)));
        share.on_broadcast(start, 20_000);
        assert_eq!(wait(&share, start, 20_000, FEW), Duration::from_millis(80));
        let later = start + Duration::from_millis(200);
        share.on_broadcast(later, 20_000);
        assert_eq!(wait(&share, later, 20_000, FEW), LONGEST_GAP);
    }

    #[test]
    fn measured_cost_is_charged_and_expected_next() {
        let (start, mut share) = (Instant::now(), share(microseconds(8)));
        let charge = share.on_broadcast(start, 1_000);
        share.on_broadcast(start, 1_000);
        assert_eq!(wait(&share, start, 1_000, FEW), Duration::from_millis(16));
        let delivered =
            Deliveries { written: 500, woken: 0, processor_time: Duration::from_millis(2) };
        share.on_delivered(charge, delivered);
        // 4 µs for each, so that the next is expected to cost 7.
        assert_eq!(share.cost, microseconds(7));
        assert_eq!(wait(&share, start, 1_000, FEW), Duration::from_millis(2 * (4 + 8) - 2 * 7));
    }

    #[test]
    fn measurement_counts_as_twice_the_expected_cost_at_most() {
        let mut share = share(microseconds(4));
        let outlier = Deliveries { written: 1, woken: 0, processor_time: Duration::from_secs(1) };
        let mut costs = Vec::new();
        for _ in 0..20 {
            let charge = share.on_broadcast(Instant::now(), 1);
            share.on_delivered(charge, outlier);
            costs.push(share.cost);
        }
        assert_eq!(costs[0], microseconds(5));
        assert!(costs.iter().all(|cost| *cost <= LARGEST_COST));
        let nothing = Deliveries { written: 1, ..Deliveries::default() };
        for _ in 0..50 {
            let charge = share.on_broadcast(Instant::now(), 1);
            share.on_delivered(charge, nothing);
        }
        assert!(share.cost < 2 * SMALLEST_COST, "{:?}", share.cost);
        assert!(share.cost >= SMALLEST_COST);
    }

    #[test]
    fn broadcast_without_readers_says_nothing_of_their_cost() {
        let mut share = share(microseconds(4));
        let charge = share.on_broadcast(Instant::now(), 1_000);
        share.on_delivered(charge, Deliveries::default());
        assert_eq!(share.cost, microseconds(4));
    }

    /// A broadcast of the model: the time before it, its changes and readers, and what each reader costs in nanoseconds.
    type Step = (u64, u64, usize, u64);

    fn any_steps() -> impl Strategy<Value = Vec<Step>> {
        let pause = prop_oneof![3 => Just(0), 3 => 0..30_000_u64, 1 => 0..2_000_000_u64];
        let changes = prop_oneof![4 => 1..MANY_CHANGES, 1 => MANY_CHANGES..1_000];
        let readers = prop_oneof![3 => 900..1_100_usize, 1 => 0..20_000_usize];
        let cost = prop_oneof![5 => 0..32_000_u64, 1 => 0..3_200_000_u64];
        prop::collection::vec((pause, changes, readers, cost), 1..300)
    }

    proptest! {
        /// Whatever a room does and whatever its broadcasts cost: no change waits for ever, and in any time the room
        /// takes its shares of the processor, beyond what may follow a quiet moment.
        #[test]
        fn room_takes_no_more_than_its_share(steps in any_steps()) {
            let mut share = ProcessorShare::default();
            let mut now = Instant::now();
            // When, and what it cost, as far as it counts.
            let mut broadcasts: Vec<(Instant, Duration)> = Vec::new();
            let mut largest = Duration::ZERO;
            let are_all_few = steps.iter().all(|(_, changes, ..)| *changes < MANY_CHANGES);
            for (pause, changes, readers, cost) in steps {
                now += microseconds(pause);
                let expected = share.cost.saturating_mul(number(readers));
                largest = largest.max(2 * expected);
                let waits = wait(&share, now, readers, changes);
                let longest = if changes < MANY_CHANGES { LONGEST_GAP } else { Duration::ZERO };
                prop_assert!(waits <= longest.max(LARGEST_SHARE * largest), "{waits:?}");
                now += waits;
                let charge = share.on_broadcast(now, readers);
                let written = number(readers);
                let cost = Duration::from_nanos(cost);
                let processor_time = cost * written;
                share.on_delivered(charge, Deliveries { written, woken: 0, processor_time });
                let counts = cost.max(SMALLEST_COST).min(2 * charge.cost).min(LARGEST_COST);
                largest = largest.max(counts * written);
                broadcasts.push((now, counts * written));
            }
            for (index, (from, _)) in broadcasts.iter().enumerate() {
                let mut total = Duration::ZERO;
                for (until, cost) in &broadcasts[index..] {
                    total += *cost;
                    let time = until.duration_since(*from);
                    prop_assert!(
                        total <= time / LARGEST_SHARE + 2 * largest + microseconds(1),
                        "{total:?} in {time:?}, {largest:?} at once"
                    );
                    // Where a gap of the longest kind suffices.
                    if are_all_few && LASTING_SHARE * largest <= LONGEST_GAP {
                        prop_assert!(
                            total <= time / LASTING_SHARE + BURST + 2 * largest + microseconds(1),
                            "{total:?} in {time:?}, {largest:?} at once"
                        );
                    }
                }
            }
        }
    }
}
