//! A blocking HTTP client that reads answers and forgets them.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use crate::measure::system;

/// The time limit of a read.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A connection from one of loopback's many addresses, for one request after the other.
#[derive(Debug)]
pub struct HttpConnection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The size of head and body.
    pub bytes: usize,
}

impl HttpConnection {
    /// Connects from this address.
    pub fn open(host: Ipv4Addr, server: SocketAddr) -> io::Result<Self> {
        let stream = system::connect_from(host, server)?;
        // From here on it waits: also for the connection, with the first write.
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Sends a `GET`, and reads the answer to its end.
    pub fn get(&mut self, path: &str, coding: &str) -> io::Result<Answer> {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {coding}\r\n\r\n");
        self.stream.write_all(request.as_bytes())?;
        self.received.clear();
        loop {
            let mut buffer = [0; 16 * 1024];
            match self.stream.read(&mut buffer)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                read => self.received.extend_from_slice(&buffer[..read]),
            }
            if let Some(status) = status_of_whole(&self.received) {
                return Ok(Answer { status, bytes: self.received.len() });
            }
        }
    }
}

/// The status of an answer that is there as a whole.
fn status_of_whole(answer: &[u8]) -> Option<u16> {
    const END_OF_HEAD: &[u8] = b"\r\n\r\n";
    let end = answer.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD)?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let body = &answer[end + END_OF_HEAD.len()..];
    let is_whole = match length {
        Some(length) => body.len() >= length,
        // In chunks (RFC 9112, section 7.1).
        None => body.ends_with(b"0\r\n\r\n"),
    };
    is_whole.then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_is_whole_by_its_length_or_its_last_chunk() {
        for (answer, status) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", Some(200)),
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab", None),
            ("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n", Some(429)),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", None),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", Some(200)),
            ("HTTP/1.1 200 OK\r\ncontent-len", None),
        ] {
            assert_eq!(status_of_whole(answer.as_bytes()), status, "{answer}");
        }
    }
}
