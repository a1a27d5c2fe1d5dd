//! `GET /cookie-check`: whether this request has the cookie that identifies the browser.
//!
//! A page can't know it: scripts don't see the cookie, a browser may refuse it although it keeps others, and a proxy
//! may drop it.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::IntoResponse,
};
use serde::Serialize;

use super::{app_state::AppState, visit::Visit};

#[derive(Debug, Serialize)]
struct CookieCheck {
    has_cookie: bool,
}

/// Says nothing about who it is.
pub(crate) async fn answer(
    State(state): State<AppState>,
    visit: Visit,
    headers: HeaderMap,
) -> impl IntoResponse {
    let has_cookie = state.cookies.known(&headers, state.site_port(&visit)).is_some();
    ([(header::CACHE_CONTROL, "no-store")], Json(CookieCheck { has_cookie }))
}
