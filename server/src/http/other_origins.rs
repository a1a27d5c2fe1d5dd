//! What pages of other origins may load and read (CORS, in the Fetch standard).

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    app_state::AppState,
    security_headers::{allow_any_origin, allow_origin},
};

/// Scripts of the embed, which in a sandboxed frame is of no origin.
const FILES_OF_EMBED: [&str; 3] = ["/embed.js", "/feed.js", "/feed-hub.js"];

/// Scripts for other people's pages, built from `client`.
const FILES_OF_CLIENT: [&str; 2] = ["/client.js", "/roll-call.js"];

/// The addresses of programs: lists, exports and event streams.
const API: &str = "/api/";

/// Lets any page load the files that are meant for it.
///
/// Those for other people's pages have no hash in their address, and are revalidated each time: an update of the
/// server and one of its client are one.
pub(crate) async fn allow_files(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_of_client = FILES_OF_CLIENT.contains(&path);
    let is_of_embed = path.rsplit('.').next() == Some("css") || FILES_OF_EMBED.contains(&path);
    let mut response = next.run(request).await;
    let is_found = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    if is_found && (is_of_client || is_of_embed) {
        allow_any_origin(response.headers_mut());
    }
    if is_found && is_of_client {
        let no_cache = HeaderValue::from_static("no-cache");
        response.headers_mut().insert(header::CACHE_CONTROL, no_cache);
    }
    response
}

/// Lets pages of `allowed-origins` read lists, exports and event streams, and why one is refused.
///
/// Never pages of any origin: names are for those who have the room's page, or whom the operator allows. A browser asks
/// first (a preflight) for one thing that these pages may send: a token.
pub(crate) async fn allow_listed_origins(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with(API) {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_preflight = *request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && state.access.knows_tokens();
    let mut response = if is_preflight { preflight() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    // A sandboxed embed is of no origin, and has a key instead.
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return response;
    }
    let origins = &state.admission.policy().origins;
    if let Some(origin) =
        origin.filter(|origin| origin.to_str().is_ok_and(|text| origins.allows(text)))
    {
        allow_origin(headers, origin);
        let exposed = HeaderValue::from_static("retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response
}

/// What a page may send to read a list: a token. Only pages of `allowed-origins` are told so.
fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
