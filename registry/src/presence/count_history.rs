//! How many were here, minute by minute, over the last hour.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// How many minutes are remembered.
pub const MINUTES: usize = 60;

/// For each of the last [`MINUTES`] the most who were here at the same time.
///
/// It is written only when the count changes: the minutes in between follow from that.
/// Minutes are whole ones since the Unix epoch, so that it goes on over a restart, which holds every
/// row and so the count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountHistory {
    /// The minute of the last count.
    minute: u64,
    /// How many are here since the last change.
    now: u32,
    /// The oldest first; the last is of `minute`.
    most: VecDeque<u32>,
}

impl CountHistory {
    /// Begins in this minute, with so many people.
    pub fn new(minute: u64, count: usize) -> Self {
        let now = as_count(count);
        Self { minute, now, most: VecDeque::from([now]) }
    }

    /// From now on there are so many. A clock that went back stands still.
    pub fn observe(&mut self, minute: u64, count: usize) {
        self.advance_to(minute);
        self.now = as_count(count);
        if let Some(most) = self.most.back_mut() {
            *most = self.now.max(*most);
        }
    }

    /// The counts up to this minute, which is not over yet; the oldest first.
    pub fn counts(&self, minute: u64) -> Vec<u32> {
        let mut until_now = self.clone();
        until_now.advance_to(minute);
        until_now.most.into()
    }

    /// Whether this is how many there are already.
    pub fn is_current(&self, count: usize) -> bool {
        self.now == as_count(count)
    }

    /// In every minute that passed without a change there were as many as at its end.
    fn advance_to(&mut self, minute: u64) {
        let passed = minute.saturating_sub(self.minute);
        let passed = usize::try_from(passed).unwrap_or(MINUTES).min(MINUTES);
        self.most.extend(std::iter::repeat_n(self.now, passed));
        let too_many = self.most.len().saturating_sub(MINUTES);
        self.most.drain(..too_many);
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

    /// What happens in a room, as seconds until then and how many there are after it.
    fn any_life() -> impl Strategy<Value = Vec<(u64, usize)>> {
        let pause = prop_oneof![5 => 0..90_u64, 1 => 0..5_000_u64];
        prop::collection::vec((pause, 0..50_usize), 0..40)
    }

    /// The most in each of the last sixty minutes, by looking at every second.
    fn by_the_second(life: &[(u64, usize)], began: u64, end: u64) -> Vec<u32> {
        let mut most = std::collections::BTreeMap::new();
        let (mut second, mut count) = (began, 0);
        let mut note = |second: u64, count: usize| {
            let most: &mut usize = most.entry(second / 60).or_default();
            *most = count.max(*most);
        };
        for (pause, next) in life {
            (second..=second + pause).for_each(|second| note(second, count));
            second += pause;
            count = *next;
            note(second, count);
        }
        (second..=end).for_each(|second| note(second, count));
        let minutes: Vec<usize> = most.into_values().collect();
        let from = minutes.len().saturating_sub(MINUTES);
        minutes[from..].iter().map(|count| u32::try_from(*count).unwrap()).collect()
    }

    proptest! {
        /// It says what somebody would say who had looked at every second, and asking it changes nothing.
        #[test]
        fn it_is_as_if_somebody_had_always_looked(
            began in 0..100_000_u64,
            life in any_life(),
            rest in 0..10_000_u64,
        ) {
            let mut history = CountHistory::new(began / 60, 0);
            let mut second = began;
            for (pause, count) in &life {
                second += pause;
                history.counts(second / 60);
                history.observe(second / 60, *count);
            }
            let end = second + rest;
            prop_assert_eq!(history.counts(end / 60), by_the_second(&life, began, end));
            prop_assert!(history.is_current(life.last().map_or(0, |(_, count)| *count)));
        }

        /// What is kept goes on as if nothing had been between.
        #[test]
        fn it_goes_on_over_a_restart(life in any_life(), at in 0..40_usize) {
            let mut through = CountHistory::new(0, 0);
            let mut restarted = through.clone();
            let mut second = 0;
            for (index, (pause, count)) in life.iter().enumerate() {
                second += pause;
                if index == at {
                    let kept = serde_json::to_string(&restarted).unwrap();
                    restarted = serde_json::from_str(&kept).unwrap();
                }
                through.observe(second / 60, *count);
                restarted.observe(second / 60, *count);
            }
            prop_assert_eq!(through, restarted);
        }
    }

    #[test]
    fn a_clock_that_goes_back_stands_still() {
        let mut history = CountHistory::new(100, 2);
        history.observe(101, 5);
        history.observe(3, 1);
        assert_eq!(history.counts(0), [2, 5]);
        assert_eq!(history.counts(102), [2, 5, 1]);
    }

    #[test]
    fn one_who_came_and_went_within_a_minute_was_here() {
        let mut history = CountHistory::new(7, 0);
        history.observe(7, 1);
        history.observe(7, 0);
        assert_eq!(history.counts(9), [1, 0, 0]);
    }
}
