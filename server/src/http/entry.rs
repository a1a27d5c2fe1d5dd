//! What happens to every request before it is routed.

use app::ssr::BasePath;
use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, Uri, Version, header, uri::PathAndQuery},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

/// Serves the routes at the root and below the base path: some proxies strip it, and others keep it.
pub(crate) fn with_base_path(routes: Router, base_path: BasePath) -> Router {
    let prepare = middleware::from_fn_with_state(base_path, prepare);
    Router::new().fallback_service(routes).layer(prepare)
}

async fn prepare(State(base_path): State<BasePath>, mut request: Request, next: Next) -> Response {
    if !has_unambiguous_host(&request) {
        let sentence = "This request needs one Host header.\n";
        return (StatusCode::BAD_REQUEST, sentence).into_response();
    }
    if let Some(uri) = without_base_path(request.uri(), &base_path) {
        *request.uri_mut() = uri;
    }
    next.run(request).await
}

/// Whether there is exactly one `Host`, which only HTTP/1.0 may leave out (RFC 9112, section 3.2).
fn has_unambiguous_host<B>(request: &axum::http::Request<B>) -> bool {
    match request.headers().get_all(header::HOST).iter().count() {
        0 => request.version() < Version::HTTP_11,
        count => count == 1,
    }
}

/// The URI below the base path; none if it stays as it is.
fn without_base_path(uri: &Uri, base_path: &BasePath) -> Option<Uri> {
    if base_path.as_str().is_empty() {
        return None;
    }
    let rest = base_path.strip(uri.path())?;
    let path = if rest.is_empty() { "/" } else { rest };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{path}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_path_is_stripped_and_the_query_kept() {
        let base_path = "/rollcall".parse().unwrap();
        for (uri, rest) in [
            ("/rollcall", Some("/")),
            ("/rollcall?wall", Some("/?wall")),
            ("/rollcall/r/a?wall", Some("/r/a?wall")),
            ("http://host.example/rollcall/r/a", Some("http://host.example/r/a")),
            ("/r/a", None),
            ("/rollcalls/r/a", None),
        ] {
            let stripped = without_base_path(&uri.parse().unwrap(), &base_path);
            assert_eq!(stripped.map(|uri| uri.to_string()).as_deref(), rest, "{uri}");
        }
        assert_eq!(without_base_path(&"/r/a".parse().unwrap(), &BasePath::default()), None);
    }

    #[test]
    fn a_request_has_one_host() {
        for (version, hosts, is_valid) in [
            (Version::HTTP_11, 0, false),
            (Version::HTTP_11, 1, true),
            (Version::HTTP_11, 2, false),
            (Version::HTTP_10, 0, true),
            (Version::HTTP_10, 1, true),
            (Version::HTTP_10, 2, false),
        ] {
            let request = axum::http::Request::builder().version(version);
            let request = (0..hosts).fold(request, |request, _| request.header("host", "a.test"));
            let request = request.body(()).unwrap();
            assert_eq!(has_unambiguous_host(&request), is_valid, "{version:?} {hosts}");
        }
    }
}
