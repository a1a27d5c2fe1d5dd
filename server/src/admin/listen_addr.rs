//! Where the operator is listened to.

use std::net::{Ipv4Addr, SocketAddr};

/// Where the operator is listened to, unless it is set: on this machine only.
const DEFAULT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 3002);

/// Where the operator is listened to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdminAddr {
    /// Where one looks for it; if something else is there already, nowhere.
    #[default]
    Default,
    /// Here, and nowhere else.
    At(SocketAddr),
    /// Nowhere.
    Disabled,
}

impl AdminAddr {
    /// The address, if there is to be one.
    pub fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Default => Some(DEFAULT.into()),
            Self::At(address) => Some(address),
            Self::Disabled => None,
        }
    }
}
