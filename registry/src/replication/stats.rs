//! Counters of a server's part in its cluster.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A counter, which only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The current value.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }
}

/// Counters over all rooms, since the process began.
#[derive(Debug, Default)]
pub struct ClusterStats {
    /// Links to the engine that were made.
    pub links: Counter,
    /// Batches that were appended.
    pub appends: Counter,
    /// Batches that were not: a deadline was not there yet, or another server was first.
    pub appends_in_vain: Counter,
    /// The time that appending took, in microseconds.
    pub append_microseconds: Counter,
    /// Commands of all servers that were applied.
    pub commands: Counter,
    /// Entries of all servers that were applied.
    pub entries: Counter,
    /// Entries that did not follow what was known: the room was opened again.
    pub gaps: Counter,
    /// Rooms that were loaded as a whole.
    pub snapshot_loads: Counter,
    /// Rooms that were stored in the engine.
    pub snapshots_saved: Counter,
    /// Lives that this server has begun.
    pub incarnations: Counter,
    /// Times that a dead server was declared so in a room.
    pub expirations: Counter,
    /// Epochs that were replaced, because writes may have been lost.
    pub epoch_changes: Counter,
    /// Lists that differed from those of another server: faults of the program.
    pub divergences: Counter,
}

impl ClusterStats {
    pub(crate) fn count_append(&self, took: Duration) {
        self.appends.count();
        self.append_microseconds.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
}
