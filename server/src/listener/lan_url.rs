//! The URL of this server for other devices on the network.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
};

/// The URL, if the server listens on all interfaces and there is a network.
pub fn url_for_others(scheme: &str, listening_on: SocketAddr) -> Option<String> {
    if !listening_on.ip().is_unspecified() {
        return None;
    }
    let ip = outgoing_address().ok()?;
    Some(format!("{scheme}://{}", SocketAddr::new(ip, listening_on.port())))
}

/// The address that this machine sends from. Connecting a UDP socket sends nothing: the system only chooses
/// the route, and with it the source address.
fn outgoing_address() -> io::Result<IpAddr> {
    // Reserved for documentation (RFC 5737): the route to it is the default route.
    const OUTSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect((OUTSIDE, 9))?;
    let ip = socket.local_addr()?.ip();
    if ip.is_loopback() || ip.is_unspecified() {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    }
    Ok(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_all_interfaces_has_a_url_for_others() {
        for address in ["127.0.0.1:3000", "192.0.2.7:3000", "[::1]:3000"] {
            assert_eq!(url_for_others("http", address.parse().unwrap()), None);
        }
        // A machine without a network has none.
        if let Some(url) = url_for_others("http", "0.0.0.0:3000".parse().unwrap()) {
            let address: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
            assert!(address.port() == 3000 && !address.ip().is_loopback(), "{url}");
        }
    }
}
