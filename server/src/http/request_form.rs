//! Requests that HTTP calls invalid. They are refused, as a proxy in front may read them in another way.

use axum::{
    http::{
        HeaderMap, HeaderName, Method, Request, StatusCode, Uri, Version, header,
        uri::{Authority, Scheme},
    },
    response::{IntoResponse, Response},
};

use crate::{listener::BareLineFeed, url::is_host};

/// Why a request is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRequestError {
    /// There is no `Host`, or several (RFC 9112, section 3.2).
    #[error("This request needs one Host header.")]
    NotOneHost,
    /// What is asked for is no host (the same section).
    #[error("The host of this request has to be a name or an address, perhaps with a port.")]
    InvalidHost,
    /// The target is in a form of another method or scheme (RFC 9112, section 3.2).
    #[error("The first line of this request has to name a path.")]
    InvalidTarget,
    /// The target is a URL of another host (RFC 9112, section 3.2.2).
    #[error("This request names one host in its first line, and another one in its Host header.")]
    TwoHosts,
    /// Nothing but `100-continue` is known (RFC 9110, section 10.1.1).
    #[error("This server does not know what the Expect header asks for: leave it out.")]
    UnknownExpectation,
    /// The body is in a transfer coding that hyper does not decode (RFC 9112, section 6.1).
    #[error("This server knows no transfer coding but chunked.")]
    UnknownTransferCoding,
    /// A line feed alone ends a line of the head (RFC 9112, section 2.2).
    #[error("Each line of this request's head has to end with a carriage return and a line feed.")]
    BareLineFeed,
}

/// Checks a request's form, of which hyper has checked the rest.
pub(crate) fn check<B>(request: &Request<B>) -> Result<(), InvalidRequestError> {
    if request.extensions().get::<BareLineFeed>().is_some() {
        return Err(InvalidRequestError::BareLineFeed);
    }
    check_target(request)?;
    check_host(request)?;
    if !has_only(request, header::TRANSFER_ENCODING, "chunked") {
        return Err(InvalidRequestError::UnknownTransferCoding);
    }
    // A client of HTTP/1.0 does not wait for an interim response, so what it expects is ignored.
    if request.version() >= Version::HTTP_11 && !has_only(request, header::EXPECT, "100-continue") {
        return Err(InvalidRequestError::UnknownExpectation);
    }
    Ok(())
}

/// Whether each value of the header, if there is one, is this one.
fn has_only<B>(request: &Request<B>, name: HeaderName, known: &str) -> bool {
    let mut values = request.headers().get_all(name).iter();
    values.all(|value| value.as_bytes().eq_ignore_ascii_case(known.as_bytes()))
}

fn check_target<B>(request: &Request<B>) -> Result<(), InvalidRequestError> {
    let (method, target) = (request.method(), request.uri());
    let is_valid = match target.scheme() {
        Some(scheme) => *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS,
        None if target.authority().is_some() => *method == Method::CONNECT,
        None => target.path() != "*" || *method == Method::OPTIONS,
    };
    if is_valid { Ok(()) } else { Err(InvalidRequestError::InvalidTarget) }
}

/// The host that a request asks for, with its port.
pub(crate) fn host<'request>(
    uri: &'request Uri,
    headers: &'request HeaderMap,
) -> Option<&'request str> {
    // A target in absolute form takes precedence (RFC 9112, section 3.2.2).
    let target = uri.authority().map(Authority::as_str);
    target.or_else(|| headers.get(header::HOST)?.to_str().ok())
}

fn check_host<B>(request: &Request<B>) -> Result<(), InvalidRequestError> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().map_err(|_| InvalidRequestError::InvalidHost)?),
        // Only HTTP/1.0 may leave it out.
        (None, None) if request.version() < Version::HTTP_11 => None,
        _ => return Err(InvalidRequestError::NotOneHost),
    };
    // Clients send the host of a target in absolute form in `Host` too. No route has the method of a tunnel.
    let is_tunnel = request.method() == Method::CONNECT;
    let target = request.uri().authority().filter(|_| !is_tunnel).map(Authority::as_str);
    if ![host, target].into_iter().flatten().all(is_host) {
        return Err(InvalidRequestError::InvalidHost);
    }
    match (host, target) {
        (Some(host), Some(target)) if !host.eq_ignore_ascii_case(target) => {
            Err(InvalidRequestError::TwoHosts)
        }
        _ => Ok(()),
    }
}

