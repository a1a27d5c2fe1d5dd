//! Connections that ask for much and read next to nothing of it.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use app::presence::ClientEvent;

use super::{Helpings, PAUSE, Target, Work};
use crate::{
    client::{handshake, websocket::FrameWriter},
    error::LoadError,
    measure::system,
};

/// How often each connection reads, and how much: too little to be of any use, and enough to seem alive.
const READ_INTERVAL: Duration = Duration::from_secs(4);
const READ_IN_BYTES: usize = 1024;

/// The system raises this to its minimum.
const SMALLEST_BUFFER: usize = 1;

/// Of so many a turn: the system's queue of new connections is not what is measured.
const MOST_NEW: usize = 20;

/// What is not read.
#[derive(Clone, Copy, Debug)]
pub enum Unread {
    /// The list as JSON.
    Answer,
    /// The list of a socket.
    Socket,
}

pub(super) struct SlowReaders {
    host: Ipv4Addr,
    server: SocketAddr,
    request: Vec<u8>,
    connections: Vec<Option<Connection>>,
}

struct Connection {
    stream: TcpStream,
    is_asked: bool,
    next_read: Instant,
}

impl SlowReaders {
    pub(super) fn new(host: Ipv4Addr, target: &Target, unread: Unread, connections: usize) -> Self {
        let Target { server, room } = target;
        let request = match unread {
            Unread::Answer => {
                format!("GET /api/rooms/{room}/users HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    .into_bytes()
            }
            Unread::Socket => {
                let watch = serde_json::to_string(&ClientEvent::Watch { since: None });
                let watch = FrameWriter::default().text(&watch.unwrap_or_default());
                [handshake::request(*server, room, None).into_bytes(), watch].concat()
            }
        };
        let connections = (0..connections).map(|_| None).collect();
        Self { host, server: *server, request, connections }
    }
}

impl Work for SlowReaders {
    fn turn(&mut self, helpings: &Helpings) -> Result<(), LoadError> {
        let now = Instant::now();
        let mut may_open = MOST_NEW;
        for slot in &mut self.connections {
            let is_alive = slot.as_mut().is_some_and(|open| open.go_on(&self.request, now));
            if is_alive {
                continue;
            }
            if slot.take().is_some() {
                helpings.count_rejection();
            }
            if may_open > 0 {
                may_open -= 1;
                *slot = Connection::open(self.host, self.server, now);
                helpings.count_answer();
            }
        }
        thread::sleep(PAUSE);
        Ok(())
    }
}

impl Connection {
    fn open(host: Ipv4Addr, server: SocketAddr, now: Instant) -> Option<Self> {
        let stream = system::connect_from_with_buffer(host, server, SMALLEST_BUFFER).ok()?;
        Some(Self { stream, is_asked: false, next_read: now + READ_INTERVAL })
    }

    /// Asks, and reads a little from time to time. Returns false if the connection has ended.
    fn go_on(&mut self, request: &[u8], now: Instant) -> bool {
        if !self.is_asked {
            return match self.stream.write(request) {
                Ok(_) => {
                    self.is_asked = true;
                    true
                }
                // It is not connected yet.
                Err(error) => {
                    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected)
                }
            };
        }
        if now < self.next_read {
            return true;
        }
        self.next_read = now + READ_INTERVAL;
        match self.stream.read(&mut [0; READ_IN_BYTES]) {
            Ok(read) => read > 0,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }
}
