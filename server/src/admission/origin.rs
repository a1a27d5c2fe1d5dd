//! The origins whose pages may open a socket: the site's own, and those that the operator allows.

use std::{fmt, str::FromStr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use url::{Host, Url};

use super::HostName;
use crate::url::Scheme;

/// The origins that may open a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginRules {
    /// The site's origin as visitors see it, if it is set: then no other is the site's own.
    pub public_url: Option<Origin>,
    /// What the server itself speaks: over TLS, a page loaded over plain HTTP is not its own.
    pub spoken: Scheme,
    /// Other sites whose pages may open a socket as well.
    pub allowed: Vec<Origin>,
    /// For clients without an `Origin` header, which every browser sends.
    pub without_origin: WithoutOrigin,
}

/// How a client without an `Origin` header is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithoutOrigin {
    /// It is a program, and is accepted.
    #[default]
    Allowed,
    /// Only browsers are accepted.
    Refused,
}

/// The origin of a page, with scheme http or https: `https://example.org:8443` (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(url::Origin);

/// The text is not an origin with scheme http or https.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected http://HOST or https://HOST, with :PORT unless it is the default port")]
pub struct ParseOriginError;

/// Why a request's origin may not open a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginRejected {
    /// The page belongs to another site.
    #[error(
        "This WebSocket is only for the pages of this site. Whoever runs the server can change that with the settings public-url and allowed-origins."
    )]
    AnotherSite,
    /// The client sent no `Origin` header.
    #[error("This WebSocket is for browsers only: the Origin header is missing.")]
    Missing,
}

impl OriginRejected {
    /// As programs know it.
    pub fn code(self) -> &'static str {
        match self {
            Self::AnotherSite => "origin_not_allowed",
            Self::Missing => "origin_missing",
        }
    }
}

/// What a request says about the page that sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestOrigin<'request> {
    /// The page's origin; of an unreadable header, an empty text.
    pub origin: Option<&'request str>,
    /// How the page's origin relates to the request's, where the browser says so (`Sec-Fetch-Site`).
    pub fetch_site: Option<&'request str>,
    /// The host that the visitor asked for.
    pub host: Option<&'request str>,
}

impl<'request> RequestOrigin<'request> {
    /// That of a request for this host.
    pub fn of(headers: &'request HeaderMap, host: Option<&'request str>) -> Self {
        const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
        Self {
            origin: single(headers, header::ORIGIN),
            fetch_site: single(headers, SEC_FETCH_SITE),
            host,
        }
    }

    /// Where the browser sends `Sec-Fetch-Site`, it decides whether a page belongs to the site.
    fn is_cross_site(&self) -> bool {
        self.fetch_site.is_some_and(|site| !["same-origin", "none"].contains(&site))
    }
}

/// The header's value; of several, which no browser sends, an empty text, as no one knows which counts.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(text);
    if values.next().is_some() { Some("") } else { value }
}

impl OriginRules {
    /// Checks that the request may open a socket. Without this any site's page could open one with the
    /// visitor's cookie (RFC 6455, section 10.2).
    pub fn admit(&self, request: RequestOrigin<'_>) -> Result<(), OriginRejected> {
        let is_cross_site = request.is_cross_site();
        let Some(origin) = request.origin else {
            return match self.without_origin {
                _ if is_cross_site => Err(OriginRejected::AnotherSite),
                WithoutOrigin::Allowed => Ok(()),
                WithoutOrigin::Refused => Err(OriginRejected::Missing),
            };
        };
        let origin: Origin = origin.parse().map_err(|_| OriginRejected::AnotherSite)?;
        if self.allowed.contains(&origin) || !is_cross_site && self.is_own(&origin, request.host) {
            Ok(())
        } else {
            Err(OriginRejected::AnotherSite)
        }
    }

    /// Checks that the request comes from a page of the site itself, or from a program.
    pub fn admit_own(&self, request: RequestOrigin<'_>) -> Result<(), OriginRejected> {
        let foreign = request.origin.and_then(|origin| origin.parse().ok());
        match foreign {
            Some(origin) if !self.is_own(&origin, request.host) => Err(OriginRejected::AnotherSite),
            _ => self.admit(request),
        }
    }

