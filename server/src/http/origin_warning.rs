//! The log's warning that sockets are refused for their origin: most often a proxy is misconfigured.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::visit::Visit;
use crate::admission::Origin;

/// How often the warning is repeated at most.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);

/// When the last warning was logged.
#[derive(Debug, Default)]
pub struct OriginWarning(Mutex<Option<Instant>>);

impl OriginWarning {
    /// Logs that a socket was refused, unless that was logged within the last minute.
    ///
    /// Both are names of sites, not of visitors. Any client can send any text, so only valid names are logged.
    pub(crate) fn log(&self, origin: Option<&str>, visit: &Visit) {
        if !self.is_due(Instant::now()) {
            return;
        }
        let origin = origin.and_then(|text| text.parse::<Origin>().ok());
        let origin = origin.map_or_else(|| "none".to_owned(), |origin| origin.to_string());
        let site = visit.origin().unwrap_or_else(|| "none".to_owned());
        tracing::warn!(
            origin,
            site,
            "a socket was refused, as its page's origin is not the site's: set public-url, or allowed-origins \
             for the pages of another site, or let the proxy pass Host on (nginx: proxy_set_header Host $http_host)"
        );
    }

    fn is_due(&self, now: Instant) -> bool {
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
        let (warning, start) = (OriginWarning::default(), Instant::now());
        let due = [0, 1, 59, 60, 61, 119, 120]
            .map(|seconds| warning.is_due(start + Duration::from_secs(seconds)));
        assert_eq!(due, [true, false, false, true, false, false, true]);
    }
}
