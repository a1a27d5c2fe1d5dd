//! Where a request comes from, and whom that stands for.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use axum::http::HeaderMap;

/// The other end of a request's connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerAddr(pub(crate) IpAddr);

/// One household, as far as addresses tell: an IPv4 address, or the /64 that an IPv6 address is in,
/// all of which are given to one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientPrefix([u8; 16]);

impl From<IpAddr> for ClientPrefix {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_ipv6_mapped().octets()),
            IpAddr::V6(address) => {
                Self(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).octets())
            }
        }
    }
}

/// All addresses that begin alike: `10.0.0.0/8`, `fd00::/8`, or one address (RFC 4632, RFC 4291).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u32,
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.base, self.prefix)
    }
}

/// The text is no address, and no address with `/` and the number of bits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has to be an address like 10.0.0.7, or a network like 10.0.0.0/8 or fd00::/8")]
pub struct ParseNetworkError;

impl Network {
    /// This machine itself.
    pub(crate) fn loopback() -> Self {
        Self { base: IpAddr::from([127, 0, 0, 0]), prefix: 8 }
    }

    /// Whether the address is one of these.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= self.prefix
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= self.prefix
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, ParseNetworkError> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix)),
            None => (text, None),
        };
        let base: IpAddr = base.parse().map_err(|_| ParseNetworkError)?;
        let all = if base.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => all,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| ParseNetworkError)?
            }
            Some(_) => return Err(ParseNetworkError),
        };
        if prefix > all {
            return Err(ParseNetworkError);
        }
        Ok(Self { base, prefix })
    }
}

/// Who asks: the other end of the connection or, where that is a trusted proxy, whom it names.
///
/// Every proxy appends the address that it was asked from, so that the list is true from the right up to
/// the first address that is no trusted proxy; what stands to the left of it anybody may have written.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if trusted.is_empty() {
        return client;
    }
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let entries = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for entry in entries {
        if !is_trusted(client) {
            break;
        }
        match address_in(entry.trim()) {
            Some(address) => client = address.to_canonical(),
            // What is no address was not written by a proxy that can be trusted.
            None => break,
        }
    }
    client
}

/// Some proxies write the port too: `10.0.0.7:4711`, `[::1]:4711`.
fn address_in(entry: &str) -> Option<IpAddr> {
    let without_brackets = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let bare = without_brackets.unwrap_or(entry);
    bare.parse().ok().or_else(|| Some(entry.parse::<std::net::SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn key(text: &str) -> ClientPrefix {
        address(text).into()
    }

    fn forwarded(lines: &[&str]) -> HeaderMap {
        let name = HeaderName::from_static("x-forwarded-for");
        lines.iter().map(|line| (name.clone(), line.parse().unwrap())).collect()
    }

    #[test]
    fn a_household_is_an_address_or_a_64() {
        assert_eq!(key("2001:db8:0:1::1"), key("2001:db8:0:1:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:0:1::1"), key("2001:db8:0:2::1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
    }

    #[test]
    fn a_network_holds_what_begins_alike() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.7", "10.0.0.7", "10.0.0.6"),
            ("192.168.1.128/25", "::ffff:192.168.1.129", "192.168.1.127"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
            ("::/0", "2001:db8::1", "1.2.3.4"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::1", "::1", "::2"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(address(inside)), "{network:?} {inside}");
            assert!(!network.contains(address(outside)), "{network:?} {outside}");
        }
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "a/8"] {
            assert_eq!(text.parse::<Network>(), Err(ParseNetworkError), "{text}");
        }
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let trusted = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap());
        for (peer, lines, client) in [
            // Nobody else is believed.
            ("1.2.3.4", &["9.9.9.9"][..], "1.2.3.4"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["1.2.3.4"], "1.2.3.4"),
            // What a client wrote itself stands to the left.
            ("127.0.0.1", &["9.9.9.9, 1.2.3.4"], "1.2.3.4"),
            ("127.0.0.1", &["9.9.9.9, 1.2.3.4, 10.0.0.1"], "1.2.3.4"),
            ("127.0.0.1", &["9.9.9.9", "1.2.3.4", "10.0.0.1"], "1.2.3.4"),
            ("127.0.0.1", &["10.0.0.2, 10.0.0.1"], "10.0.0.2"),
            ("127.0.0.1", &["1.2.3.4, unknown"], "127.0.0.1"),
            ("127.0.0.1", &["1.2.3.4, , 10.0.0.1"], "10.0.0.1"),
            ("::ffff:127.0.0.1", &["1.2.3.4:4711"], "1.2.3.4"),
            ("fd00::1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", &["[2001:db8::1]"], "2001:db8::1"),
        ] {
            let found = client_address(address(peer), &forwarded(lines), &trusted);
            assert_eq!(found, address(client), "{peer} {lines:?}");
        }
    }

    proptest! {
        /// Whatever a client sends, it can't be taken for another where the proxy tells the truth.
        #[test]
        fn nobody_is_taken_for_another(sent in "[0-9a-f.:, \\[\\]]{0,60}", number: u32) {
            let client = IpAddr::from(std::net::Ipv4Addr::from_bits(number));
            let trusted = ["::1".parse().unwrap()];
            let headers = forwarded(&[&format!("{sent},{client}")]);
            prop_assert_eq!(client_address(address("::1"), &headers, &trusted), client);
            prop_assert_eq!(client_address(client, &headers, &trusted), client);
            prop_assert_eq!(client_address(client, &headers, &[]), client);
        }

        #[test]
        fn any_text_is_a_network_or_not(text in any::<String>()) {
            let _ = text.parse::<Network>();
        }
    }
}
