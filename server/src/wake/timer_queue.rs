//! One clock for all connections: it rings their bells when their time has come.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::wake_flags::{Doorbell, Signals};

/// How exact the wheel is: nobody is rung early, and nobody later than this.
///
/// Those of one tick are rung together, so that ten thousand connections cost a few hundred wakes of
/// one task, and no timer of their own.
const TICK: Duration = Duration::from_millis(25);

/// Rings bells at their times, with one timer for all of them.
#[derive(Debug)]
pub struct Wheel {
    began: Instant,
    ticks: Mutex<Ticks>,
    /// Somebody is due before all the others.
    is_due_earlier: Notify,
}

#[derive(Debug, Default)]
struct Ticks {
    /// Who is rung at which tick. There is one entry for each tick that somebody waits for.
    due: BTreeMap<u64, Vec<Arc<Doorbell>>>,
    /// Somebody sleeps until the next of them.
    is_turning: bool,
}

impl Wheel {
    /// Nobody waits yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            ticks: Mutex::default(),
            is_due_earlier: Notify::new(),
        })
    }

    /// Rings `bell` at `deadline`, for [`Signals::TIME`].
    ///
    /// Whoever is rung looks at what is due, which may be nothing any more.
    pub fn ring_at(self: &Arc<Self>, bell: &Arc<Doorbell>, deadline: Instant) {
        let tick = self.tick_not_before(deadline);
        let mut ticks = self.lock();
        let is_earliest = ticks.due.keys().next().is_none_or(|first| tick < *first);
        ticks.due.entry(tick).or_default().push(Arc::clone(bell));
        if !mem::replace(&mut ticks.is_turning, true) {
            tokio::spawn(Arc::clone(self).turn());
        } else if is_earliest {
            self.is_due_earlier.notify_one();
        }
    }

    /// Keeps `bell` no longer for the `deadline` at which it was to be rung: nobody waits any more.
    ///
    /// Without it the bells of very many who come and go at once would be kept until their times.
    pub fn forget(&self, bell: &Arc<Doorbell>, deadline: Instant) {
        let tick = self.tick_not_before(deadline);
        let mut ticks = self.lock();
        if let Entry::Occupied(mut due) = ticks.due.entry(tick) {
            let place = due.get().iter().position(|other| Arc::ptr_eq(other, bell));
            drop(place.map(|place| due.get_mut().swap_remove(place)));
            if due.get().is_empty() {
                due.remove();
            }
        }
    }

    /// Sleeps from tick to tick for as long as somebody waits.
    async fn turn(self: Arc<Self>) {
        while let Some(next) = self.next() {
            tokio::select! {
                () = sleep_until(next) => self.ring(Instant::now()),
                () = self.is_due_earlier.notified() => {}
            }
        }
    }

    /// The next tick that somebody waits for; without one, nobody turns the wheel any more.
    fn next(&self) -> Option<Instant> {
        let mut ticks = self.lock();
        let next = ticks.due.keys().next().copied();
        ticks.is_turning = next.is_some();
        next.map(|tick| self.began + TICK.saturating_mul(u32::try_from(tick).unwrap_or(u32::MAX)))
    }

    fn ring(&self, now: Instant) {
        let passed = now.duration_since(self.began).as_nanos() / TICK.as_nanos();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        let due = {
            let mut ticks = self.lock();
            let later = ticks.due.split_off(&passed.saturating_add(1));
            mem::replace(&mut ticks.due, later)
        };
        for bell in due.values().flatten() {
            bell.ring(Signals::TIME);
        }
    }

    fn tick_not_before(&self, moment: Instant) -> u64 {
        let passed = moment.saturating_duration_since(self.began).as_nanos();
        u64::try_from(passed.div_ceil(TICK.as_nanos())).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Ticks> {
        self.ticks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::FutureExt;
    use proptest::prelude::*;
    use tokio::{runtime::Builder, time::sleep};

    use super::*;

    fn has_rung(bell: &Doorbell) -> bool {
        poll_fn(|context| bell.poll(context)).now_or_never().is_some()
    }

    proptest! {
        /// Nobody is rung before their time, and everybody within a tick of it, in whatever order they asked.
        #[test]
        fn everybody_is_rung_in_time(waits in prop::collection::vec((0..20_000_u64, 0..3_000_u64), 1..20)) {
            let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let wheel = Wheel::new();
                let mut waiting = Vec::new();
                for (wait, pause) in waits {
                    let bell = Arc::new(Doorbell::default());
                    let deadline = Instant::now() + Duration::from_millis(wait);
                    wheel.ring_at(&bell, deadline);
                    waiting.push(tokio::spawn(async move {
                        poll_fn(|context| bell.poll(context)).await;
                        let rung = Instant::now();
                        (deadline <= rung, rung <= deadline + TICK + Duration::from_millis(1))
                    }));
                    sleep(Duration::from_millis(pause)).await;
                }
                for rung in waiting {
                    prop_assert_eq!(rung.await.unwrap(), (true, true));
                }
                // With nobody left to ring, nothing turns.
                prop_assert!(!wheel.lock().is_turning);
                Ok(())
            })?;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_bell_is_rung_once_for_each_time_it_asked() {
        let wheel = Wheel::new();
        let bell = Arc::new(Doorbell::default());
        wheel.ring_at(&bell, Instant::now() + Duration::from_secs(1));
        wheel.ring_at(&bell, Instant::now() + Duration::from_secs(2));
        for _ in 0..2 {
            assert!(!has_rung(&bell));
            sleep(Duration::from_millis(1_030)).await;
            assert!(has_rung(&bell));
        }
        sleep(Duration::from_secs(10)).await;
        assert!(!has_rung(&bell));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_no_more_is_kept_no_longer_and_the_others_are_rung() {
        let wheel = Wheel::new();
        let (gone, there) = (Arc::new(Doorbell::default()), Arc::new(Doorbell::default()));
        let deadline = Instant::now() + Duration::from_secs(10);
        for bell in [&gone, &there] {
            wheel.ring_at(bell, deadline);
        }
        wheel.forget(&gone, deadline);
        wheel.forget(&gone, deadline);
        assert_eq!((Arc::strong_count(&gone), Arc::strong_count(&there)), (1, 2));
        sleep(Duration::from_secs(11)).await;
        assert!(!has_rung(&gone) && has_rung(&there));
    }
}
