//! What trusted proxies say about a request: the client's address, and the scheme and host that it asked for.
//!
//! `X-Forwarded-For`, `-Proto` and `-Host`, or `Forwarded` (RFC 7239). Each is a list, to which every proxy
//! appends what it saw, so lists are read from the right, up to the entry of the first proxy that is trusted:
//! clients can write anything to the left of it. Nothing that strangers send is read.

use std::{borrow::Cow, net::IpAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

use super::client_addr::{address_in, is_in_any};
use crate::url::{Scheme, is_host};

/// A request as the outermost trusted proxy received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardedRequest {
    /// The client's address; without a trusted proxy, the peer's.
    pub client: IpAddr,
    /// Whether a trusted proxy sent the request.
    pub is_by_proxy: bool,
    /// The scheme by which the client sent the request, if a trusted proxy says so.
    pub scheme: Option<Scheme>,
    /// The host that the client asked for, if a trusted proxy says so.
    pub host: Option<String>,
}

impl ForwardedRequest {
    /// Reads the headers of a request that this peer sent.
    pub fn read(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = peer.to_canonical();
        if !is_in_any(trusted, peer) {
            return Self { client: peer, is_by_proxy: false, scheme: None, host: None };
        }
        // A header of one kind takes precedence: a proxy that writes one kind may pass on what a client sent
        // of the other.
        let elements = forwarded_elements(headers);
        let or_elements = |list: Vec<String>, name: &str| {
            // An empty header says as little as none.
            if list.iter().all(String::is_empty) {
                elements.iter().map(|element| element.value(name)).collect()
            } else {
                list
            }
        };
        let clients = or_elements(list(headers, "x-forwarded-for"), "for");
        let (client, hops) = walk(peer, &clients, trusted);
        let schemes = or_elements(list(headers, "x-forwarded-proto"), "proto");
        let hosts = or_elements(list(headers, "x-forwarded-host"), "host");
        Self {
            client,
            is_by_proxy: true,
            scheme: entry(&schemes, hops).and_then(scheme_in),
            host: entry(&hosts, hops).filter(|host| is_host(host)).map(str::to_owned),
        }
    }
}

/// The client's address, and how many entries trusted proxies wrote.
fn walk(peer: IpAddr, clients: &[String], trusted: &[IpNet]) -> (IpAddr, usize) {
    let (mut client, mut hops) = (peer, 0);
    for entry in clients.iter().rev() {
        if !is_in_any(trusted, client) {
            break;
        }
        hops += 1;
        match address_in(entry) {
            Some(address) => client = address.to_canonical(),
            // A trusted proxy writes addresses, or that it does not tell: `unknown`, `_hidden`.
            None => break,
        }
    }
    (client, hops)
}

/// The entry of the outermost trusted proxy, which is this many entries from the right.
///
/// A list can be shorter, where an inner proxy replaced it, or the only one: then it is its first entry.
fn entry(list: &[String], hops: usize) -> Option<&str> {
    let index = if hops == 0 { 0 } else { list.len().saturating_sub(hops) };
    list.get(index).map(String::as_str)
}

fn scheme_in(text: &str) -> Option<Scheme> {
    // Some proxies name the WebSocket's scheme.
    match text.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(Scheme::Https),
        "http" | "ws" => Some(Scheme::Http),
        _ => None,
    }
}

/// The entries of a header, of all its lines (RFC 9110, section 5.3).
fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = lines(headers, name);
    let entries = lines.iter().flat_map(|line| line.split(','));
    entries.map(|entry| entry.trim().to_owned()).collect()
}

/// The lines of a header. A client may have sent bytes that are not UTF-8, ahead of what a proxy appended.
fn lines<'a>(headers: &'a HeaderMap, name: &str) -> Vec<Cow<'a, str>> {
    let lines = headers.get_all(name).iter();
    lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect()
}

/// One element of `Forwarded`: what one proxy says.
#[derive(Debug, Default, PartialEq, Eq)]
struct ForwardedElement(Vec<(String, String)>);

impl ForwardedElement {
    /// The value of a parameter; empty without it.
    fn value(&self, name: &str) -> String {
        let found = self.0.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// The elements of all `Forwarded` lines. Commas and semicolons in quotes separate nothing.
///
/// A line with an open quote is left out: a client can open one, and a proxy that appends to the client's line
/// would write inside of it.
fn forwarded_elements(headers: &HeaderMap) -> Vec<ForwardedElement> {
    let lines = lines(headers, "forwarded");
    let elements = lines.iter().filter_map(|line| split_unquoted(line, ',')).flatten();
    elements
        .map(|element| {
            let pairs = split_unquoted(element, ';').into_iter().flatten();
            let pairs = pairs.filter_map(|pair| pair.split_once('='));
            let pairs =
                pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), unquoted(value)));
            ForwardedElement(pairs.collect())
        })
        .collect()
}

