//! Requests for a name that is not the site's are refused, and the log says what helps.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use crate::{
    admission::SiteNames,
    telemetry::{metrics::METRICS, warning_interval::WarningInterval},
};

/// Checks the names that are asked for, on both listeners.
#[derive(Debug, Default)]
pub(crate) struct NameCheck {
    names: SiteNames,
    warning: WarningInterval,
}

impl NameCheck {
    pub(crate) fn new(names: SiteNames) -> Self {
        Self { names, warning: WarningInterval::default() }
    }

    /// Refuses a request for another name (RFC 9110, section 15.5.20): its answer would be readable by the page of
    /// whoever owns that name.
    pub(crate) fn check(&self, host: Option<&str>) -> Result<(), Box<Response>> {
        let Err(misdirected) = self.names.admit(host) else { return Ok(()) };
        METRICS.misdirected_requests.count();
        if self.warning.is_due(Instant::now()) {
            // The name of a site, not of a visitor. Any client can send any name, but no other text.
            tracing::warn!(
                name = misdirected.name,
                "a request for a name that is not the site's was refused: if people use that name, set host, or \
                 public-url behind a proxy; else a page of that name tried to read lists (DNS rebinding)"
            );
        }
        let no_store = [(header::CACHE_CONTROL, "no-store")];
        let sentence = format!("{misdirected}\n");
        Err(Box::new((StatusCode::MISDIRECTED_REQUEST, no_store, sentence).into_response()))
    }
}
