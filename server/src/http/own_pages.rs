//! Whether a request that changes something, or opens a socket, comes from a page that may send it.

use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

use super::{app_state::AppState, visit::Visit};
use crate::admission::RequestOrigin;

/// The answer to another site's page.
const SENTENCE: &str = "This is only for the pages of this site. Whoever runs the server can change what counts as \
     its own with the setting public-url.\n";

impl AppState {
    /// Refuses what comes from a page that may open no socket: neither of this site nor of `allowed-origins`.
    pub(super) fn require_allowed_page(
        &self,
        headers: &HeaderMap,
        visit: &Visit,
    ) -> Result<(), Box<Response>> {
        let request = RequestOrigin::of(headers, visit.host.as_deref());
        self.admission.policy().origins.admit(request).map_err(|rejected| {
            self.origin_warning.log(request.origin, self.site_origin(visit));
            Box::new((StatusCode::FORBIDDEN, format!("{rejected}\n")).into_response())
        })
    }

    /// Refuses what another site's page sends with a visitor's cookies. `allowed-origins` does not count here: those
    /// sites may open sockets, and no more.
    ///
    /// A page whose forms come here needs [`REFERRER_POLICY`]: with `no-referrer` browsers hide its origin.
    pub(super) fn require_own_page(
        &self,
        headers: &HeaderMap,
        visit: &Visit,
    ) -> Result<(), Box<Response>> {
        let request = RequestOrigin::of(headers, visit.host.as_deref());
        self.admission.policy().origins.admit_own(request).map_err(|_| Box::new(refusal()))
    }

    /// Refuses what says of itself that another site's page sent it, for a form of a page that hides its own origin.
    pub(super) fn refuse_other_pages(
        &self,
        headers: &HeaderMap,
        visit: &Visit,
    ) -> Result<(), Box<Response>> {
        let request = RequestOrigin::of(headers, visit.host.as_deref());
        self.admission.policy().origins.admit_hidden(request).map_err(|_| Box::new(refusal()))
    }
}

fn refusal() -> Response {
    (StatusCode::FORBIDDEN, SENTENCE).into_response()
}

/// Of pages with forms: other sites learn nothing, and this one learns where its forms come from.
pub(super) const REFERRER_POLICY: &str = "same-origin";
