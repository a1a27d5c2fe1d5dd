//! One queue for the deadlines of all connections and rooms.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Debug,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::wake_flags::{WakeFlags, WakeReasons};

/// The precision of a connection's deadline: it fires no earlier than it is due, and at most this much later.
///
/// Connections of one tick are woken together, so that ten thousand of them cost a few hundred wakes of
/// one task, and no timer of their own.
const TICK: Duration = Duration::from_millis(25);

/// Fires deadlines, with one timer for all of them. Firing early or late is harmless: whatever is woken
/// checks what is due, which may be nothing.
#[derive(Debug)]
pub struct TimerQueue {
    started_at: Instant,
    slots: Mutex<Slots>,
    /// A deadline was inserted that is earlier than all others.
    is_due_earlier: Notify,
}

/// What is called at its deadlines without being a task: a room.
pub trait OnDeadline: Debug + Send + Sync {
    /// A deadline has come, which may no longer be valid.
    fn on_deadline(self: Arc<Self>);
}

#[derive(Debug, Default)]
struct Slots {
    /// Connections at the end of a tick, rooms at the exact time.
    due: BTreeMap<Instant, Vec<Sleeper>>,
    /// Whether a task sleeps until the first deadline.
    is_running: bool,
}

/// Waits for a deadline.
#[derive(Debug)]
enum Sleeper {
    /// Its task is woken.
    Connection(Arc<WakeFlags>),
    /// It is called, unless it is dropped by then.
    Room(Weak<dyn OnDeadline>),
}

impl Sleeper {
    fn is(&self, flags: &Arc<WakeFlags>) -> bool {
        matches!(self, Self::Connection(other) if Arc::ptr_eq(other, flags))
    }

    fn wake(self) {
        match self {
            Self::Connection(flags) => flags.notify(WakeReasons::TIME),
            // In a task of its own, so that a long broadcast or a panic does not affect other deadlines.
            Self::Room(room) => {
                if let Some(room) = room.upgrade() {
                    tokio::spawn(async move { room.on_deadline() });
                }
            }
        }
    }
}

