//! The answer to plain HTTP on the TLS port: a redirect to https.

use axum::{
    http::{HeaderValue, Request, StatusCode, header, uri::PathAndQuery},
    response::{IntoResponse, Response},
};

use crate::url::is_host;

/// Redirects a browser to the same URL over HTTPS, as people type it without a scheme.
///
/// The redirect is temporary: browsers would remember a permanent one after the operator disabled TLS again.
pub(crate) fn https_redirect<B>(request: &Request<B>) -> Response {
    let sentence = "This server speaks HTTPS only: use a URL that begins with https://\n";
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    // The target `*` is no path, and would be a part of the host.
    let path = request.uri().path_and_query().map(PathAndQuery::as_str);
    let path = path.filter(|path| path.starts_with('/')).unwrap_or("/");
    let location = host.filter(|host| is_host(host)).map(|host| format!("https://{host}{path}"));
    match location.and_then(|location| HeaderValue::try_from(location).ok()) {
        Some(location) => {
            let location = [(header::LOCATION, location)];
            (StatusCode::TEMPORARY_REDIRECT, location, sentence).into_response()
        }
        None => (StatusCode::BAD_REQUEST, sentence).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(path: &str, host: Option<&str>) -> Response {
        let request = Request::builder().uri(path);
        let request = match host {
            Some(host) => request.header("host", host),
            None => request,
        };
        https_redirect(&request.body(()).unwrap())
    }

    #[test]
    fn the_redirect_leads_to_the_same_url_over_https() {
        for (path, host, location) in [
            ("/", "10.0.0.7:3000", "https://10.0.0.7:3000/"),
            ("/r/team-7?wall", "roll.example", "https://roll.example/r/team-7?wall"),
            ("*", "roll.example", "https://roll.example/"),
        ] {
            let response = response(path, Some(host));
            assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
            assert_eq!(response.headers()[header::LOCATION], location);
        }
    }

    #[test]
    fn a_request_without_a_valid_host_gets_400() {
        for host in [None, Some(""), Some("a b"), Some("evil.example/x@")] {
            let response = response("/", host);
            assert_eq!(response.status(), StatusCode::BAD_REQUEST);
            assert!(!response.headers().contains_key(header::LOCATION));
        }
    }
}
