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
}
