//! The log's warning that sockets are refused for their origin: most often a proxy is misconfigured.

use tokio::time::Instant;

use crate::{admission::Origin, telemetry::warning_interval::WarningInterval};

/// When the last warning was logged.
#[derive(Debug, Default)]
pub struct OriginWarning(WarningInterval);

impl OriginWarning {
    /// Logs that a socket was refused, unless that was logged within the last minute.
    ///
    /// Both are names of sites, not of visitors. Any client can send any text, so only valid names are logged.
    pub(crate) fn log(&self, origin: Option<&str>, site: Option<String>) {
        if !self.0.is_due(Instant::now()) {
            return;
        }
        let origin = origin.and_then(|text| text.parse::<Origin>().ok());
        let origin = origin.map_or_else(|| "none".to_owned(), |origin| origin.to_string());
        let site = site.unwrap_or_else(|| "none".to_owned());
        tracing::warn!(
            origin,
            site,
            "a socket was refused, as its page's origin is not the site's: set public-url, or allowed-origins \
             for the pages of another site, or let the proxy pass Host on (nginx: proxy_set_header Host $http_host)"
        );
    }
}
