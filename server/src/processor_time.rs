//! The processor time that work takes on its thread, how many cores such work may use, and which thread goes first.

use std::{num::NonZero, sync::LazyLock, thread::available_parallelism, time::Duration};

/// Counted once: the system is asked by reading files.
static CORES: LazyLock<usize> = LazyLock::new(|| available_parallelism().map_or(1, NonZero::get));

/// All cores that this process may use.
pub(crate) fn cores() -> usize {
    *CORES
}

/// All cores but one, and one at least: the other is left for everybody else.
pub(crate) fn cores_but_one() -> usize {
    (cores() - 1).max(1)
}

/// Does the work, and measures the processor time that this thread needs for it: what it waits for, and what other
/// programs do meanwhile, does not count.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = of_this_thread();
    let result = work();
    (result, of_this_thread().saturating_sub(before))
}

/// Since the thread began.
#[cfg(unix)]
pub(crate) fn of_this_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    // It is never negative.
    Duration::try_from(time).unwrap_or_default()
}

/// Elsewhere no work takes any time, and only the fixed prices count.
#[cfg(not(unix))]
pub(crate) fn of_this_thread() -> Duration {
    Duration::ZERO
}

/// Lets this thread give way to threads of a lower niceness, from 0, which is the usual one, to 19.
///
/// It fails only where the system forbids the call; then all threads are equal.
#[cfg(target_os = "linux")]
pub(crate) fn lower_priority(niceness: i32) {
    use rustix::{
        process::{Pid, setpriority_process},
        thread::gettid,
    };
    if niceness == 0 {
        return;
    }
    // On Linux the call accepts the id of a thread.
    let this_thread = Pid::from_raw(gettid().as_raw_nonzero().get());
    if let Err(error) = setpriority_process(this_thread, niceness) {
        tracing::debug!(%error, "the priority of a thread can't be lowered");
    }
}

/// Elsewhere a thread has no priority of its own.
#[cfg(not(target_os = "linux"))]
pub(crate) fn lower_priority(_niceness: i32) {}

#[cfg(all(test, unix))]
mod tests {
    use std::{hint::black_box, thread};

    use super::*;

    /// Works until this thread has used so much.
    fn work(time: Duration) {
        let before = of_this_thread();
        while of_this_thread().saturating_sub(before) < time {
            black_box(0);
        }
    }

    #[test]
    fn only_the_work_of_this_thread_counts() {
        let time = Duration::from_millis(20);
        let ((), own) = measured(|| work(time));
        assert!(own >= time, "{own:?}");
        // It waits for the other one.
        let ((), others) = measured(|| thread::spawn(move || work(time)).join().unwrap());
        assert!(others < own, "{others:?}");
    }
}
