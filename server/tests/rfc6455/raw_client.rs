//! A client that sends raw bytes, and parses frames strictly.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::Site;

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The FIN bit in a frame's first byte (RFC 6455, section 5.2).
pub(crate) const FIN: u8 = 0x80;

/// The opcodes in a frame's first byte.
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xa;

/// The masking key of all frames.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked frame with this first byte.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, u64::try_from(payload.len()).unwrap());
    let masked = payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    bytes.extend(masked);
    bytes
}

/// The header of a masked frame with this length.
pub(crate) fn header(first: u8, length: u64) -> Vec<u8> {
    const IS_MASKED: u8 = 0x80;
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(IS_MASKED | u8::try_from(length).unwrap()),
        126..=65_535 => {
            bytes.push(IS_MASKED | 0x7e);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            bytes.push(IS_MASKED | 0x7f);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes
}

/// A text message in one frame.
pub(crate) fn text(payload: &[u8]) -> Vec<u8> {
    frame(FIN | TEXT, payload)
}

/// A message in frames with at most so many bytes.
pub(crate) fn in_fragments(opcode: u8, payload: &[u8], bytes: usize) -> Vec<Vec<u8>> {
    let count = payload.len().div_ceil(bytes);
    let fragments = payload.chunks(bytes).enumerate().map(|(index, piece)| {
        let opcode = if index == 0 { opcode } else { CONTINUATION };
        let fin = if index + 1 == count { FIN } else { 0 };
        frame(fin | opcode, piece)
    });
    fragments.collect()
}

/// A `rename` with exactly so many bytes, which is refused for a person who is not listed.
pub(crate) fn rename_of(bytes: usize) -> Vec<u8> {
    let (before, after) = (r#"{"event":"rename","name":""#, r#""}"#);
    let name = "*".repeat(bytes.checked_sub(before.len() + after.len()).unwrap());
    format!("{before}{name}{after}").into_bytes()
}

/// A `rename` of 40 bytes.
pub(crate) fn rename() -> Vec<u8> {
    rename_of(40)
}

/// A frame of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Text(String),
    Pong(Vec<u8>),
    /// With its code, if there is one.
    Close(Option<u16>),
    /// The end of the connection.
    End,
}

/// A connection with an upgrade request.
pub(crate) struct RawClient {
    stream: TcpStream,
}

impl RawClient {
    /// Opens a WebSocket.
    pub(crate) async fn open(site: &Site) -> Self {
        let (client, head) = Self::ask(site, &upgrade(site, ""), &[]).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        client
    }

    /// Sends a request together with further bytes, and returns the response's head.
    pub(crate) async fn ask(site: &Site, request: &str, further: &[u8]) -> (Self, String) {
        let mut client = Self { stream: TcpStream::connect(site.address).await.unwrap() };
        client.stream.set_nodelay(true).unwrap();
        client.send(&[request.as_bytes(), further].concat()).await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(TIMEOUT, client.stream.read_u8()).await.unwrap().unwrap());
        }
        (client, String::from_utf8(head).unwrap())
    }

    /// Sends bytes. Errors are ignored, because the server may have closed the connection.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(TIMEOUT, self.stream.write_all(bytes)).await.unwrap();
    }

    /// The next frame of the server, without its pings.
    pub(crate) async fn receive(&mut self) -> Received {
        loop {
            let Some((first, payload)) = self.next_frame().await else { return Received::End };
            assert_eq!(first & FIN, FIN, "the server sends whole messages");
            return match first & !FIN {
                TEXT => Received::Text(String::from_utf8(payload).unwrap()),
                PONG => Received::Pong(payload),
                CLOSE => Received::Close(payload.get(..2).map(|code| {
                    assert!(std::str::from_utf8(&payload[2..]).is_ok());
                    u16::from_be_bytes(code.try_into().unwrap())
                })),
                PING => continue,
                other => panic!("opcode {other}, or a reserved bit"),
            };
        }
    }

    /// The first byte and the payload of a frame; `None` at the end.
    async fn next_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = timeout(TIMEOUT, self.stream.read_u8()).await.unwrap().ok()?;
        let length = match self.byte().await {
            short @ 0..=125 => u64::from(short),
            126 => u64::from(timeout(TIMEOUT, self.stream.read_u16()).await.unwrap().unwrap()),
            127 => timeout(TIMEOUT, self.stream.read_u64()).await.unwrap().unwrap(),
            masked => panic!("a server masks nothing: {masked:x}"),
        };
        assert!(length <= 4096, "a frame is too long");
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        timeout(TIMEOUT, self.stream.read_exact(&mut payload)).await.unwrap().unwrap();
        Some((first, payload))
    }

    async fn byte(&mut self) -> u8 {
        timeout(TIMEOUT, self.stream.read_u8()).await.unwrap().unwrap()
    }
}

/// An upgrade request with additional header lines, each ended by CRLF.
pub(crate) fn upgrade(site: &Site, headers: &str) -> String {
    format!(
        "GET /r/rfc/socket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n",
        site.address
    )
}