    /// Checks that the request does not say of itself that it comes from another site's page.
    ///
    /// For a form of a page that hides its origin (`null`), as its address is a secret: over plain HTTP, where browsers
    /// send no `Sec-Fetch-Site`, such a form of another site can't be told from it.
    pub fn admit_hidden(&self, request: RequestOrigin<'_>) -> Result<(), OriginRejected> {
        match request.origin {
            None | Some("null") if request.is_cross_site() => Err(OriginRejected::AnotherSite),
            None | Some("null") => Ok(()),
            Some(_) => self.admit_own(request),
        }
    }

    fn is_own(&self, origin: &Origin, host: Option<&str>) -> bool {
        // What the client says of itself counts only where the operator has not said it.
        if let Some(public_url) = &self.public_url {
            return public_url == origin;
        }
        let is_host_of_request =
            |host| origin.matches_host(host) && (self.spoken == Scheme::Http || origin.is_https());
        host.is_some_and(is_host_of_request)
    }

    /// Whether the operator allows pages of this origin: an `Origin` header as it was sent.
    pub fn allows(&self, origin: &str) -> bool {
        origin.parse().is_ok_and(|origin| self.allowed.contains(&origin))
    }
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

impl Origin {
    /// Its port, unless that is the scheme's default.
    pub(crate) fn port(&self) -> Option<u16> {
        crate::url::port_of(&self.to_string())
    }

    /// The name of its host; none of an address.
    pub(crate) fn host_name(&self) -> Option<HostName> {
        match &self.0 {
            url::Origin::Tuple(_, Host::Domain(name), _) => name.parse().ok(),
            _ => None,
        }
    }

    /// `http://localhost`.
    pub(crate) fn localhost() -> Self {
        let host = Host::Domain("localhost".to_owned());
        Self(url::Origin::Tuple("http".to_owned(), host, 80))
    }

    /// Whether the scheme is https.
    pub fn is_https(&self) -> bool {
        self.scheme() == "https"
    }

    fn scheme(&self) -> &str {
        match &self.0 {
            url::Origin::Tuple(scheme, ..) => scheme,
            // Only origins with a host are made: see `from_str`.
            url::Origin::Opaque(_) => "",
        }
    }

    /// Whether a `Host` header names the same host and port. A header without a port means the default
    /// port of this origin's scheme, also where a proxy speaks TLS and this server does not.
    fn matches_host(&self, host: &str) -> bool {
        format!("{}://{host}", self.scheme()).parse() == Ok(self.clone())
    }
}

impl FromStr for Origin {
    type Err = ParseOriginError;

