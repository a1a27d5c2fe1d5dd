//! What a request gets that is rejected for a limit of its client: for that of connections before it was read.

use app::ssr::{Language, rejected_document};
use axum::{
    http::{HeaderMap, HeaderValue, Uri, header},
    response::{Html, IntoResponse, Response},
};
use leptos::nonce::Nonce;

use super::{
    page_language::PageLanguage,
    security_headers::{
        Framing, HeaderPolicy, allow_any_origin, apply_security_headers, set_page_policy,
    },
    socket_check,
};
use crate::{admission::Rejection, api::problem::Problem, bearer};

/// A page or a frame gets one that loads it by itself later, as nobody can reload a frame. A page that asks why it has no
/// socket gets the reason as it reads it, and so does a program with a key. Anything else gets the sentence alone.
pub(crate) fn answer(rejection: Rejection, uri: &Uri, headers: &HeaderMap) -> Response {
    let language = || PageLanguage::of(uri, headers).language;
    match view_of_room(uri.path()) {
        Some("embed") => page(rejection, language(), Framing::Allowed),
        Some("socket") => socket_check::rejected(rejection),
        // Only programs with a key send one.
        _ if bearer::sent(headers).is_some() => Problem::from(rejection).into_response(),
        _ if is_navigation(headers) => page(rejection, language(), Framing::Forbidden),
        _ => rejection.response(),
    }
}

/// Browsers ask for pages like this, and for files and data otherwise.
fn is_navigation(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
    accepted.starts_with(b"text/html")
}

fn page(rejection: Rejection, language: Language, framing: Framing) -> Response {
    let (parts, _) = rejection.response().into_parts();
    let nonce = Nonce::new();
    let seconds = with_jitter(rejection.retry_after());
    let document = rejected_document(language, rejection.cause(), seconds, &nonce);
    let mut response = (parts.status, Html(document)).into_response();
    // Its own type stays.
    for name in [header::RETRY_AFTER, header::CACHE_CONTROL] {
        if let Some(value) = parts.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    let header_policy = HeaderPolicy::default();
    set_page_policy(response.headers_mut(), &nonce, framing, header_policy);
    // A sandboxed frame that is loaded learns when to ask again.
    allow_any_origin(response.headers_mut());
    let exposed = HeaderValue::from_static("retry-after");
    response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    apply_security_headers(&mut response, header_policy);
    response
}

/// All frames of a site are rejected at once, and must not come back at once.
fn with_jitter(seconds: u64) -> u64 {
    let random = getrandom::u64().unwrap_or_default();
    seconds + random % (seconds + 1)
}

/// What a path has after the room, at the root or below the base path.
fn view_of_room(path: &str) -> Option<&str> {
    let mut segments = path.rsplit('/').skip_while(|segment| segment.is_empty());
    let view = segments.next()?;
    (segments.nth(1) == Some("r")).then_some(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_of_rooms_are_known_below_any_base_path() {
        for (path, view) in [
            ("/r/team/embed", Some("embed")),
            ("/r/team/embed/", Some("embed")),
            ("/rollcall/r/team/embed", Some("embed")),
            ("/r/team/socket", Some("socket")),
            ("/r/embed", None),
            ("/r/team", None),
            ("/embed", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(view_of_room(path), view, "{path}");
        }
    }

    #[test]
    fn frames_come_back_at_different_times_and_none_too_early() {
        let waits: Vec<u64> = (0..200).map(|_| with_jitter(5)).collect();
        assert!(waits.iter().all(|wait| (5..=10).contains(wait)), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    }
}
