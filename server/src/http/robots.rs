//! What search engines are told: they find no room.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};

/// `GET /robots.txt`: robots may ask for every address, as they read `noindex` only where they may.
pub(crate) async fn robots() -> &'static str {
    "User-agent: *\nAllow: /\n"
}

/// Keeps whatever is answered below `/r`, `/api` and `/socket.io` out of search engines, also redirects and errors: a room can be
/// private by its unguessable name, and has names in it.
pub(crate) async fn noindex(request: Request, next: Next) -> Response {
    const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
    // Without the slashes that lead to a redirect. The path `/` is the lobby's.
    let first = request.uri().path().split('/').find(|segment| !segment.is_empty());
    let is_of_a_room = matches!(first, None | Some("r" | "api" | "socket.io"));
    let mut response = next.run(request).await;
    if is_of_a_room {
        response.headers_mut().insert(X_ROBOTS_TAG, HeaderValue::from_static("noindex"));
    }
    response
}
