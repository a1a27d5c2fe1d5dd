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

use super::wake_flags::{WakeFlags, WakeReasons};

/// How exact the wheel is: nobody is rung early, and nobody later than this.
///
/// Those of one tick are rung together, so that ten thousand connections cost a few hundred wakes of
/// one task, and no timer of their own.
const TICK: Duration = Duration::from_millis(25);

/// Rings bells at their times, with one timer for all of them.
#[derive(Debug)]
pub struct TimerQueue {
    began: Instant,
    slots: Mutex<Slots>,
    /// Somebody is due before all the others.
    is_due_earlier: Notify,
}

#[derive(Debug, Default)]
struct Slots {
    /// Who is rung at which tick. There is one entry for each tick that somebody waits for.
    due: BTreeMap<u64, Vec<Arc<WakeFlags>>>,
    /// Somebody sleeps until the next of them.
    is_running: bool,
}

impl TimerQueue {
    /// Nobody waits yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            slots: Mutex::default(),
            is_due_earlier: Notify::new(),
        })
    }

    /// Rings `flags` at `deadline`, for [`WakeReasons::TIME`].
    ///
    /// Whoever is rung looks at what is due, which may be nothing any more.
    pub fn insert_at(self: &Arc<Self>, flags: &Arc<WakeFlags>, deadline: Instant) {
        let tick = self.tick_not_before(deadline);
        let mut slots = self.lock();
        let is_earliest = slots.due.keys().next().is_none_or(|first| tick < *first);
        slots.due.entry(tick).or_default().push(Arc::clone(flags));
        if !mem::replace(&mut slots.is_running, true) {
            tokio::spawn(Arc::clone(self).run());
        } else if is_earliest {
            self.is_due_earlier.notify_one();
        }
    }

    /// Keeps `flags` no longer for the `deadline` at which it was to be rung: nobody waits any more.
    ///
    /// Without it the bells of very many who come and go at once would be kept until their times.
    pub fn remove(&self, flags: &Arc<WakeFlags>, deadline: Instant) {
        let tick = self.tick_not_before(deadline);
        let mut slots = self.lock();
        if let Entry::Occupied(mut due) = slots.due.entry(tick) {
            let place = due.get().iter().position(|other| Arc::ptr_eq(other, flags));
            drop(place.map(|place| due.get_mut().swap_remove(place)));
            if due.get().is_empty() {
                due.remove();
            }
        }
    }

    /// Sleeps from tick to tick for as long as somebody waits.
    async fn run(self: Arc<Self>) {
        while let Some(next) = self.next() {
            tokio::select! {
                () = sleep_until(next) => self.notify(Instant::now()),
                () = self.is_due_earlier.notified() => {}
            }
        }
    }

    /// The next tick that somebody waits for; without one, nobody turns the wheel any more.
    fn next(&self) -> Option<Instant> {
        let mut slots = self.lock();
        let next = slots.due.keys().next().copied();
        slots.is_running = next.is_some();
        next.map(|tick| self.began + TICK.saturating_mul(u32::try_from(tick).unwrap_or(u32::MAX)))
    }

    fn notify(&self, now: Instant) {
        let passed = now.duration_since(self.began).as_nanos() / TICK.as_nanos();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        let due = {
            let mut slots = self.lock();
            let later = slots.due.split_off(&passed.saturating_add(1));
            mem::replace(&mut slots.due, later)
        };
        for flags in due.values().flatten() {
            flags.notify(WakeReasons::TIME);
        }
    }

    fn tick_not_before(&self, moment: Instant) -> u64 {
        let passed = moment.saturating_duration_since(self.began).as_nanos();
        u64::try_from(passed.div_ceil(TICK.as_nanos())).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::FutureExt;
    use proptest::prelude::*;
    use tokio::{runtime::Builder, time::sleep};

    use super::*;

    fn has_rung(flags: &WakeFlags) -> bool {
        poll_fn(|context| flags.poll(context)).now_or_never().is_some()
    }

    proptest! {
        /// Nobody is rung before their time, and everybody within a tick of it, in whatever order they asked.
        #[test]
        fn everybody_is_rung_in_time(waits in prop::collection::vec((0..20_000_u64, 0..3_000_u64), 1..20)) {
            let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let timers = TimerQueue::new();
                let mut waiting = Vec::new();
                for (wait, pause) in waits {
                    let flags = Arc::new(WakeFlags::default());
                    let deadline = Instant::now() + Duration::from_millis(wait);
                    timers.insert_at(&flags, deadline);
                    waiting.push(tokio::spawn(async move {
                        poll_fn(|context| flags.poll(context)).await;
                        let rung = Instant::now();
                        (deadline <= rung, rung <= deadline + TICK + Duration::from_millis(1))
                    }));
                    sleep(Duration::from_millis(pause)).await;
                }
                for rung in waiting {
                    prop_assert_eq!(rung.await.unwrap(), (true, true));
                }
                // With nobody left to ring, nothing turns.
                prop_assert!(!timers.lock().is_running);
                Ok(())
            })?;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_bell_is_rung_once_for_each_time_it_asked() {
        let timers = TimerQueue::new();
        let flags = Arc::new(WakeFlags::default());
        timers.insert_at(&flags, Instant::now() + Duration::from_secs(1));
        timers.insert_at(&flags, Instant::now() + Duration::from_secs(2));
        for _ in 0..2 {
            assert!(!has_rung(&flags));
            sleep(Duration::from_millis(1_030)).await;
            assert!(has_rung(&flags));
        }
        sleep(Duration::from_secs(10)).await;
        assert!(!has_rung(&flags));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_no_more_is_kept_no_longer_and_the_others_are_rung() {
        let timers = TimerQueue::new();
        let (gone, there) = (Arc::new(WakeFlags::default()), Arc::new(WakeFlags::default()));
        let deadline = Instant::now() + Duration::from_secs(10);
        for flags in [&gone, &there] {
            timers.insert_at(flags, deadline);
        }
        timers.remove(&gone, deadline);
        timers.remove(&gone, deadline);
        assert_eq!((Arc::strong_count(&gone), Arc::strong_count(&there)), (1, 2));
        sleep(Duration::from_secs(11)).await;
        assert!(!has_rung(&gone) && has_rung(&there));
    }
}
