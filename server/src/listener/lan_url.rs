//! The address at which others on the network find this machine.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
};

/// Where others can open the page, if the server listens on every interface and there is a network.
pub fn url_for_others(scheme: &str, listening_on: SocketAddr) -> Option<String> {
    if !listening_on.ip().is_unspecified() {
        return None;
    }
    let ip = own_address().ok()?;
    Some(format!("{scheme}://{}", SocketAddr::new(ip, listening_on.port())))
}

/// The address that this machine would send from. A UDP socket that is connected has sent nothing yet:
/// the system only looks up which way it would go.
fn own_address() -> io::Result<IpAddr> {
    // Set aside for documentation (RFC 5737): nobody is there, and the way there is the way out.
    const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect((ELSEWHERE, 9))?;
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
    fn only_who_listens_everywhere_is_found_by_others() {
        for address in ["127.0.0.1:3000", "192.0.2.7:3000", "[::1]:3000"] {
            assert_eq!(url_for_others("http", address.parse().unwrap()), None);
        }
        // A machine without any network has no such address.
        if let Some(url) = url_for_others("http", "0.0.0.0:3000".parse().unwrap()) {
            let address: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
            assert!(address.port() == 3000 && !address.ip().is_loopback(), "{url}");
        }
    }
}
