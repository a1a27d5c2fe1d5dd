//! Conditional requests: `ETag` and `If-None-Match` (RFC 9110, section 13).

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// Adds an `ETag` to every file, and answers 304 to clients that have the file already.
///
/// The tag is weak, as it is the same for all content codings of a file.
pub(crate) async fn conditional_get(mut request: Request, next: Next) -> Response {
    let known: Vec<HeaderValue> =
        request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect();
    if !known.is_empty() {
        // `If-None-Match` takes precedence (RFC 9110, section 13.2.2).
        request.headers_mut().remove(header::IF_MODIFIED_SINCE);
    }
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let Some(tag) = etag(response.headers()) else { return response };
    let is_known = is_safe && known.iter().any(|list| matches(list, &tag));
    response.headers_mut().insert(header::ETAG, tag);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        let headers = response.headers_mut();
        for body_header in [header::CONTENT_LENGTH, header::CONTENT_TYPE, header::CONTENT_ENCODING]
        {
            headers.remove(body_header);
        }
    }
    response
}

/// The response's own tag, else one from the file's modification time and length.
fn etag(headers: &HeaderMap) -> Option<HeaderValue> {
    if let Some(tag) = headers.get(header::ETAG) {
        return Some(tag.clone());
    }
    let changed = headers.get(header::LAST_MODIFIED)?.to_str().ok()?;
    let length: u64 = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
    // Only characters of the date that are allowed in a tag.
    let changed: String = changed.chars().filter(char::is_ascii_alphanumeric).collect();
    HeaderValue::from_str(&format!("W/\"{changed}-{length:x}\"")).ok()
}

/// Whether `If-None-Match` names this tag; weak and strong ones are the same here.
fn matches(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let opaque = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    let (Ok(list), Ok(tag)) = (list.to_str(), tag.to_str()) else { return false };
    list.trim() == "*" || list.split(',').any(|known| opaque(known) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> HeaderValue {
        text.parse().unwrap()
    }

    fn tag(changed: &str, length: &str) -> Option<HeaderValue> {
        let headers = [(header::LAST_MODIFIED, changed), (header::CONTENT_LENGTH, length)];
        etag(&headers.into_iter().map(|(name, text)| (name, value(text))).collect())
    }

    #[test]
    fn the_tag_changes_with_time_and_length() {
        let first = tag("Tue, 24 Nov 2026 10:00:00 GMT", "26").unwrap();
        assert_eq!(first, "W/\"Tue24Nov2026100000GMT-1a\"");
        assert_eq!(tag("Tue, 24 Nov 2026 10:00:00 GMT", "26").unwrap(), first);
        assert_ne!(tag("Tue, 24 Nov 2026 10:00:01 GMT", "26").unwrap(), first);
        assert_ne!(tag("Tue, 24 Nov 2026 10:00:00 GMT", "27").unwrap(), first);
        assert_eq!(tag("Tue, 24 Nov 2026 10:00:00 GMT", "many"), None);
    }

    #[test]
    fn a_list_matches_only_the_tags_in_it() {
        let own = value("W/\"a-1\"");
        for list in ["*", "W/\"a-1\"", "\"a-1\"", "\"b\", W/\"a-1\"", " W/\"a-1\" ,\"c\""] {
            assert!(matches(&value(list), &own), "{list}");
        }
        for list in ["", "\"a-2\"", "a-1", "W/\"a-1", "\"a-1\"x"] {
            assert!(!matches(&value(list), &own), "{list}");
        }
    }
}
