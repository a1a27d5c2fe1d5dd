//! Counters of a hub since it was created.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters over all rooms of a hub; none ever decreases.
#[derive(Debug, Default)]
pub struct HubStats {
    changes: AtomicU64,
    broadcasts: AtomicU64,
    snapshots: AtomicU64,
    resumes: AtomicU64,
}

impl HubStats {
    /// Changes of rows that were broadcast.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Broadcasts to a room; each wakes all of its subscribers.
    pub fn broadcasts(&self) -> u64 {
        self.broadcasts.load(Ordering::Relaxed)
    }

    /// Whole lists that were sent.
    pub fn snapshots(&self) -> u64 {
        self.snapshots.load(Ordering::Relaxed)
    }

    /// Reconnections that were answered with the missed changes only.
    pub fn resumes(&self) -> u64 {
        self.resumes.load(Ordering::Relaxed)
    }

    pub(super) fn count_broadcast(&self, changes: u64) {
        self.broadcasts.fetch_add(1, Ordering::Relaxed);
        self.changes.fetch_add(changes, Ordering::Relaxed);
    }

    pub(super) fn count_snapshot(&self) {
        self.snapshots.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_resume(&self) {
        self.resumes.fetch_add(1, Ordering::Relaxed);
    }
}