impl IntoResponse for InvalidRequestError {
    /// The connection ends with it: what follows might be a part of the same request.
    fn into_response(self) -> Response {
        let status = match self {
            Self::UnknownExpectation => StatusCode::EXPECTATION_FAILED,
            Self::UnknownTransferCoding => StatusCode::NOT_IMPLEMENTED,
            _ => StatusCode::BAD_REQUEST,
        };
        (status, [(header::CONNECTION, "close")], format!("{self}\n")).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(
        version: Version,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<(), InvalidRequestError> {
        let request = Request::builder().version(version).uri(target);
        let add = |request: axum::http::request::Builder, (name, value): &(&str, &str)| {
            request.header(*name, *value)
        };
        check(&headers.iter().fold(request, add).body(()).unwrap())
    }

    #[test]
    fn request_has_one_host() {
        let hosts = [("host", "a.test"), ("host", "a.test")];
        let refused = Err(InvalidRequestError::NotOneHost);
        for (version, count, expected) in [
            (Version::HTTP_11, 0, refused),
            (Version::HTTP_11, 1, Ok(())),
            (Version::HTTP_11, 2, refused),
            (Version::HTTP_10, 0, Ok(())),
            (Version::HTTP_10, 1, Ok(())),
            (Version::HTTP_10, 2, refused),
        ] {
            assert_eq!(checked(version, "/", &hosts[..count]), expected, "{version:?} {count}");
        }
    }

    #[test]
    fn host_is_a_name_or_an_address() {
        for host in ["a", "a.test:3000", "10.0.0.7", "[::1]:3000"] {
            assert_eq!(checked(Version::HTTP_11, "/", &[("host", host)]), Ok(()), "{host}");
        }
        for host in ["", "a b", "a/b", "ana@a", "a,b", "[::1", "a:b", "\u{e9}.test"] {
            let refused = checked(Version::HTTP_11, "/", &[("host", host)]);
            assert_eq!(refused, Err(InvalidRequestError::InvalidHost), "{host}");
        }
    }

    #[test]
    fn target_in_absolute_form_is_of_the_same_host() {
        let host = [("host", "a.test:3000")];
        for target in ["http://a.test:3000/r/team", "http://A.TEST:3000"] {
            assert_eq!(checked(Version::HTTP_11, target, &host), Ok(()), "{target}");
        }
        for target in ["http://evil.test:3000/", "http://a.test/", "http://a.test:3001/"] {
            let refused = checked(Version::HTTP_11, target, &host);
            assert_eq!(refused, Err(InvalidRequestError::TwoHosts), "{target}");
        }
        let refused = checked(Version::HTTP_11, "http://ana@a.test:3000/", &host);
        assert_eq!(refused, Err(InvalidRequestError::InvalidHost));
        assert_eq!(checked(Version::HTTP_10, "http://a.test/", &[]), Ok(()));
    }

    #[test]
    fn target_is_in_a_form_of_its_method() {
        let of = |method: Method, target: &str| {
            let request = Request::builder().method(method).uri(target).header("host", "a:80");
            check(&request.body(()).unwrap())
        };
        for (method, target) in [
            (Method::GET, "/r/team"),
            (Method::GET, "http://a:80/r/team"),
            (Method::GET, "https://a:80/r/team"),
            (Method::OPTIONS, "*"),
            (Method::CONNECT, "a:80"),
        ] {
            assert_eq!(of(method, target), Ok(()), "{target}");
        }
        for (method, target) in
            [(Method::GET, "*"), (Method::GET, "a:80"), (Method::GET, "ftp://a:80/r/team")]
        {
            assert_eq!(of(method, target), Err(InvalidRequestError::InvalidTarget), "{target}");
        }
    }

    #[test]
    fn only_chunked_is_a_transfer_coding() {
        let with =
            |value| checked(Version::HTTP_11, "/", &[("host", "a"), ("transfer-encoding", value)]);
        assert_eq!(with("Chunked"), Ok(()));
        for value in ["gzip, chunked", "gzip", ""] {
            assert_eq!(with(value), Err(InvalidRequestError::UnknownTransferCoding), "{value}");
        }
    }

    #[test]
    fn only_100_continue_can_be_expected() {
        let with = |version, value| checked(version, "/", &[("host", "a"), ("expect", value)]);
        for value in ["100-continue", "100-Continue"] {
            assert_eq!(with(Version::HTTP_11, value), Ok(()), "{value}");
        }
        for value in ["200-ok", "", "100-continue, x"] {
            let refused = Err(InvalidRequestError::UnknownExpectation);
            assert_eq!(with(Version::HTTP_11, value), refused, "{value}");
            assert_eq!(with(Version::HTTP_10, value), Ok(()), "{value}");
        }
    }

    #[test]
    fn bare_line_feed_is_refused() {
        let mut request = Request::builder().header("host", "a").body(()).unwrap();
        assert_eq!(check(&request), Ok(()));
        request.extensions_mut().insert(BareLineFeed);
        assert_eq!(check(&request), Err(InvalidRequestError::BareLineFeed));
    }
}
