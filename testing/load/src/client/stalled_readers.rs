//! Clients that never read: each asks for the list and takes nothing of it.
//!
//! Who only stops reading is no burden yet, for the system's buffers take megabytes in its place.
//! These have no room, so the server's writes to them wait until it drops them; then they come again.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use app::presence::ClientEvent;
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::client::handshake;
use crate::client::websocket::FrameWriter;
use crate::error::LoadError;
use crate::measure::system;
use crate::oracle::violations::Violations;

/// How often they send something: the end of a dropped connection lies behind what is never taken, and
/// only the answer to something sent tells of it.
const KEEPALIVE_INTERVAL: Duration = Duration::from_millis(500);

/// How the answer begins that opens a socket.
const OPENED: &[u8] = b"HTTP/1.1 101 ";

/// Watchers of one room who never read, each with a new socket whenever the server has dropped the last.
#[derive(Debug)]
pub struct StalledReaders {
    poll: Poll,
    events: Events,
    address: SocketAddr,
    /// What each says first: that it wants a socket, and on it that it follows the room.
    opening: Vec<u8>,
    /// What each sends now and then, which asks for no answer.
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
    /// Begins to open the sockets of this many clients of a room.
    pub fn open(address: SocketAddr, room: &str, count: usize) -> Result<Self, LoadError> {
        let poll = Poll::new().map_err(|source| LoadError::Io { what: "no poll", source })?;
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

    /// How often the server dropped one of them.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Does what is to be done for them now, without waiting: to be called often.
    pub fn poll(&mut self, violations: &mut Violations) -> Result<(), LoadError> {
        match self.poll.poll(&mut self.events, Some(Duration::ZERO)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(source) => return Err(LoadError::Io { what: "waiting for sockets", source }),
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
                    // A broken socket is found by the poll.
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
            what: "a socket that takes nothing can't be opened",
            source,
        })?;
        self.sockets[index] = Socket::Connecting(stream);
        Ok(())
    }

    fn send_opening(&mut self, index: usize) {
        let socket = &mut self.sockets[index];
        *socket = match std::mem::replace(socket, Socket::Closed) {
            Socket::Connecting(mut stream) => {
                // A new connection takes these few bytes at once; a broken one is found by the poll.
                drop(stream.write(&self.opening));
                Socket::Open(stream)
            }
            other => other,
        };
    }

    /// A socket ended: one on which the server spoke is opened anew, one that it refused is a fault.
    fn on_closed(&mut self, index: usize, violations: &mut Violations) -> Result<(), LoadError> {
        let on_closed = std::mem::replace(&mut self.sockets[index], Socket::Closed);
        let (Socket::Connecting(mut stream) | Socket::Open(mut stream)) = on_closed else {
            return Ok(());
        };
        match first_bytes(&mut stream) {
            Ok(response) if response.starts_with(OPENED) => {
                self.dropped += 1;
                self.connect(index)
            }
            response => {
                let response = response.map_or_else(
                    |error| error.to_string(),
                    |response| String::from_utf8_lossy(&response).into_owned(),
                );
                violations.add(|| format!("a client that never reads got no socket: {response:?}"));
                Ok(())
            }
        }
    }
}

/// What the server said first on a connection that has ended; the system kept it.
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

    /// How long a client is waited for that would come at once.
    const TIMEOUT: Duration = Duration::from_secs(30);

    /// More than the system takes for one who does not read.
    const FAR_TOO_MUCH: usize = 1 << 20;

    /// What a client says until its first frame has come.
    fn read_request(client: &mut TcpStream) -> Vec<u8> {
        let mut request = Vec::new();
        let mut some = [0; 1024];
        // The head, an empty line, and a masked frame.
        while !request.windows(4).any(|end| end == b"\r\n\r\n") || request.ends_with(b"\r\n\r\n") {
            let read = client.read(&mut some).unwrap();
            assert_ne!(read, 0, "the client went");
            request.extend_from_slice(&some[..read]);
        }
        request
    }

    /// Answers one client, and says how much of what follows the system took.
    fn answer(client: &mut TcpStream, answer: &[u8]) -> usize {
        client.write_all(answer).unwrap();
        client.set_nonblocking(true).unwrap();
        let list = vec![b'x'; 4096];
        let mut taken = 0;
        while taken < FAR_TOO_MUCH {
            match client.write(&list) {
                Ok(written) => taken += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        taken
    }

    #[test]
    fn one_that_is_dropped_was_blocked_and_comes_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut readers =
            StalledReaders::open(listener.local_addr().unwrap(), "team-7", 1).unwrap();
        let (report, reports) = mpsc::channel();
        let server = thread::spawn(move || {
            for _ in 0..2 {
                let (mut client, _) = listener.accept().unwrap();
                let request = read_request(&mut client);
                assert!(request.starts_with(b"GET /r/team-7/socket HTTP/1.1\r\n"));
                report.send(answer(&mut client, b"HTTP/1.1 101 Switching Protocols\r\n")).unwrap();
                // Dropping it drops the client.
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
            assert!(taken < 128 * 1024, "the system took {taken} bytes for one who does not read");
        }
    }

    #[test]
    fn one_that_is_refused_is_a_fault_and_does_not_come_again() {
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
