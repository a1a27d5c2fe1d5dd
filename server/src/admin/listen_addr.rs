//! The address of the admin interface.

use std::net::{Ipv4Addr, SocketAddr};

/// The default: reachable from this machine only.
const DEFAULT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 3002);

/// The address of the admin interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdminAddr {
    /// The default address; if it is in use, there is no admin interface.
    #[default]
    Default,
    /// This address; if it is in use, the server does not start.
    At(SocketAddr),
    /// No admin interface.
    Disabled,
}

impl AdminAddr {
    /// The address to listen on, if any.
    pub fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Default => Some(DEFAULT.into()),
            Self::At(address) => Some(address),
            Self::Disabled => None,
        }
    }

    /// Its address, if it can't be listened on beside `site`.
    pub fn taken_by(self, site: SocketAddr) -> Option<SocketAddr> {
        let own = self.address()?;
        // The unspecified address is every address of its family; that of IPv6 is those of IPv4 too.
        let includes = |one: SocketAddr, other: SocketAddr| {
            one.ip().is_unspecified() && (one.is_ipv6() || other.is_ipv4())
        };
        let is_same_ip = own.ip() == site.ip() || includes(own, site) || includes(site, own);
        // Port 0 is a free port.
        (own.port() == site.port() && own.port() != 0 && is_same_ip).then_some(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_listeners_cannot_share_a_port_of_one_address() {
        for (operator, site, is_taken) in [
            ("127.0.0.1:3000", "127.0.0.1:3000", true),
            ("127.0.0.1:3000", "0.0.0.0:3000", true),
            ("0.0.0.0:3000", "127.0.0.1:3000", true),
            ("127.0.0.1:3000", "[::]:3000", true),
            ("[::1]:3000", "0.0.0.0:3000", false),
            ("127.0.0.1:3000", "127.0.0.1:3001", false),
            ("127.0.0.1:3000", "127.0.0.2:3000", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
        ] {
            let at = AdminAddr::At(operator.parse().unwrap());
            let site = site.parse().unwrap();
            assert_eq!(at.taken_by(site).is_some(), is_taken, "{operator} {site}");
        }
        let default = "0.0.0.0:3002".parse().unwrap();
        assert_eq!(AdminAddr::Default.taken_by(default), Some(DEFAULT.into()));
        assert_eq!(AdminAddr::Disabled.taken_by(default), None);
    }
}