    /// Stricter than a URL, which may have a user, a path, a query or a fragment, and leniently parsed
    /// parts: `https:example.org`, `https://exa%6dple.org`, tabs anywhere.
    fn from_str(text: &str) -> Result<Self, ParseOriginError> {
        let (scheme, authority) = text.split_once("://").ok_or(ParseOriginError)?;
        let is_http = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        let is_foreign = |character: char| {
            "/\\?#@%".contains(character) || character.is_whitespace() || character.is_control()
        };
        if !is_http || authority.contains(is_foreign) || authority.ends_with(':') {
            return Err(ParseOriginError);
        }
        match Url::parse(text).map_err(|_| ParseOriginError)?.origin() {
            url::Origin::Opaque(_) => Err(ParseOriginError),
            origin @ url::Origin::Tuple(..) => Ok(Self(origin)),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(headers: &[(&'static str, &str)]) -> HeaderMap {
        headers
            .iter()
            .map(|(name, text)| (HeaderName::from_static(name), text.parse().unwrap()))
            .collect()
    }

    fn admit(rules: &OriginRules, headers: &HeaderMap) -> Result<(), OriginRejected> {
        let host = headers.get(header::HOST).map(text);
        rules.admit(RequestOrigin::of(headers, host))
    }

    fn is_admitted(rules: &OriginRules, headers: &[(&'static str, &str)]) -> bool {
        admit(rules, &request(headers)).is_ok()
    }

    #[test]
    fn only_the_sites_own_pages_are_admitted() {
        let rules = OriginRules::default();
        for (host, origin, is_own) in [
            ("127.0.0.1:3000", "http://127.0.0.1:3000", true),
            ("Example.org", "https://example.ORG", true),
            ("example.org", "http://example.org", true),
            ("example.org:443", "https://example.org", true),
            ("[::1]:3000", "http://[::1]:3000", true),
            ("127.0.0.1:3000", "http://127.0.0.1:3001", false),
            ("127.0.0.1:3000", "http://127.0.0.1", false),
            ("127.0.0.1:3000", "http://localhost:3000", false),
            ("example.org", "https://example.org:8443", false),
            ("example.org", "https://evil-example.org", false),
            ("example.org", "https://example.org.evil.test", false),
            ("example.org", "https://evil.test/example.org", false),
            ("example.org", "https://example.org@evil.test", false),
            ("example.org", "https://evil.test#example.org", false),
            ("example.org", "ftp://example.org", false),
            ("example.org", "null", false),
            ("example.org", "", false),
            ("", "http://", false),
        ] {
            assert_eq!(
                is_admitted(&rules, &[("host", host), ("origin", origin)]),
                is_own,
                "{origin}"
            );
        }
    }

    #[test]
    fn the_public_url_is_the_sites_only_origin() {
        let public_url = Some("https://roll.example".parse().unwrap());
        let rules = OriginRules { public_url, ..OriginRules::default() };
        let from = |origin| [("host", "10.0.0.7:3000"), ("origin", origin)];
        assert!(is_admitted(&rules, &from("https://roll.example")));
        assert!(is_admitted(&rules, &from("https://roll.example:443")));
        assert!(!is_admitted(&rules, &from("http://roll.example")));
        assert!(!is_admitted(&rules, &from("https://roll.example:8443")));
        // Whatever `Host` says: a proxy passes on the name that the client sent.
        assert!(!is_admitted(&rules, &from("http://10.0.0.7:3000")));
        assert!(!is_admitted(&rules, &[("host", "evil.test"), ("origin", "http://evil.test")]));
        let plain = [("host", "roll.example"), ("origin", "http://roll.example")];
        assert!(!is_admitted(&rules, &plain));
    }

    #[test]
    fn sec_fetch_site_overrides_all_but_allowed_origins() {
        let own = OriginRules::default();
        let with_friend =
            OriginRules { allowed: vec!["https://friend.test".parse().unwrap()], ..own.clone() };
        for (site, is_own) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false)]
        {
            let from_own =
                [("host", "a.test"), ("origin", "https://a.test"), ("sec-fetch-site", site)];
            assert_eq!(is_admitted(&own, &from_own), is_own, "{site}");
            let without = [("host", "a.test"), ("sec-fetch-site", site)];
            assert_eq!(is_admitted(&own, &without), is_own, "{site}");
            let from_friend =
                [("host", "a.test"), ("origin", "https://friend.test"), ("sec-fetch-site", site)];
            assert!(is_admitted(&with_friend, &from_friend), "{site}");
            assert!(!is_admitted(&own, &from_friend), "{site}");
        }
    }

    #[test]
    fn allowed_origin_is_not_the_sites_own() {
        let allowed = vec!["https://friend.test".parse().unwrap()];
        let rules = OriginRules { allowed, ..OriginRules::default() };
        let admit_own = |headers: &[(&'static str, &str)]| {
            let headers = request(headers);
            rules.admit_own(RequestOrigin::of(&headers, Some("a.test"))).is_ok()
        };
        assert!(admit_own(&[("origin", "https://a.test")]));
        assert!(admit_own(&[]));
        for origin in ["https://friend.test", "https://evil.test", "null", ""] {
            assert!(!admit_own(&[("origin", origin)]), "{origin}");
        }
        let cross_site = ("sec-fetch-site", "cross-site");
        assert!(!admit_own(&[("origin", "https://friend.test"), cross_site]));
        assert!(!admit_own(&[("origin", "https://a.test"), cross_site]));
        assert!(!admit_own(&[cross_site]));
    }

    #[test]
    fn hidden_origin_is_admitted_where_the_pages_address_is_a_secret_and_a_foreign_one_is_not() {
        let without_origin = WithoutOrigin::Refused;
        for rules in [OriginRules::default(), OriginRules { without_origin, ..Default::default() }]
        {
            let admit_hidden = |headers: &[(&'static str, &str)]| {
                let headers = request(headers);
                rules.admit_hidden(RequestOrigin::of(&headers, Some("a.test"))).is_ok()
            };
            for own in [&[][..], &[("origin", "null")], &[("origin", "http://a.test")]] {
                assert!(admit_hidden(own), "{own:?}");
                assert!(admit_hidden(&[own, &[("sec-fetch-site", "same-origin")]].concat()));
                assert!(!admit_hidden(&[own, &[("sec-fetch-site", "cross-site")]].concat()));
                assert!(!admit_hidden(&[own, &[("sec-fetch-site", "same-site")]].concat()));
            }
            for origin in ["http://evil.test", "http://a.test:3001", "file://", "nonsense", ""] {
                assert!(!admit_hidden(&[("origin", origin)]), "{origin}");
            }
        }
    }

    #[test]
    fn of_several_origins_none_counts() {
        let mut headers = request(&[("host", "a.test"), ("origin", "http://a.test")]);
        assert!(admit(&OriginRules::default(), &headers).is_ok());
        headers.append(header::ORIGIN, HeaderValue::from_static("http://evil.test"));
        assert!(admit(&OriginRules::default(), &headers).is_err());
        let mut headers = request(&[("host", "a.test"), ("sec-fetch-site", "same-origin")]);
        headers.append("sec-fetch-site", HeaderValue::from_static("none"));
        assert!(admit(&OriginRules::default(), &headers).is_err());
    }

    #[test]
    fn a_missing_origin_is_admitted_unless_one_is_required() {
        assert!(is_admitted(&OriginRules::default(), &[("host", "a.test")]));
        let without_origin = WithoutOrigin::Refused;
        let rules = OriginRules { without_origin, ..OriginRules::default() };
        let refused = admit(&rules, &request(&[("host", "a.test")]));
        assert_eq!(refused, Err(OriginRejected::Missing));
        assert!(is_admitted(&rules, &[("host", "a.test"), ("origin", "http://a.test")]));
    }

    #[test]
    fn an_origin_is_normalized() {
        for (text, normalized) in [
            ("HTTPS://Example.ORG", "https://example.org"),
            ("https://example.org:443", "https://example.org"),
            ("http://example.org:443", "http://example.org:443"),
            ("http://example.org:0080", "http://example.org"),
            ("http://my_host:3000", "http://my_host:3000"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[0:0::1]:3000", "http://[::1]:3000"),
            // As browsers send it in the `Origin` header.
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            let origin: Origin = text.parse().unwrap();
            assert_eq!(origin.to_string(), normalized);
        }
    }

    #[test]
    fn a_text_that_is_more_or_less_than_an_origin_is_refused() {
        for text in [
            "",
            "null",
            "example.org",
            "https:example.org",
            "https:///example.org",
            "https://",
            "https://:80",
            "https://example.org/",
            "https://example.org\\",
            "https://example.org?",
            "https://example.org#",
            "https://@example.org",
            "https://ana:secret@example.org",
            "https://example.org:",
            "https://example.org:+80",
            "https://example.org:65536",
            "https://exa%6dple.org",
            "https://exa\tmple.org",
            " https://example.org",
            "https://example.org ",
            "https://1.2.3.4.5",
            "https://[::::]",
            "https://[::1",
            "ftp://example.org",
            "file://example.org",
            "ws://example.org",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(ParseOriginError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn an_origin_is_parsed_as_it_is_formatted(
            scheme in "https?",
            host in prop_oneof![
                "[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,2}([.][a-z][a-z0-9]{0,8}){0,2}",
                any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
                any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
            ],
            port: Option<u16>,
        ) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let origin: Origin = format!("{scheme}://{host}{port}").parse().unwrap();
            prop_assert_eq!(origin.to_string().parse(), Ok(origin));
        }

        /// The texts include hosts that are refused, like `1.2.3.4.5` and `[::::]`.
        #[test]
        fn an_accepted_origin_is_parsed_as_it_is_formatted(
            scheme in "https?",
            host in "[a-z0-9][a-z0-9.-]{0,20}|\\[[0-9a-f:]{2,20}\\]",
        ) {
            if let Ok(origin) = format!("{scheme}://{host}").parse::<Origin>() {
                prop_assert_eq!(origin.to_string().parse(), Ok(origin));
            }
        }

        #[test]
        fn a_foreign_host_is_never_admitted(origin in "https?://[a-z.@:/#?0-9\\[\\]-]{0,30}") {
            let headers = request(&[("host", "own.test"), ("origin", &origin)]);
            if admit(&OriginRules::default(), &headers).is_ok() {
                prop_assert!(
                    ["http://own.test", "https://own.test", "http://own.test:80", "https://own.test:443"]
                        .contains(&&*origin)
                );
            }
        }

        #[test]
        fn arbitrary_text_is_parsed_without_a_panic(text in any::<String>()) {
            let _ = text.parse::<Origin>();
        }
    }
}
