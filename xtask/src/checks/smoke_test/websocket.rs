//! As much of a WebSocket (RFC 6455) as a trial needs: short texts, pings, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::PATIENCE;
use crate::output::failure::{Context, Failure, Outcome};

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Stands for a length that takes two bytes of its own; a greater number for one that takes eight.
const LENGTH_FOLLOWS: u8 = 126;

/// What the server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// An event.
    Text(String),
    /// Goodbye, with a code; none where it says no code.
    Close(Option<u16>),
}

/// A client's end of a socket.
#[derive(Debug)]
pub(super) struct WebSocket {
    stream: BufReader<TcpStream>,
    /// What makes this client the same person again.
    cookie: String,
}

impl WebSocket {
    /// Opens a socket at this path, as the person of this cookie if there is one.
    pub(super) fn open(address: &str, path: &str, cookie: Option<&str>) -> Outcome<Self> {
        let could_not = || format!("Could not open a socket at {address}{path}");
        let stream = TcpStream::connect(address).with_context(could_not)?;
        stream.set_read_timeout(Some(PATIENCE)).with_context(could_not)?;
        let mut stream = BufReader::new(stream);
        let own = cookie.map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{own}\r\n"
        );
        stream.get_mut().write_all(request.as_bytes()).with_context(could_not)?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).with_context(could_not)? == 0 {
                break;
            }
        }
        let given = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let given = given.and_then(|line| line.split(';').next());
        match given.or(cookie) {
            Some(cookie) if head.starts_with("HTTP/1.1 101 ") => {
                Ok(Self { stream, cookie: cookie.to_owned() })
            }
            _ => Err(Failure::new(format!("{path} is answered with {head:?}."))),
        }
    }

    /// Makes a later client the same person.
    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Says something.
    pub(super) fn send(&mut self, text: &str) -> Outcome {
        self.write(TEXT, text.as_bytes())
    }

    /// What the server says next; pings are answered on the way.
    pub(super) fn next(&mut self) -> Outcome<Heard> {
        loop {
            let (opcode, payload) =
                read_frame(&mut self.stream).with_context(|| "A socket broke".to_owned())?;
            match opcode {
                TEXT => return Ok(Heard::Text(String::from_utf8_lossy(&payload).into_owned())),
                CLOSE => {
                    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    return Ok(Heard::Close(code));
                }
                PING => self.write(PONG, &payload)?,
                _ => {}
            }
        }
    }

    fn write(&mut self, opcode: u8, payload: &[u8]) -> Outcome {
        let frame = frame(opcode, payload);
        self.stream
            .get_mut()
            .write_all(&frame)
            .with_context(|| "A socket can't be written to".to_owned())
    }
}

/// A client's whole frame (RFC 6455, section 5.2). What masks it is for the proxies of others: here it is zero.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    const LAST: u8 = 0x80;
    const MASKED: u8 = 0x80;
    const NO_MASK: [u8; 4] = [0; 4];
    let mut frame = vec![LAST | opcode];
    if let Ok(short @ ..LENGTH_FOLLOWS) = u8::try_from(payload.len()) {
        frame.push(MASKED | short);
    } else {
        let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
        frame.push(MASKED | LENGTH_FOLLOWS);
        frame.extend_from_slice(&length.to_be_bytes());
    }
    frame.extend_from_slice(&NO_MASK);
    frame.extend_from_slice(payload);
    frame
}

/// A server's frame: the opcode and the payload. This server's frames are whole, and of at most 4 KiB.
fn read_frame(stream: &mut impl Read) -> std::io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let [first, second] = head;
    let length = match second {
        LENGTH_FOLLOWS => {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            u16::from_be_bytes(length)
        }
        short @ ..LENGTH_FOLLOWS => u16::from(short),
        _ => return Err(std::io::Error::other("a frame is longer than any may be")),
    };
    let mut payload = vec![0; usize::from(length)];
    stream.read_exact(&mut payload)?;
    Ok((first & 0x0f, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_what_it_is_and_how_long() {
        assert_eq!(frame(TEXT, b"hi"), [0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
        assert_eq!(frame(TEXT, &[b'x'; 300])[..4], [0x81, 0xfe, 1, 44]);
    }

    #[test]
    fn frames_are_read_one_after_the_other() {
        let long = [&[0x81, 126, 1, 44][..], &[b'x'; 300], &[0x88, 2, 3, 0xf4]].concat();
        let mut stream = &long[..];
        assert_eq!(read_frame(&mut stream).unwrap(), (TEXT, vec![b'x'; 300]));
        assert_eq!(read_frame(&mut stream).unwrap(), (CLOSE, 1012_u16.to_be_bytes().to_vec()));
        assert!(read_frame(&mut stream).is_err());
    }
}
