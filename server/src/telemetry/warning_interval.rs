//! How often a warning is repeated that strangers can provoke.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How often a warning is repeated at most.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);

/// When a warning was logged last.
#[derive(Debug, Default)]
pub struct WarningInterval(Mutex<Option<Instant>>);

impl WarningInterval {
    /// Whether the warning is due, because it was not logged within the last minute. If so, it counts as logged.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now.duration_since(last) >= WARNING_INTERVAL);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warning_is_due_once_a_minute() {
        let (warning, start) = (WarningInterval::default(), Instant::now());
        let due = [0, 1, 59, 60, 61, 119, 120]
            .map(|seconds| warning.is_due(start + Duration::from_secs(seconds)));
        assert_eq!(due, [true, false, false, true, false, false, true]);
    }
}
