//! What search engines are told: they find no room.

use axum::http::{HeaderName, HeaderValue};
use tower_http::set_header::SetResponseHeaderLayer;

/// `GET /robots.txt`: robots may ask for every address, as they read `noindex` only where they may.
pub(crate) async fn robots() -> &'static str {
    "User-agent: *\nAllow: /\n"
}

/// Keeps responses out of search engines. A room can be private by its unguessable name, and has names in it.
pub(crate) fn noindex() -> SetResponseHeaderLayer<HeaderValue> {
    const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
    SetResponseHeaderLayer::overriding(X_ROBOTS_TAG, HeaderValue::from_static("noindex"))
}