/// Splits at a separator outside of quoted strings (RFC 9110, section 5.6.4); none where one is not closed.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let split = |character| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match character {
            '"' if !was_escaped => is_quoted = !is_quoted,
            '\\' if is_quoted && !was_escaped => is_escaped = true,
            _ => {}
        }
        character == separator && !is_quoted
    };
    let parts = text.split(split).collect();
    (!is_quoted).then_some(parts)
}

/// A token, or the content of a quoted string.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        None => value.to_owned(),
        Some(quoted) => {
            let mut is_escaped = false;
            let keep = |character: &char| {
                is_escaped = *character == '\\' && !is_escaped;
                !is_escaped
            };
            quoted.chars().filter(keep).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;
    use crate::admission::parse_network;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        lines.iter().map(line).collect()
    }

    fn read_from(peer: &str, lines: &[(&'static str, &str)]) -> ForwardedRequest {
        let trusted = ["127.0.0.1", "10.0.0.0/8"].map(|text| parse_network(text).unwrap());
        ForwardedRequest::read(peer.parse().unwrap(), &headers(lines), &trusted)
    }

    fn scheme(lines: &[(&'static str, &str)]) -> Option<Scheme> {
        read_from("127.0.0.1", lines).scheme
    }

    #[test]
    fn the_scheme_is_read_as_a_list_without_case() {
        for (value, expected) in [
            ("https", Some(Scheme::Https)),
            ("HTTPS", Some(Scheme::Https)),
            ("https, http", Some(Scheme::Https)),
            ("https,https", Some(Scheme::Https)),
            (" https ,http", Some(Scheme::Https)),
            ("http", Some(Scheme::Http)),
            ("http, https", Some(Scheme::Http)),
            ("wss", Some(Scheme::Https)),
            ("javascript", None),
            ("", None),
        ] {
            assert_eq!(scheme(&[("x-forwarded-proto", value)]), expected, "{value:?}");
        }
        let two_lines = [("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")];
        assert_eq!(scheme(&two_lines), Some(Scheme::Https));
    }

    #[test]
    fn forwarded_is_read_as_in_the_rfc() {
        for value in [
            "proto=https;host=roll.example;for=192.0.2.7",
            "For=\"192.0.2.7\"; Proto=HTTPS; Host=roll.example",
            "for=192.0.2.7;proto=https;host=\"roll.example\", for=10.0.0.1;proto=http;host=inner",
            "for=\"[2001:db8::9]\", for=\"192.0.2.7:4711\";by=\"a,b;c\\\"d\";proto=https;host=roll.example",
        ] {
            let request = read_from("127.0.0.1", &[("forwarded", value)]);
            assert_eq!(request.client.to_string(), "192.0.2.7", "{value}");
            assert_eq!(request.scheme, Some(Scheme::Https), "{value}");
            assert_eq!(request.host.as_deref(), Some("roll.example"), "{value}");
        }
        let hidden = read_from("127.0.0.1", &[("forwarded", "for=_hidden;proto=https")]);
        assert_eq!(
            (hidden.client.to_string().as_str(), hidden.scheme),
            ("127.0.0.1", Some(Scheme::Https))
        );
    }

    #[test]
    fn strangers_say_nothing_about_their_requests() {
        let lines = [
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
            ("forwarded", "for=192.0.2.7;proto=https;host=evil.example"),
        ];
        let request = read_from("203.0.113.5", &lines);
        assert_eq!((request.scheme, request.host), (None, None));
        assert_eq!(request.client.to_string(), "203.0.113.5");
    }

    #[test]
    fn entries_to_the_left_of_the_trusted_ones_are_ignored() {
        let lines = [
            ("x-forwarded-for", "9.9.9.9, 192.0.2.7, 10.0.0.1"),
            ("x-forwarded-proto", "https, http, https"),
            ("x-forwarded-host", "evil.example, roll.example, inner.example"),
        ];
        let request = read_from("127.0.0.1", &lines);
        assert_eq!(request.client.to_string(), "192.0.2.7");
        assert_eq!(request.scheme, Some(Scheme::Http));
        assert_eq!(request.host.as_deref(), Some("roll.example"));
    }

    #[test]
    fn a_list_that_an_inner_proxy_replaced_is_used() {
        let lines = [("x-forwarded-for", "192.0.2.7, 10.0.0.1"), ("x-forwarded-proto", "https")];
        assert_eq!(scheme(&lines), Some(Scheme::Https));
    }

    #[test]
    fn one_kind_of_header_takes_precedence() {
        let lines = [
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-proto", "http"),
            ("forwarded", "for=9.9.9.9;proto=https"),
        ];
        let request = read_from("127.0.0.1", &lines);
        assert_eq!(
            (request.client.to_string().as_str(), request.scheme),
            ("192.0.2.7", Some(Scheme::Http))
        );
    }

    #[test]
    fn an_empty_header_does_not_hide_the_other_kind() {
        let forwarded = ("forwarded", "for=192.0.2.7;proto=https;host=roll.example");
        for value in ["", " ", ","] {
            let names = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];
            let [for_, proto, host] = names.map(|name| (name, value));
            let request = read_from("127.0.0.1", &[for_, proto, host, forwarded]);
            assert_eq!(request.client.to_string(), "192.0.2.7", "{value:?}");
            assert_eq!(request.scheme, Some(Scheme::Https), "{value:?}");
            assert_eq!(request.host.as_deref(), Some("roll.example"), "{value:?}");
        }
    }

    /// The proxy appends to the line that the client sent.
    #[test]
    fn a_client_cannot_hide_what_a_proxy_appends() {
        let open_quote = "for=9.9.9.9;proto=https;host=evil.example;x=\"";
        for appended in ["for=192.0.2.7;proto=http", "for=\"[2001:db8::9]:80\";by=\"a\""] {
            let line = format!("{open_quote}, {appended}");
            let request = read_from("127.0.0.1", &[("forwarded", &line)]);
            assert_eq!(request.client.to_string(), "127.0.0.1", "{line}");
            assert_eq!((request.scheme, request.host), (None, None), "{line}");
        }
        // A line of its own is read.
        let lines = [("forwarded", open_quote), ("forwarded", "for=192.0.2.7;proto=http")];
        let request = read_from("127.0.0.1", &lines);
        assert_eq!(request.client.to_string(), "192.0.2.7");
        assert_eq!(request.scheme, Some(Scheme::Http));
        for line in [("x-forwarded-for", "é, 192.0.2.7"), ("forwarded", "x=é, for=192.0.2.7")] {
            assert_eq!(read_from("127.0.0.1", &[line]).client.to_string(), "192.0.2.7", "{line:?}");
        }
    }

    #[test]
    fn a_mapped_address_is_a_trusted_proxy() {
        let lines = [("x-forwarded-proto", "https")];
        assert_eq!(read_from("::ffff:127.0.0.1", &lines).scheme, Some(Scheme::Https));
        let trusted = [parse_network("::ffff:127.0.0.0/104").unwrap()];
        let read = ForwardedRequest::read([127, 0, 0, 1].into(), &headers(&lines), &trusted);
        assert_eq!(read.scheme, Some(Scheme::Https));
    }

    #[test]
    fn an_invalid_host_is_left_out() {
        for host in ["a b", "a/b", "a@b", "<b>", ""] {
            assert_eq!(read_from("127.0.0.1", &[("x-forwarded-host", host)]).host, None, "{host}");
        }
    }

    proptest! {
        #[test]
        fn a_client_cannot_forge_its_scheme_behind_a_proxy_that_appends(
            sent in "(https?|,| ){0,6}",
            addresses in "[0-9., ]{0,30}",
        ) {
            let lines = [
                ("x-forwarded-for", &*format!("{addresses},192.0.2.7")),
                ("x-forwarded-proto", &*format!("{sent},http")),
            ];
            prop_assert_eq!(scheme(&lines), Some(Scheme::Http));
        }

        /// Where the client's part can't be told from the proxy's, the proxy itself counts as the client.
        #[test]
        fn a_client_cannot_forge_its_address_behind_a_proxy_that_appends(
            sent in "(for=9[.]9[.]9[.]9|;x=|[,;\"a \\\\é]){0,8}",
            appended in prop_oneof![Just("for=192.0.2.7"), Just("for=\"192.0.2.7:80\";by=\"a\"")],
        ) {
            let request = read_from("127.0.0.1", &[("forwarded", &format!("{sent}, {appended}"))]);
            prop_assert!(
                ["192.0.2.7", "127.0.0.1"].contains(&&*request.client.to_string()),
                "{request:?}"
            );
        }

        #[test]
        fn arbitrary_headers_are_read_without_a_panic(text in "[ -~]{0,60}") {
            let _ = read_from("127.0.0.1", &[("forwarded", &text), ("x-forwarded-for", &text)]);
        }
    }
}
