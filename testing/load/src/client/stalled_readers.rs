//! Clients that never read ("slow consumers"): each asks for the list and reads nothing of it.
//!
//! A client that only stops reading is no burden yet, because the system's buffers take megabytes for it.
//! These clients have the smallest buffers, so the server's writes block until the server drops them. Then
//! they reconnect.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use app::presence::ClientEvent;
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{
    client::{events::wait_for_events, handshake, websocket::FrameWriter},
    error::LoadError,
    measure::system,
    oracle::violations::Violations,
};

/// The end of a dropped connection lies behind unread bytes, so a client learns of it only from the reset
/// that answers a frame.
const KEEPALIVE_INTERVAL: Duration = Duration::from_millis(500);

/// The first bytes of a response that opens a socket.
const SWITCHING_PROTOCOLS: &[u8] = b"HTTP/1.1 101 ";

/// Watchers of one room that never read. Each reconnects when the server has dropped it.
#[derive(Debug)]
pub struct StalledReaders {
    poll: Poll,
    events: Events,
    address: SocketAddr,
    /// The handshake and a `watch` frame.
    opening: Vec<u8>,
    /// A pong, which needs no reply.
    keepalive: Vec<u8>,
    next_keepalive_at: Instant,
    sockets: Vec<Socket>,
    dropped: usize,
}

#[derive(Debug)]
enum Socket {
    Closed,
    Connecting(TcpStream),
    Open(TcpStream),
}

impl StalledReaders {
    /// Starts to connect this many clients of a room.
    pub fn open(address: SocketAddr, room: &str, count: usize) -> Result<Self, LoadError> {
        let poll = Poll::new()
            .map_err(|source| LoadError::Io { what: "could not create a poll", source })?;
        let mut writer = FrameWriter::default();
        let mut opening = handshake::request(address, room, None).into_bytes();
        if let Ok(watch) = serde_json::to_string(&ClientEvent::Watch { since: None }) {
            opening.extend(writer.text(&watch));
        }
        let mut readers = Self {
            poll,
            events: Events::with_capacity(count.max(1)),
            address,
            opening,
            keepalive: writer.pong(&[]),
            next_keepalive_at: Instant::now() + KEEPALIVE_INTERVAL,
            sockets: (0..count).map(|_| Socket::Closed).collect(),
            dropped: 0,
        };
        (0..count).try_for_each(|index| readers.connect(index))?;
        Ok(readers)
    }

    /// How many connections the server has dropped.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Handles events and due keepalives without waiting. It has to be called often.
    pub fn poll(&mut self, violations: &mut Violations) -> Result<(), LoadError> {
        if !wait_for_events(&mut self.poll, &mut self.events, Duration::ZERO)? {
            return Ok(());
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(1));
        for event in &events {
            let index = event.token().0;
            if event.is_error() || event.is_read_closed() {
                self.on_closed(index, violations)?;
            } else if event.is_writable() {
                self.send_opening(index);
            }
        }
        self.events = events;
        let now = Instant::now();
        if now >= self.next_keepalive_at {
            self.next_keepalive_at = now + KEEPALIVE_INTERVAL;
            for socket in &mut self.sockets {
                if let Socket::Open(stream) = socket {
                    // The poll reports a broken socket.
                    drop(stream.write(&self.keepalive));
                }
            }
        }
        Ok(())
    }

    fn connect(&mut self, index: usize) -> Result<(), LoadError> {
        let upgraded = system::connect_with_small_buffers(self.address).and_then(|stream| {
            let mut stream = TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(index), interest)?;
            Ok(stream)
        });
        let stream = upgraded.map_err(|source| LoadError::Io {
            what: "could not open a socket with small buffers",
            source,
        })?;
        self.sockets[index] = Socket::Connecting(stream);
        Ok(())
    }

    fn send_opening(&mut self, index: usize) {
        let socket = &mut self.sockets[index];
        *socket = match std::mem::replace(socket, Socket::Closed) {
            Socket::Connecting(mut stream) => {
                // A new connection has space for these few bytes. The poll reports a broken one.
                drop(stream.write(&self.opening));
                Socket::Open(stream)
            }
            other => other,
        };
    }

    /// Reconnects a client that the server had accepted. A client that it refused is a violation.
    fn on_closed(&mut self, index: usize, violations: &mut Violations) -> Result<(), LoadError> {
        let on_closed = std::mem::replace(&mut self.sockets[index], Socket::Closed);
        let (Socket::Connecting(mut stream) | Socket::Open(mut stream)) = on_closed else {
            return Ok(());
        };
        match first_bytes(&mut stream) {
            Ok(response) if response.starts_with(SWITCHING_PROTOCOLS) => {
                self.dropped += 1;
                self.connect(index)
            }
            response => {
                let response = response.map_or_else(
                    |error| error.to_string(),
                    |response| String::from_utf8_lossy(&response).into_owned(),
                );
                violations.add(|| format!("a stalled reader was refused: {response:?}"));
                Ok(())
            }
        }
    }
}

