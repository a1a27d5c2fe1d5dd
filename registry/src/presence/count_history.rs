//! The number of people who are here, minute by minute, over the last hour.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The number of minutes that are kept.
pub const MINUTES: usize = 60;

/// What a page shows of the last [`MINUTES`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastHour {
    /// The maxima of the minutes before this one, the oldest first, and last the count now: what is shown beside it
    /// is the same count.
    pub counts: Vec<u32>,
    /// The highest count of all minutes, this one included.
    pub maximum: u32,
}

/// The highest count in each of the last [`MINUTES`].
///
/// It is written only when the count changes: the minutes in between follow from that. Minutes are whole
/// minutes since the Unix epoch, so that the history goes on after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountHistory {
    /// The minute of the last count.
    minute: u64,
    /// The last count.
    now: u32,
    /// The oldest first; the last is of `minute`.
    #[serde(rename = "most")]
    maxima: VecDeque<u32>,
}

impl CountHistory {
    /// Begins in this minute with this count.
    pub fn new(minute: u64, count: usize) -> Self {
        let now = as_count(count);
        Self { minute, now, maxima: VecDeque::from([now]) }
    }

    /// The count changes in this minute. If the clock was set back, it counts for the latest minute.
    pub fn record(&mut self, minute: u64, count: usize) {
        self.advance_to(minute);
        self.now = as_count(count);
        if let Some(maximum) = self.maxima.back_mut() {
            *maximum = self.now.max(*maximum);
        }
    }

    /// The minutes until this one.
    pub fn past_hour(&self, minute: u64) -> PastHour {
        let mut until_now = self.clone();
        until_now.advance_to(minute);
        let maximum = until_now.maxima.iter().copied().max().unwrap_or_default();
        if let Some(last) = until_now.maxima.back_mut() {
            *last = self.now;
        }
        PastHour { counts: until_now.maxima.into(), maximum }
    }

    /// Whether this is the last count already.
    pub fn is_current(&self, count: usize) -> bool {
        self.now == as_count(count)
    }

    /// Adds the minutes that have passed since, in which the count did not change.
    fn advance_to(&mut self, minute: u64) {
        let passed = minute.saturating_sub(self.minute);
        let passed = usize::try_from(passed).unwrap_or(MINUTES).min(MINUTES);
        self.maxima.extend(std::iter::repeat_n(self.now, passed));
        let excess = self.maxima.len().saturating_sub(MINUTES);
        self.maxima.drain(..excess);
        self.minute = self.minute.max(minute);
    }
}

fn as_count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Changes of a count: the seconds until each, and the count after it.
    fn any_changes() -> impl Strategy<Value = Vec<(u64, usize)>> {
        let pause = prop_oneof![5 => 0..90_u64, 1 => 0..5_000_u64];
        prop::collection::vec((pause, 0..50_usize), 0..40)
    }

    /// The reference model: the count is sampled every second; of the last minute the last sample counts.
    fn maxima_by_second(changes: &[(u64, usize)], start: u64, end: u64) -> Vec<u32> {
        let mut maxima = std::collections::BTreeMap::new();
        let (mut second, mut count) = (start, 0);
        let mut sample = |second: u64, count: usize| {
            let maximum: &mut usize = maxima.entry(second / 60).or_default();
            *maximum = count.max(*maximum);
        };
        for (pause, next) in changes {
            (second..=second + pause).for_each(|second| sample(second, count));
            second += pause;
            count = *next;
            sample(second, count);
        }
        (second..=end).for_each(|second| sample(second, count));
        let mut minutes: Vec<usize> = maxima.into_values().collect();
        *minutes.last_mut().unwrap() = count;
        let from = minutes.len().saturating_sub(MINUTES);
        minutes[from..].iter().map(|count| u32::try_from(*count).unwrap()).collect()
    }

    proptest! {
        /// Reading the counts changes nothing.
        #[test]
        fn history_has_the_maxima_of_a_count_that_is_sampled_every_second(
            start in 0..100_000_u64,
            changes in any_changes(),
            rest in 0..10_000_u64,
        ) {
            let mut history = CountHistory::new(start / 60, 0);
            let mut second = start;
            for (pause, count) in &changes {
                second += pause;
                history.past_hour(second / 60);
                history.record(second / 60, *count);
            }
            let end = second + rest;
            prop_assert_eq!(history.past_hour(end / 60).counts, maxima_by_second(&changes, start, end));
            prop_assert!(history.is_current(changes.last().map_or(0, |(_, count)| *count)));
        }

        #[test]
        fn saved_history_goes_on_after_a_restart(changes in any_changes(), at in 0..40_usize) {
            let mut uninterrupted = CountHistory::new(0, 0);
            let mut restarted = uninterrupted.clone();
            let mut second = 0;
            for (index, (pause, count)) in changes.iter().enumerate() {
                second += pause;
                if index == at {
                    let saved = serde_json::to_string(&restarted).unwrap();
                    restarted = serde_json::from_str(&saved).unwrap();
                }
                uninterrupted.record(second / 60, *count);
                restarted.record(second / 60, *count);
            }
            prop_assert_eq!(uninterrupted, restarted);
        }
    }

    #[test]
    fn clock_that_is_set_back_adds_no_minutes() {
        let mut history = CountHistory::new(100, 2);
        history.record(101, 5);
        history.record(3, 1);
        assert_eq!(history.past_hour(0).counts, [2, 1]);
        assert_eq!(history.past_hour(102).counts, [2, 5, 1]);
    }

    #[test]
    fn person_who_joins_and_leaves_within_a_minute_is_counted_from_the_next_minute_on() {
        let mut history = CountHistory::new(7, 0);
        history.record(7, 1);
        assert_eq!(history.past_hour(7).counts, [1]);
        history.record(7, 0);
        assert_eq!(history.past_hour(7), PastHour { counts: vec![0], maximum: 1 });
        assert_eq!(history.past_hour(9), PastHour { counts: vec![1, 0, 0], maximum: 1 });
    }
}
