//! The WebSocket handshake: one HTTP request, one response.

use std::net::SocketAddr;

/// The key and the accepted key of RFC 6455's example, so that nothing has to be hashed.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Longer responses are an error.
const MAX_RESPONSE_IN_BYTES: usize = 16 * 1024;

/// The request for the socket of a room, as the person of the cookie.
pub fn request(address: SocketAddr, room: &str, cookie: Option<&str>) -> String {
    request_for(address, &format!("/r/{room}/socket"), cookie)
}

/// The request for a WebSocket at another address.
pub fn request_for(address: SocketAddr, target: &str, cookie: Option<&str>) -> String {
    let cookie = cookie.map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
    format!(
        "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{cookie}\r\n"
    )
}

/// A response that opens a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// The cookie that identifies the person on the next socket, if one was set.
    pub cookie: Option<Box<str>>,
    /// The length of the response in bytes; frames follow it.
    pub length: usize,
}

/// Why a response does not open a socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The upgrade was refused.
    #[error("the WebSocket was refused: {0}")]
    Refused(String),
    /// The headers are longer than 16 KiB.
    #[error("the response's headers are too long")]
    TooLong,
}

/// Parses the response; `None` if it is incomplete.
pub fn parse_response(bytes: &[u8]) -> Result<Option<Upgraded>, HandshakeError> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > MAX_RESPONSE_IN_BYTES {
            Err(HandshakeError::TooLong)
        } else {
            Ok(None)
        };
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") {
        return Err(HandshakeError::Refused(status.to_owned()));
    }
    let headers = || lines.clone().filter_map(|line| line.split_once(':'));
    let value_of = |header: &str| {
        headers().find(|(name, _)| name.eq_ignore_ascii_case(header)).map(|(_, value)| value.trim())
    };
    if value_of("sec-websocket-accept") != Some(ACCEPT) {
        return Err(HandshakeError::Refused("the accepted key is wrong".to_owned()));
    }
    let cookie = value_of("set-cookie").and_then(|cookie| cookie.split(';').next()).map(Box::from);
    Ok(Some(Upgraded { cookie, length: end + 4 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
        sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Set-Cookie: rollcall_person=abc; HttpOnly; Path=/\r\n\r\n";

    #[test]
    fn response_is_parsed_once_it_is_complete() {
        for length in 0..RESPONSE.len() {
            assert_eq!(parse_response(&RESPONSE.as_bytes()[..length]), Ok(None));
        }
        let upgraded =
            Upgraded { cookie: Some("rollcall_person=abc".into()), length: RESPONSE.len() };
        let with_a_frame = [RESPONSE.as_bytes(), &[0x81, 0]].concat();
        assert_eq!(parse_response(&with_a_frame), Ok(Some(upgraded)));
    }

    #[test]
    fn other_responses_are_errors() {
        let full = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n\r\n";
        let refused = HandshakeError::Refused("HTTP/1.1 503 Service Unavailable".to_owned());
        assert_eq!(parse_response(full), Err(refused));
        let foreign = RESPONSE.replace("s3pP", "xxxx");
        assert!(matches!(parse_response(foreign.as_bytes()), Err(HandshakeError::Refused(_))));
        assert_eq!(
            parse_response(&vec![b'x'; MAX_RESPONSE_IN_BYTES + 1]),
            Err(HandshakeError::TooLong)
        );
    }
}