impl TimerQueue {
    /// An empty queue.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            started_at: Instant::now(),
            slots: Mutex::default(),
            is_due_earlier: Notify::new(),
        })
    }

    /// Notifies `flags` at `deadline` or up to a tick later, for [`WakeReasons::TIME`].
    pub fn insert_at(self: &Arc<Self>, flags: &Arc<WakeFlags>, deadline: Instant) {
        self.insert(Sleeper::Connection(Arc::clone(flags)), self.tick_not_before(deadline));
    }

    /// Calls the room at `deadline`, not at the end of a tick: a room has far fewer deadlines than its
    /// connections have.
    pub fn insert_room(self: &Arc<Self>, room: Weak<dyn OnDeadline>, deadline: Instant) {
        self.insert(Sleeper::Room(room), deadline);
    }

    fn insert(self: &Arc<Self>, sleeper: Sleeper, deadline: Instant) {
        let mut slots = self.lock();
        let is_earliest = slots.due.keys().next().is_none_or(|first| deadline < *first);
        slots.due.entry(deadline).or_default().push(sleeper);
        if !mem::replace(&mut slots.is_running, true) {
            tokio::spawn(Arc::clone(self).run());
        } else if is_earliest {
            self.is_due_earlier.notify_one();
        }
    }

    /// Removes the `deadline` of a connection that ends.
    ///
    /// Otherwise the flags of thousands that come and go at once would be kept until their deadlines.
    pub fn remove(&self, flags: &Arc<WakeFlags>, deadline: Instant) {
        let tick = self.tick_not_before(deadline);
        let mut slots = self.lock();
        if let Entry::Occupied(mut due) = slots.due.entry(tick) {
            let place = due.get().iter().position(|sleeper| sleeper.is(flags));
            drop(place.map(|place| due.get_mut().swap_remove(place)));
            if due.get().is_empty() {
                due.remove();
            }
        }
    }

    /// Sleeps from deadline to deadline for as long as there is one.
    async fn run(self: Arc<Self>) {
        while let Some(next) = self.next() {
            tokio::select! {
                () = sleep_until(next) => self.fire(Instant::now()),
                () = self.is_due_earlier.notified() => {}
            }
        }
    }

    /// The first deadline; without one, the task that asks ends.
    fn next(&self) -> Option<Instant> {
        let mut slots = self.lock();
        let next = slots.due.keys().next().copied();
        slots.is_running = next.is_some();
        next
    }

    fn fire(&self, now: Instant) {
        let due = {
            let mut slots = self.lock();
            let later = slots.due.split_off(&(now + Duration::from_nanos(1)));
            mem::replace(&mut slots.due, later)
        };
        due.into_values().flatten().for_each(Sleeper::wake);
    }

    /// The end of the tick that `deadline` is in.
    fn tick_not_before(&self, deadline: Instant) -> Instant {
        let passed = deadline.saturating_duration_since(self.started_at);
        let ticks = passed.as_nanos().div_ceil(TICK.as_nanos());
        self.started_at + TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
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

    #[derive(Debug, Default)]
    struct RecordingRoom(Mutex<Vec<Instant>>);

    impl OnDeadline for RecordingRoom {
        fn on_deadline(self: Arc<Self>) {
            self.0.lock().unwrap().push(Instant::now());
        }
    }

    fn take_wake(flags: &WakeFlags) -> bool {
        poll_fn(|context| flags.poll(context)).now_or_never().is_some()
    }

    proptest! {
        #[test]
        fn each_connection_is_woken_within_a_tick_after_its_deadline(waits in prop::collection::vec((0..20_000_u64, 0..3_000_u64), 1..20)) {
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
                        let woken_at = Instant::now();
                        (deadline <= woken_at, woken_at <= deadline + TICK + Duration::from_millis(1))
                    }));
                    sleep(Duration::from_millis(pause)).await;
                }
                for is_in_time in waiting {
                    prop_assert_eq!(is_in_time.await.unwrap(), (true, true));
                }
                // Without deadlines, no task is left.
                prop_assert!(!timers.lock().is_running);
                Ok(())
            })?;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn connection_is_woken_once_for_each_of_its_deadlines() {
        let timers = TimerQueue::new();
        let flags = Arc::new(WakeFlags::default());
        timers.insert_at(&flags, Instant::now() + Duration::from_secs(1));
        timers.insert_at(&flags, Instant::now() + Duration::from_secs(2));
        for _ in 0..2 {
            assert!(!take_wake(&flags));
            sleep(Duration::from_millis(1_030)).await;
            assert!(take_wake(&flags));
        }
        sleep(Duration::from_secs(10)).await;
        assert!(!take_wake(&flags));
    }

    #[tokio::test(start_paused = true)]
    async fn room_is_called_at_the_exact_deadline_among_the_ticks_of_connections() {
        let timers = TimerQueue::new();
        let (flags, room) = (Arc::new(WakeFlags::default()), Arc::new(RecordingRoom::default()));
        let start = Instant::now();
        let deadlines = [26, 7, 49].map(|milliseconds| start + Duration::from_millis(milliseconds));
        for deadline in deadlines {
            timers.insert_at(&flags, deadline);
            let weak = Arc::<RecordingRoom>::downgrade(&room);
            timers.insert_room(weak, deadline);
        }
        sleep(Duration::from_millis(24)).await;
        assert!(!take_wake(&flags), "a tick is over at 25 ms");
        sleep(Duration::from_millis(36)).await;
        assert!(take_wake(&flags));
        assert_eq!(*room.0.lock().unwrap(), [deadlines[1], deadlines[0], deadlines[2]]);
        assert!(!timers.lock().is_running);
    }

    #[tokio::test(start_paused = true)]
    async fn room_that_is_dropped_is_not_kept_for_its_deadline() {
        let timers = TimerQueue::new();
        let room = Arc::new(RecordingRoom::default());
        let weak = Arc::<RecordingRoom>::downgrade(&room);
        timers.insert_room(weak.clone(), Instant::now() + Duration::from_secs(1));
        drop(room);
        assert!(weak.upgrade().is_none());
        sleep(Duration::from_secs(2)).await;
        assert!(!timers.lock().is_running);
    }

    #[tokio::test(start_paused = true)]
    async fn removed_connection_is_not_kept_and_others_of_its_tick_are_woken() {
        let timers = TimerQueue::new();
        let (removed, kept) = (Arc::new(WakeFlags::default()), Arc::new(WakeFlags::default()));
        let deadline = Instant::now() + Duration::from_secs(10);
        for flags in [&removed, &kept] {
            timers.insert_at(flags, deadline);
        }
        timers.remove(&removed, deadline);
        timers.remove(&removed, deadline);
        assert_eq!((Arc::strong_count(&removed), Arc::strong_count(&kept)), (1, 2));
        sleep(Duration::from_secs(11)).await;
        assert!(!take_wake(&removed) && take_wake(&kept));
    }
}
