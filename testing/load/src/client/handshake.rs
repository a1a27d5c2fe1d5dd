//! The HTTP upgrade to a WebSocket, by hand: one request, one answer.

use std::net::SocketAddr;

/// The key of RFC 6455's own example: what must come back is known without hashing.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The longest answer that is read.
const MAX_RESPONSE_IN_BYTES: usize = 16 * 1024;

/// Asks for the socket of a room, as the person that the cookie says.
pub fn request(address: SocketAddr, room: &str, cookie: Option<&str>) -> String {
    let cookie = cookie.map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
    format!(
        "GET /r/{room}/socket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{cookie}\r\n"
    )
}

/// A server's answer that opens a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// The cookie that makes the next socket the same person, if one was set.
    pub cookie: Option<Box<str>>,
    /// How many bytes the answer took; what follows are frames.
    pub taken: usize,
}

/// Why an answer opens no socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// It is not the answer to a WebSocket's request.
    #[error("no socket was opened: {0}")]
    Refused(String),
    /// The headers do not end.
    #[error("the answer's headers do not end")]
    Endless,
}

/// Reads the answer; none if it is not whole yet.
pub fn parse_response(bytes: &[u8]) -> Result<Option<Upgraded>, HandshakeError> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > MAX_RESPONSE_IN_BYTES {
            Err(HandshakeError::Endless)
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
    let value_of = |wanted: &str| {
        headers().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    if value_of("sec-websocket-accept") != Some(ACCEPT) {
        return Err(HandshakeError::Refused("the key was not accepted".to_owned()));
    }
    let cookie = value_of("set-cookie").and_then(|cookie| cookie.split(';').next()).map(Box::from);
    Ok(Some(Upgraded { cookie, taken: end + 4 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
        sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Set-Cookie: rollcall_person=abc; HttpOnly; Path=/\r\n\r\n";

    #[test]
    fn an_answer_is_read_when_it_is_whole() {
        for length in 0..ANSWER.len() {
            assert_eq!(parse_response(&ANSWER.as_bytes()[..length]), Ok(None));
        }
        let upgraded = Upgraded { cookie: Some("rollcall_person=abc".into()), taken: ANSWER.len() };
        let with_a_frame = [ANSWER.as_bytes(), &[0x81, 0]].concat();
        assert_eq!(parse_response(&with_a_frame), Ok(Some(upgraded)));
    }

    #[test]
    fn other_answers_open_nothing() {
        let full = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n\r\n";
        let refused = HandshakeError::Refused("HTTP/1.1 503 Service Unavailable".to_owned());
        assert_eq!(parse_response(full), Err(refused));
        let foreign = ANSWER.replace("s3pP", "xxxx");
        assert!(matches!(parse_response(foreign.as_bytes()), Err(HandshakeError::Refused(_))));
        assert_eq!(
            parse_response(&vec![b'x'; MAX_RESPONSE_IN_BYTES + 1]),
            Err(HandshakeError::Endless)
        );
    }
}
