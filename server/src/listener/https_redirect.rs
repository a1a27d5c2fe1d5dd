//! Where to go instead, for whoever speaks plain HTTP where TLS is spoken.

use axum::{
    http::{HeaderValue, Request, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::url::is_host;

/// Sends a browser to the same address over HTTPS: people type it without a scheme.
///
/// The redirect is for this once. One for ever would be kept where the operator has turned TLS off again.
pub(crate) fn https_redirect<B>(request: &Request<B>) -> Response {
    let sentence = "This server speaks HTTPS only: the address begins with https://\n";
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
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

    fn asked(path: &str, host: Option<&str>) -> Response {
        let request = Request::builder().uri(path);
        let request = match host {
            Some(host) => request.header("host", host),
            None => request,
        };
        https_redirect(&request.body(()).unwrap())
    }

    #[test]
    fn it_is_the_same_address_over_https() {
        for (path, host, location) in [
            ("/", "10.0.0.7:3000", "https://10.0.0.7:3000/"),
            ("/r/team-7?wall", "roll.example", "https://roll.example/r/team-7?wall"),
        ] {
            let answer = asked(path, Some(host));
            assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
            assert_eq!(answer.headers()[header::LOCATION], location);
        }
    }

    #[test]
    fn who_does_not_say_where_it_is_is_only_told() {
        for host in [None, Some(""), Some("a b"), Some("evil.example/x@")] {
            let answer = asked("/", host);
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
            assert!(!answer.headers().contains_key(header::LOCATION));
        }
    }
}
