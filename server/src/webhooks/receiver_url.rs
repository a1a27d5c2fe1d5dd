//! Where messages are sent: HTTPS anywhere, and plain HTTP only where no stranger's DNS decides who gets the names.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::http::{HeaderValue, uri::PathAndQuery};
use url::{Host, Url};

use crate::url::Scheme;

/// The URL of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverUrl {
    scheme: Scheme,
    host: Host,
    port: u16,
    host_header: HeaderValue,
    path_and_query: PathAndQuery,
}

/// The text is no URL of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseReceiverUrlError {
    /// It is no URL of HTTP.
    #[error(
        "expected a URL like https://backend.example/hooks, without a user, a password and a fragment"
    )]
    Form,
    /// Names would be sent for everyone on the way to read, to whom a stranger's DNS says.
    #[error(
        "http is for localhost and for addresses like http://10.0.0.7:8080/hooks: anywhere else use https"
    )]
    Plain,
}

impl FromStr for ReceiverUrl {
    type Err = ParseReceiverUrlError;

    fn from_str(text: &str) -> Result<Self, ParseReceiverUrlError> {
        use ParseReceiverUrlError::{Form, Plain};
        let url = Url::parse(text).map_err(|_| Form)?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(Form),
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Form);
        }
        let host = url.host().ok_or(Form)?.to_owned();
        if scheme == Scheme::Http && matches!(&host, Host::Domain(name) if name != "localhost") {
            return Err(Plain);
        }
        let port = url.port_or_known_default().ok_or(Form)?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let path_and_query = url[url::Position::BeforePath..url::Position::AfterQuery].parse();
        Ok(Self {
            scheme,
            host,
            port,
            host_header: authority.parse().map_err(|_| Form)?,
            path_and_query: path_and_query.map_err(|_| Form)?,
        })
    }
}

impl ReceiverUrl {
    /// Whether messages are encrypted.
    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, as certificates have it.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// The header `Host`.
    pub(crate) fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// What is requested.
    pub(crate) fn path_and_query(&self) -> &PathAndQuery {
        &self.path_and_query
    }

    /// The address, if the URL has one and no name.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        let ip = match self.host {
            Host::Domain(_) => return None,
            Host::Ipv4(ip) => IpAddr::from(ip),
            Host::Ipv6(ip) => IpAddr::from(ip),
        };
        Some(SocketAddr::new(ip, self.port))
    }

    /// The name to look up, if the URL has one.
    pub(crate) fn name(&self) -> Option<(&str, u16)> {
        match &self.host {
            Host::Domain(name) => Some((name, self.port)),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        }
    }

    /// Whether an address that the name leads to may be connected to: `localhost` is this machine.
    pub(crate) fn may_lead_to(&self, ip: IpAddr) -> bool {
        self.scheme == Scheme::Https || ip.is_loopback()
    }

    /// Whether others on the way can read names.
    pub(crate) fn is_readable_on_the_way(&self) -> bool {
        let is_loopback = |address: SocketAddr| address.ip().to_canonical().is_loopback();
        self.scheme == Scheme::Http && !self.address().is_none_or(is_loopback)
    }
}

/// Without path and query, which may have a secret: for logs.
impl fmt::Display for ReceiverUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}:{}", self.scheme.as_str(), self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_https_or_leads_to_an_address_that_no_stranger_chooses() {
        for (text, host, path, shown) in [
            ("https://a.example/hooks?k=1", "a.example", "/hooks?k=1", "https://a.example:443"),
            ("https://a.example:8443", "a.example:8443", "/", "https://a.example:8443"),
            ("http://localhost:8080/h", "localhost:8080", "/h", "http://localhost:8080"),
            ("http://127.0.0.1/h", "127.0.0.1", "/h", "http://127.0.0.1:80"),
            ("http://10.0.0.7:1/h", "10.0.0.7:1", "/h", "http://10.0.0.7:1"),
            ("http://[::1]:1/h", "[::1]:1", "/h", "http://[::1]:1"),
        ] {
            let url: ReceiverUrl = text.parse().unwrap();
            assert_eq!(url.host_header(), host);
            assert_eq!(url.path_and_query().as_str(), path);
            assert_eq!(url.to_string(), shown);
        }
        for (text, error) in [
            ("http://a.example/h", ParseReceiverUrlError::Plain),
            ("http://localhost.a.example/h", ParseReceiverUrlError::Plain),
            ("ftp://a.example/h", ParseReceiverUrlError::Form),
            ("a.example/h", ParseReceiverUrlError::Form),
            ("https://user:word@a.example/h", ParseReceiverUrlError::Form),
            ("https://a.example/h#part", ParseReceiverUrlError::Form),
            ("", ParseReceiverUrlError::Form),
        ] {
            assert_eq!(text.parse::<ReceiverUrl>(), Err(error), "{text}");
        }
    }

    #[test]
    fn plain_http_by_name_stays_on_this_machine() {
        let leads_to = |url: &str, ip: &str| {
            url.parse::<ReceiverUrl>().unwrap().may_lead_to(ip.parse().unwrap())
        };
        assert!(leads_to("http://localhost/", "127.0.0.1") && leads_to("http://localhost/", "::1"));
        assert!(!leads_to("http://localhost/", "10.0.0.7"));
        assert!(leads_to("https://a.example/", "10.0.0.7"));
        let is_readable = |url: &str| url.parse::<ReceiverUrl>().unwrap().is_readable_on_the_way();
        assert!(is_readable("http://10.0.0.7/"));
        for url in ["http://127.0.0.1/", "http://[::1]/", "http://localhost/", "https://a.example/"]
        {
            assert!(!is_readable(url), "{url}");
        }
    }
}
