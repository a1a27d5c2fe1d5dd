//! When a client is sent the whole list: it costs as much as the list is long. Pure.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// The time between two lists that a client asks for because its own may be wrong.
const RESYNC_INTERVAL: Duration = Duration::from_secs(5);

/// At most so many lists in this time, for whatever reason.
const MOST_LISTS: usize = 4;
const MOST_LISTS_INTERVAL: Duration = Duration::from_secs(20);

/// Why a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListReason {
    /// It belongs to the answer: to `got_a_new_user` and to `watch`.
    Answer,
    /// The client asks for it again.
    Resync,
}

/// When the last lists were sent.
#[derive(Debug, Default)]
pub(super) struct ListPace(VecDeque<Instant>);

impl ListPace {
    /// When the next list may be sent.
    pub(super) fn next(&self, reason: ListReason, now: Instant) -> Instant {
        let after_oldest = match self.0.front() {
            Some(oldest) if self.0.len() >= MOST_LISTS => *oldest + MOST_LISTS_INTERVAL,
            _ => now,
        };
        let after_last = match (reason, self.0.back()) {
            (ListReason::Resync, Some(last)) => *last + RESYNC_INTERVAL,
            _ => now,
        };
        after_oldest.max(after_last).max(now)
    }

    /// A list is sent.
    pub(super) fn on_sent(&mut self, now: Instant) {
        if self.0.len() >= MOST_LISTS {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds at which lists are sent to a client that always asks for the next one at once.
    fn sent(reason: ListReason, count: usize) -> Vec<u64> {
        let start = Instant::now();
        let (mut pace, mut now) = (ListPace::default(), start);
        let mut seconds = Vec::new();
        for _ in 0..count {
            now = pace.next(reason, now);
            pace.on_sent(now);
            seconds.push((now - start).as_secs());
        }
        seconds
    }

    #[test]
    fn answers_have_their_list_at_once_until_there_are_too_many() {
        assert_eq!(sent(ListReason::Answer, 9), [0, 0, 0, 0, 20, 20, 20, 20, 40]);
    }

    #[test]
    fn list_is_sent_again_once_in_five_seconds() {
        assert_eq!(sent(ListReason::Resync, 6), [0, 5, 10, 15, 20, 25]);
    }
}
