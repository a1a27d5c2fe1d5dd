//! The parts of a URL: scheme, host, and the site's public URL.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use app::{presence::RoomName, ssr::BasePath};

use crate::admission::Origin;

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    #[default]
    Http,
    /// HTTPS only.
    Https,
}

impl Scheme {
    /// As a URL begins with it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The site's URL as visitors see it: an origin and perhaps a path, like `https://example.org/rollcall`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// Scheme, host and port.
    pub origin: Origin,
    /// The path below which the site is served.
    pub base_path: BasePath,
}

/// The text is not the URL of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a URL like https://example.org or https://example.org/rollcall")]
pub struct ParsePublicUrlError;

impl PublicUrl {
    /// The URL of a room's page.
    pub(crate) fn room(&self, room: &RoomName) -> String {
        format!("{}{}", self.origin, self.base_path.room(room))
    }
}

impl FromStr for PublicUrl {
    type Err = ParsePublicUrlError;

    fn from_str(text: &str) -> Result<Self, ParsePublicUrlError> {
        let authority = text.find("://").ok_or(ParsePublicUrlError)? + "://".len();
        let slash = text.get(authority..).and_then(|rest| rest.find('/'));
        let (origin, path) = text.split_at(slash.map_or(text.len(), |slash| authority + slash));
        Ok(Self {
            origin: origin.parse().map_err(|_| ParsePublicUrlError)?,
            base_path: path.parse().map_err(|_| ParsePublicUrlError)?,
        })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.origin, self.base_path)
    }
}

/// The longest host, with its port, that is copied into a URL (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 260;

/// Whether a `Host` header is a name or an address and perhaps a port, so that it can be copied into a URL.
pub(crate) fn is_host(host: &str) -> bool {
    let (name, port) = split_port(host);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let is_name = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !name.is_empty() && name.bytes().all(is_allowed),
    };
    // The number may not have a sign.
    let is_port = |port: &str| !port.starts_with('+') && port.parse::<u16>().is_ok();
    host.len() <= LONGEST_HOST && is_name && port.is_none_or(is_port)
}

/// A host without its port.
pub(crate) fn name_of(host: &str) -> &str {
    split_port(host).0
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        // Within the brackets of an IPv6 address it separates no port.
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    }
}

/// The port of a `host:port`, unless it is a default one.
pub(crate) fn port_of(host: &str) -> Option<u16> {
    let (_, port) = host.rsplit_once(':')?;
    // Within the brackets of an IPv6 address it is none.
    port.parse().ok().filter(|port| ![80, 443].contains(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_has_an_origin_and_perhaps_a_path() {
        for (text, origin, base_path) in [
            ("https://roll.example", "https://roll.example", ""),
            ("https://roll.example/", "https://roll.example", ""),
            ("http://10.0.0.7:8080/rollcall", "http://10.0.0.7:8080", "/rollcall"),
            ("https://[::1]:8443/a/b/", "https://[::1]:8443", "/a/b"),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!(url.origin.to_string(), origin);
            assert_eq!(url.base_path.as_str(), base_path);
            assert_eq!(url.to_string().parse(), Ok(url.clone()));
            assert_eq!(url.room(&RoomName::lobby()), format!("{origin}{base_path}/r/lobby"));
        }
        for text in [
            "",
            "roll.example",
            "https://",
            "https:///rollcall",
            "ftp://roll.example",
            "https://roll.example/a?b",
            "https://roll.example/a#b",
            "https://roll.example/../a",
            "https://roll.example/r",
            "https://ana@roll.example/a",
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(ParsePublicUrlError), "{text}");
        }
    }

    #[test]
    fn a_host_can_be_copied_into_a_url() {
        for host in [
            "a",
            "a.test",
            "A_b-1.test.:3000",
            "10.0.0.7:80",
            "[::1]",
            "[::1]:3000",
            "xn--bcher-kva.test",
        ] {
            assert!(is_host(host), "{host}");
        }
        let long = "a".repeat(LONGEST_HOST + 1);
        for host in [
            "",
            " ",
            ":",
            ":3000",
            "a:b:c",
            "a:b",
            "a:1:2",
            "a:",
            "a:65536",
            "a:+1",
            "::1",
            "[::1",
            "::1]",
            "[]",
            "[::1]3000",
            "[::1]:",
            "[::1]:b",
            "[a]",
            "[[::1]]",
            "x[::1]",
            "[10.0.0.7]",
            "a b",
            "a/b",
            "a@b",
            "a%b",
            "a?b",
            "<b>",
            &*long,
        ] {
            assert!(!is_host(host), "{host}");
        }
    }

    #[test]
    fn default_ports_are_no_ports() {
        for (host, port) in [
            ("a.test", None),
            ("a.test:80", None),
            ("a.test:443", None),
            ("a.test:8080", Some(8080)),
            ("[::1]", None),
            ("[::1]:3000", Some(3000)),
            ("[fe80::443]", None),
            ("[fe80::3000]", None),
        ] {
            assert_eq!(port_of(host), port, "{host}");
        }
    }
}
