//! The threads that do the work: as many as cores for each urgency.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use super::queue::{Queue, Urgency};
use crate::processor_time::{cores, lower_priority};

/// Work that may panic.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The threads, which end when this is dropped, without being waited for.
pub(super) struct Threads {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    foreground: Condvar,
    background: Condvar,
}

#[derive(Default)]
struct State {
    queue: Queue<Job>,
    is_closed: bool,
}

impl Urgency {
    /// How much the threads give way to others (nice): work in the background gets a tenth of a core that others want.
    fn niceness(self) -> i32 {
        match self {
            Self::Foreground => 0,
            Self::Background => 10,
        }
    }

    /// At most 15 bytes, which is what the system keeps.
    fn thread_name(self) -> &'static str {
        match self {
            Self::Foreground => "work",
            Self::Background => "background-work",
        }
    }
}

impl Threads {
    pub(super) fn start() -> io::Result<Self> {
        // Where one can't be started, those before it end with this.
        let threads = Self { shared: Arc::default() };
        for urgency in [Urgency::Foreground, Urgency::Background] {
            for _ in 0..cores() {
                let shared = Arc::clone(&threads.shared);
                let thread = thread::Builder::new().name(urgency.thread_name().to_owned());
                thread.spawn(move || {
                    lower_priority(urgency.niceness());
                    shared.work(urgency);
                })?;
            }
        }
        Ok(threads)
    }

    /// Adds a job for an address that has used so much processor time lately.
    pub(super) fn push(&self, used: Duration, job: Job) {
        let given_up = self.shared.lock().queue.push(used, job);
        match Urgency::of(used) {
            Urgency::Foreground => self.shared.foreground.notify_one(),
            Urgency::Background => self.shared.background.notify_one(),
        }
        // Without the lock: its caller is told.
        drop(given_up);
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.foreground.notify_all();
        self.shared.background.notify_all();
    }
}

impl Shared {
    /// Does the work of this urgency until the queue is closed.
    fn work(&self, urgency: Urgency) {
        while let Some(job) = self.next(urgency) {
            // The panic hook has logged it, and the caller sees that there is no result.
            drop(catch_unwind(AssertUnwindSafe(job)));
        }
    }

    fn next(&self, urgency: Urgency) -> Option<Job> {
        let condition = match urgency {
            Urgency::Foreground => &self.foreground,
            Urgency::Background => &self.background,
        };
        let mut state = self.lock();
        while !state.is_closed {
            if let Some(job) = state.queue.pop(urgency) {
                return Some(job);
            }
            state = condition.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Threads {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Threads").finish_non_exhaustive()
    }
}
