//! The cookies of a request.

use axum::http::{HeaderMap, header};
use cookie::Cookie;

/// All cookies of this name: there may be several, of other paths or set by sibling domains.
pub(super) fn named(headers: &HeaderMap, name: &str) -> impl Iterator<Item = Cookie<'static>> {
    let lines = headers.get_all(header::COOKIE).iter();
    let all = lines.flat_map(|line| {
        // Other applications on the host may set cookies that are not UTF-8.
        Cookie::split_parse(String::from_utf8_lossy(line.as_bytes()).into_owned()).flatten()
    });
    all.filter(move |cookie| cookie.name() == name)
}
