//! Which work is next: that of the address which has used the least processor time lately. Pure.

use std::{collections::BTreeMap, time::Duration};

/// The work of an address that has used more than this is done in the background. It is what some hundred pages take.
pub(super) const MOST_IN_FOREGROUND: Duration = Duration::from_secs(1);

/// So many jobs wait at most. An address has few of them: see [`Account::turn`](crate::admission::Account::turn).
pub(super) const MOST_JOBS: usize = 4_096;

/// How urgent work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Of addresses that ask for what people ask for.
    Foreground,
    /// Of addresses that ask for more, which wait for everybody else.
    Background,
}

/// The jobs that wait.
#[derive(Debug)]
pub(super) struct Queue<Job> {
    waiting: BTreeMap<Rank, Job>,
    pushed: u64,
}

/// A lower one is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// What the address had used when it asked.
    used: Duration,
    /// Among equals, the first one is next.
    number: u64,
}

impl Urgency {
    /// That of an address which has used so much lately.
    pub(super) fn of(used: Duration) -> Self {
        if used > MOST_IN_FOREGROUND { Self::Background } else { Self::Foreground }
    }
}

impl<Job> Default for Queue<Job> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), pushed: 0 }
    }
}

impl<Job> Queue<Job> {
    /// Adds a job of an address that has used so much lately. Returns the one that gives way if there are too many.
    pub(super) fn push(&mut self, used: Duration, job: Job) -> Option<Job> {
        self.pushed += 1;
        self.waiting.insert(Rank { used, number: self.pushed }, job);
        let is_full = self.waiting.len() > MOST_JOBS;
        is_full.then(|| self.waiting.pop_last()).flatten().map(|(_, job)| job)
    }

    /// Removes the job that is next.
    pub(super) fn pop(&mut self, urgency: Urgency) -> Option<Job> {
        let first = match urgency {
            Urgency::Foreground => self.waiting.first_key_value(),
            Urgency::Background => {
                let least = Rank { used: MOST_IN_FOREGROUND, number: u64::MAX };
                self.waiting.range(least..).next()
            }
        };
        let (rank, _) = first?;
        let rank = *rank;
        (Urgency::of(rank.used) == urgency).then(|| self.waiting.remove(&rank)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn address_that_has_used_the_least_is_next() {
        let mut queue = Queue::default();
        for (used, job) in [(4, "a"), (0, "b"), (2, "c"), (0, "d"), (2, "e")] {
            assert_eq!(queue.push(used * SECOND, job), None);
        }
        let mut all = |urgency| std::iter::from_fn(|| queue.pop(urgency)).collect::<Vec<_>>();
        assert_eq!(all(Urgency::Foreground), ["b", "d"]);
        assert_eq!(all(Urgency::Background), ["c", "e", "a"]);
    }

    #[test]
    fn address_that_has_used_the_most_gives_way() {
        let mut queue = Queue::default();
        for number in 0..MOST_JOBS {
            assert_eq!(queue.push(2 * SECOND, number), None);
        }
        assert_eq!(queue.push(Duration::ZERO, MOST_JOBS), Some(MOST_JOBS - 1));
        assert_eq!(queue.push(3 * SECOND, MOST_JOBS + 1), Some(MOST_JOBS + 1));
        assert_eq!(queue.pop(Urgency::Foreground), Some(MOST_JOBS));
    }

    proptest! {
        /// Each job is taken once, by the threads of its urgency, and none that waited is less urgent than one that did not.
        #[test]
        fn every_job_is_taken_once(
            steps in prop::collection::vec(prop::option::of(0..2_000_u64), 1..300),
            is_foreground in prop::collection::vec(any::<bool>(), 300),
        ) {
            let mut queue = Queue::default();
            let mut waiting: Vec<u64> = Vec::new();
            for (step, is_foreground) in steps.into_iter().zip(is_foreground) {
                let Some(used) = step else {
                    let urgency =
                        if is_foreground { Urgency::Foreground } else { Urgency::Background };
                    let popped = queue.pop(urgency);
                    let mut of_urgency: Vec<u64> = waiting.clone();
                    of_urgency.retain(|used| Urgency::of(Duration::from_millis(*used)) == urgency);
                    prop_assert_eq!(popped, of_urgency.into_iter().min());
                    if let Some(place) = waiting.iter().position(|used| Some(*used) == popped) {
                        waiting.remove(place);
                    }
                    continue;
                };
                prop_assert_eq!(queue.push(Duration::from_millis(used), used), None);
                waiting.push(used);
            }
            prop_assert_eq!(queue.waiting.len(), waiting.len());
        }
    }
}
