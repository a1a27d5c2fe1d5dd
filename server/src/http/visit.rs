//! A request as the visitor's browser made it, before any proxy.

use std::net::IpAddr;

use axum::{
    Extension,
    extract::{FromRequestParts, Request, rejection::ExtensionRejection},
    http::{HeaderMap, Uri, request::Parts},
};
use ipnet::IpNet;

use super::request_form;
use crate::{
    admission::{ForwardedRequest, PeerAddr},
    url::{Scheme, is_host},
};

/// The client's address, and the scheme and host that it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    /// The client's address; behind proxies that are not trusted, the nearest one's.
    pub(crate) client: IpAddr,
    /// The host with its port; none where the request names none, or an invalid one.
    pub(crate) host: Option<String>,
    /// Whether the browser has checked that this server's certificate is for the host. Of a proxy's certificate only
    /// the proxy knows, and many pass on what a client says of that.
    pub(crate) is_certified: bool,
    scheme: Scheme,
}

impl Visit {
    /// Reads a request to a server that speaks `spoken` and trusts these proxies.
    pub(crate) fn of(request: &Request, trusted: &[IpNet], spoken: Scheme) -> Self {
        // The listener knows the peer of every request.
        let unknown = PeerAddr(IpAddr::from([0, 0, 0, 0]));
        let PeerAddr(peer) = request.extensions().get().copied().unwrap_or(unknown);
        Self::read(peer, request.uri(), request.headers(), trusted, spoken)
    }

    /// Reads a request that this peer sent to a server that speaks `spoken`.
    fn read(
        peer: IpAddr,
        uri: &Uri,
        headers: &HeaderMap,
        trusted: &[IpNet],
        spoken: Scheme,
    ) -> Self {
        let ForwardedRequest { client, is_by_proxy, scheme, host } =
            ForwardedRequest::read(peer, headers, trusted);
        let requested = || {
            let host = request_form::host(uri, headers);
            host.filter(|host| is_host(host)).map(str::to_owned)
        };
        let is_certified = spoken == Scheme::Https && !is_by_proxy;
        let (host, scheme) = (host.or_else(requested), scheme.unwrap_or(spoken));
        Self { client, host, is_certified, scheme }
    }

    /// The origin of the request's URL, like `https://example.org:8443`.
    pub(crate) fn origin(&self) -> Option<String> {
        Some(format!("{}://{}", self.scheme.as_str(), self.host.as_ref()?))
    }
}

/// The visit that [`charge`](super::pricing::charge) has read.
impl<State: Send + Sync> FromRequestParts<State> for Visit {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Self::Rejection> {
        Extension::from_request_parts(parts, state).await.map(|Extension(visit)| visit)
    }
}

#[cfg(test)]
impl Visit {
    /// Over plain HTTP, without a proxy.
    pub(crate) fn of_host(host: Option<&str>) -> Self {
        let client = IpAddr::from([127, 0, 0, 1]);
        let host = host.map(str::to_owned);
        Self { client, host, is_certified: false, scheme: Scheme::Http }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;
    use crate::admission::parse_network;

    fn visit(spoken: Scheme, target: &str, lines: &[(&'static str, &'static str)]) -> Visit {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let headers: HeaderMap = lines.iter().map(line).collect();
        let trusted = [parse_network("127.0.0.1").unwrap()];
        Visit::read([127, 0, 0, 1].into(), &target.parse().unwrap(), &headers, &trusted, spoken)
    }

    fn origin(lines: &[(&'static str, &'static str)]) -> Option<String> {
        visit(Scheme::Http, "/", lines).origin()
    }

    #[test]
    fn the_origin_has_the_host_of_the_request() {
        let host = ("host", "rollcall.example:3000");
        assert_eq!(origin(&[host]).unwrap(), "http://rollcall.example:3000");
        let secure = ("x-forwarded-proto", "HTTPS");
        assert_eq!(origin(&[host, secure]).unwrap(), "https://rollcall.example:3000");
        let forwarded = ("x-forwarded-host", "roll.example:8443");
        assert_eq!(origin(&[host, secure, forwarded]).unwrap(), "https://roll.example:8443");
        assert_eq!(origin(&[("host", "[::1]:3000")]).unwrap(), "http://[::1]:3000");
        let absolute = visit(Scheme::Http, "http://roll.example:8080/r/a", &[host]);
        assert_eq!(absolute.origin().unwrap(), "http://roll.example:8080");
    }

    #[test]
    fn the_origin_is_https_on_a_server_with_tls() {
        let visit = visit(Scheme::Https, "/", &[("host", "a:3000")]);
        assert_eq!(visit.origin().unwrap(), "https://a:3000");
    }

    #[test]
    fn a_request_without_a_valid_host_has_no_origin() {
        for host in ["a b", "a/b", "a@b", "<b>", ""] {
            assert_eq!(origin(&[("host", host)]), None, "{host}");
        }
        assert_eq!(origin(&[]), None);
        let odd = [("host", "a"), ("x-forwarded-proto", "javascript")];
        assert_eq!(origin(&odd).unwrap(), "http://a");
    }
}
