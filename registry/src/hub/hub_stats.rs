//! What the hub has done since it was made, as numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a hub has done, over all of its rooms; each number only grows.
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

    /// Clients that came back and got only what they had missed.
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