/// The server's first bytes on a connection that has ended, from the system's buffer.
fn first_bytes(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut response = vec![0; 64];
    let length = stream.read(&mut response)?;
    response.truncate(length);
    Ok(response)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{
        net::{Shutdown, TcpListener, TcpStream},
        sync::mpsc,
        thread,
    };

    use super::*;

    /// The time limit of a test, which takes far less.
    const TIMEOUT: Duration = Duration::from_secs(30);

    /// More bytes than the system's buffers hold for a stalled reader.
    const MAX_BUFFERED: usize = 1 << 20;

    /// Reads the handshake and the first frame of a client.
    fn read_request(client: &mut TcpStream) -> Vec<u8> {
        let mut request = Vec::new();
        let mut some = [0; 1024];
        // The frame follows the empty line after the headers.
        while !request.windows(4).any(|end| end == b"\r\n\r\n") || request.ends_with(b"\r\n\r\n") {
            let read = client.read(&mut some).unwrap();
            assert_ne!(read, 0, "the client disconnected");
            request.extend_from_slice(&some[..read]);
        }
        request
    }

    /// Sends a response, and returns how many bytes after it fit in the system's buffers.
    fn respond(client: &mut TcpStream, response: &[u8]) -> usize {
        client.write_all(response).unwrap();
        client.set_nonblocking(true).unwrap();
        let list = vec![b'x'; 4096];
        let mut taken = 0;
        while taken < MAX_BUFFERED {
            match client.write(&list) {
                Ok(written) => taken += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        taken
    }

    #[test]
    fn stalled_reader_blocks_the_server_and_reconnects_when_dropped() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut readers =
            StalledReaders::open(listener.local_addr().unwrap(), "team-7", 1).unwrap();
        let (report, reports) = mpsc::channel();
        let server = thread::spawn(move || {
            for _ in 0..2 {
                let (mut client, _) = listener.accept().unwrap();
                let request = read_request(&mut client);
                assert!(request.starts_with(b"GET /r/team-7/socket HTTP/1.1\r\n"));
                report.send(respond(&mut client, b"HTTP/1.1 101 Switching Protocols\r\n")).unwrap();
                // Dropping the stream drops the client.
            }
            listener
        });
        let mut violations = Violations::default();
        let until = Instant::now() + TIMEOUT;
        while readers.dropped() < 2 && Instant::now() < until {
            readers.poll(&mut violations).unwrap();
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!((readers.dropped(), violations.count), (2, 0), "{:?}", violations.first);
        server.join().unwrap();
        for taken in reports {
            assert!(taken < 128 * 1024, "the system buffered {taken} bytes for a stalled reader");
        }
    }

    #[test]
    fn refused_reader_is_a_violation_and_does_not_reconnect() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut readers =
            StalledReaders::open(listener.local_addr().unwrap(), "team-7", 1).unwrap();
        let server = thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            read_request(&mut client);
            client.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").unwrap();
            client.shutdown(Shutdown::Both).unwrap();
        });
        let mut violations = Violations::default();
        let until = Instant::now() + TIMEOUT;
        while violations.count == 0 && Instant::now() < until {
            readers.poll(&mut violations).unwrap();
            thread::sleep(Duration::from_millis(1));
        }
        server.join().unwrap();
        assert!(violations.first.unwrap().contains("503"));
        assert_eq!(readers.dropped(), 0);
    }
}
