//! Counts of events.

use std::{collections::BTreeMap, fmt};

/// Counts of events by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    counts: BTreeMap<&'static str, u64>,
}

impl EventCounts {
    /// Counts an event.
    pub fn count(&mut self, what: &'static str) {
        self.add(what, 1);
    }

    /// Adds to the count of an event.
    pub fn add(&mut self, what: &'static str, times: u64) {
        *self.counts.entry(what).or_default() += times;
    }

    /// The count of an event.
    pub fn get(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// Adds all counts of another instance.
    pub fn extend(&mut self, other: &Self) {
        for (what, times) in &other.counts {
            self.add(what, *times);
        }
    }
}

impl fmt::Display for EventCounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in &self.counts {
            writeln!(formatter, "{times:>14}  {what}")?;
        }
        Ok(())
    }
}
