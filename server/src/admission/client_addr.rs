//! The address of a client, the group of addresses it counts as, and networks of addresses.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use registry::hub::client_address::ClientAddress;

/// The address at the other end of a request's connection: a client's or a proxy's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerAddr(pub(crate) IpAddr);

/// The unit of limits per address: an IPv4 address, or the /56 of an IPv6 address, which is what a provider gives to one
/// customer line (RIPE-690, section 4.2; BCP 157).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientPrefix([u8; 16]);

/// A /64 within its /56. Where each customer gets a /64 and no more, as from mobile carriers and hosters, a /56 has many
/// customers, so one of them may not use all that is the /56's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ClientSubnet(u8);

/// A client as the limits count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientKey {
    pub(super) prefix: ClientPrefix,
    /// None of an IPv4 address.
    pub(super) subnet: Option<ClientSubnet>,
}

impl From<IpAddr> for ClientPrefix {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_ipv6_mapped().octets()),
            IpAddr::V6(address) => {
                Self(Ipv6Addr::from_bits(address.to_bits() >> 72 << 72).octets())
            }
        }
    }
}

impl ClientPrefix {
    /// The same for the rooms: the first half of an IPv6 address, which has the whole prefix, or an IPv4 address, whose
    /// first half is 0.
    pub(crate) fn for_rooms(self) -> ClientAddress {
        let bits = u128::from_be_bytes(self.0);
        let first_half = || u64::try_from(bits >> 64).unwrap_or_default();
        ClientAddress::from_bits(u64::try_from(bits).unwrap_or_else(|_| first_half()))
    }
}

impl From<IpAddr> for ClientKey {
    fn from(address: IpAddr) -> Self {
        let subnet = match address.to_canonical() {
            IpAddr::V4(_) => None,
            // The eight bits from the 57th to the 64th.
            IpAddr::V6(address) => Some(ClientSubnet(address.octets()[7])),
        };
        Self { prefix: address.into(), subnet }
    }
}

/// The text is neither an address nor a network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an address like 10.0.0.7, or a network like 10.0.0.0/8 or fd00::/8")]
pub struct ParseNetworkError;

/// Reads a network in CIDR notation (RFC 4632, RFC 4291), or a single address.
pub fn parse_network(text: &str) -> Result<IpNet, ParseNetworkError> {
    let address = text.split_once('/').map_or(text, |(address, _)| address);
    // `IpNet` also takes leading zeros, which some programs read as octal numbers: `IpAddr` does not.
    let address: IpAddr = address.parse().map_err(|_| ParseNetworkError)?;
    if text.contains('/') {
        text.parse().map(canonical).map_err(|_| ParseNetworkError)
    } else {
        Ok(IpNet::from(address.to_canonical()))
    }
}

/// A network of IPv4-mapped IPv6 addresses as one of IPv4 addresses, as which such clients count.
fn canonical(network: IpNet) -> IpNet {
    // The prefix of mapped addresses, `::ffff:0:0/96`, precedes the 32 bits of an IPv4 address.
    let length = network.prefix_len().checked_sub(96);
    let mapped = length.and_then(|length| IpNet::new(network.addr().to_canonical(), length).ok());
    mapped.filter(|mapped| matches!(mapped, IpNet::V4(_))).unwrap_or(network)
}

/// Whether one of the networks contains the address; IPv4-mapped IPv6 addresses count as IPv4.
pub(super) fn is_in_any(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// Some proxies append the port: `10.0.0.7:4711`, `[::1]:4711`.
pub(super) fn address_in(entry: &str) -> Option<IpAddr> {
    let without_brackets = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let bare = without_brackets.unwrap_or(entry);
    bare.parse().ok().or_else(|| Some(entry.parse::<std::net::SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName};
    use proptest::prelude::*;

    use super::*;
    use crate::admission::ForwardedRequest;

    fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
        ForwardedRequest::read(peer, headers, trusted).client
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn key(text: &str) -> ClientKey {
        address(text).into()
    }

    fn forwarded(lines: &[&str]) -> HeaderMap {
        let name = HeaderName::from_static("x-forwarded-for");
        lines.iter().map(|line| (name.clone(), line.parse().unwrap())).collect()
    }

    #[test]
    fn a_client_prefix_is_an_ipv4_address_or_an_ipv6_56() {
        let key = |text| key(text).prefix;
        assert_eq!(key("2001:db8:0:100::1"), key("2001:db8:0:1ff:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:0:100::1"), key("2001:db8:0:200::1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
    }

    #[test]
    fn rooms_tell_clients_apart_as_the_other_limits_do() {
        let prefixes = ["10.0.0.1", "10.0.0.2", "::1", "2001:db8:0:100::1", "2001:db8:0:200::1"];
        for one in prefixes {
            for other in prefixes {
                let (one, other) = (ClientPrefix::from(address(one)), address(other).into());
                assert_eq!(one == other, one.for_rooms() == other.for_rooms());
            }
        }
    }

    #[test]
    fn a_client_subnet_is_an_ipv6_64() {
        let one = key("2001:db8:0:101::1");
        assert_eq!(one, key("2001:db8:0:101:ffff:ffff:ffff:ffff"));
        assert_ne!(one.subnet, key("2001:db8:0:102::1").subnet);
        assert_eq!(key("10.0.0.1").subnet, None);
        assert_eq!(key("::ffff:10.0.0.1").subnet, None);
    }

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.7", "10.0.0.7", "10.0.0.6"),
            ("192.168.1.128/25", "::ffff:192.168.1.129", "192.168.1.127"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
            ("::/0", "2001:db8::1", "1.2.3.4"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::1", "::1", "::2"),
            ("::ffff:10.0.0.0/104", "10.255.0.1", "11.0.0.1"),
            ("::ffff:10.0.0.7", "10.0.0.7", "10.0.0.6"),
        ] {
            let network = parse_network(network).unwrap();
            assert!(is_in_any(&[network], address(inside)), "{network:?} {inside}");
            assert!(!is_in_any(&[network], address(outside)), "{network:?} {outside}");
        }
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "a/8"] {
            assert_eq!(parse_network(text), Err(ParseNetworkError), "{text}");
        }
        for text in ["010.0.0.0/8", "010.0.0.7", "10.0.0.0/8/8", "10.0.0.0/8 ", "/8", "::1%1/128"] {
            assert_eq!(parse_network(text), Err(ParseNetworkError), "{text}");
        }
    }

    #[test]
    fn only_entries_of_trusted_proxies_are_used() {
        let trusted =
            ["127.0.0.1", "10.0.0.0/8", "fd00::/8"].map(|text| parse_network(text).unwrap());
        for (peer, lines, client) in [
            // The peer is not a trusted proxy.
            ("1.2.3.4", &["9.9.9.9"][..], "1.2.3.4"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["1.2.3.4"], "1.2.3.4"),
            // Forged entries are to the left.
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
        #[test]
        fn a_client_cannot_forge_its_address_behind_a_trusted_proxy(sent in "[0-9a-f.:, \\[\\]]{0,60}", number: u32) {
            let client = IpAddr::from(std::net::Ipv4Addr::from_bits(number));
            let trusted = [parse_network("::1").unwrap()];
            let headers = forwarded(&[&format!("{sent},{client}")]);
            prop_assert_eq!(client_address(address("::1"), &headers, &trusted), client);
            prop_assert_eq!(client_address(client, &headers, &trusted), client);
            prop_assert_eq!(client_address(client, &headers, &[]), client);
        }

        #[test]
        fn arbitrary_text_is_parsed_without_a_panic(text in any::<String>()) {
            let _ = parse_network(&text);
        }
    }
}
