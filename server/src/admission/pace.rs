//! How many requests of one address begin at a time.
//!
//! The threads of the server take tasks in the order in which they became ready. So when fifty connections of one address
//! are ready, everybody else's next step waits for fifty answers, however small they are: and a page has several steps.
//! Therefore some requests of an address begin, and the next ones only after all tasks that are ready by then have run.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{sync::Semaphore, task::yield_now};

use crate::processor_time::cores;

/// For each core.
const MOST_AT_A_TIME: usize = 2;

/// The pace of one address, or of the operator's listener.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Requests that may begin before others have run.
    free: Semaphore,
    /// Those that have.
    begun: AtomicUsize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { free: Semaphore::new(cores() * MOST_AT_A_TIME), begun: AtomicUsize::new(0) }
    }
}

impl Pace {
    /// Waits until it is this request's turn.
    pub(crate) async fn begin(self: &Arc<Self>) {
        // The semaphore is never closed.
        let Ok(permit) = self.free.acquire().await else { return };
        permit.forget();
        if self.begun.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let pace = Arc::clone(self);
        tokio::spawn(async move {
            // The runtime puts off a task that yields until it has looked for news of the network.
            yield_now().await;
            pace.free.add_permits(pace.begun.swap(0, Ordering::AcqRel));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests of one address that are ready at once: how many of them begin between two turns of somebody else.
    #[tokio::test]
    async fn somebody_elses_task_runs_between_the_requests_of_one_address() {
        const REQUESTS: usize = 100;
        let (pace, begun) = (Arc::new(Pace::default()), Arc::new(AtomicUsize::new(0)));
        for _ in 0..REQUESTS {
            let (pace, begun) = (Arc::clone(&pace), Arc::clone(&begun));
            tokio::spawn(async move {
                pace.begin().await;
                begun.fetch_add(1, Ordering::Relaxed);
            });
        }
        let (mut before, mut most) = (0, 0);
        while before < REQUESTS {
            yield_now().await;
            let now = begun.load(Ordering::Relaxed);
            (before, most) = (now, most.max(now - before));
        }
        assert!(most <= cores() * MOST_AT_A_TIME, "{most} began");
    }

    #[tokio::test]
    async fn request_that_is_given_up_takes_no_turn() {
        let pace = Arc::new(Pace::default());
        for _ in 0..cores() * MOST_AT_A_TIME {
            pace.begin().await;
        }
        let given_up = tokio::spawn({
            let pace = Arc::clone(&pace);
            async move { pace.begin().await }
        });
        given_up.abort();
        for _ in 0..10 * cores() * MOST_AT_A_TIME {
            pace.begin().await;
        }
    }
}
