//! One attacker: what it says on its connection, and when it is through.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
};

use app::presence::ClientEvent;
use mio::net::TcpStream;

use super::{AttackStats, garbage};
use crate::client::handshake;
use crate::client::websocket::FrameWriter;
use crate::measure::system;

/// The room of those who are let in.
const ROOM: &str = "attacked";

/// What an attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Connects and says nothing.
    Silent,
    /// Asks for a socket, and says nothing on it.
    SilentSocket,
    /// Says a request, byte by byte.
    Dripping,
    /// Asks for a socket to join on, and breaks off.
    Joining,
    /// Says on a socket what makes no sense.
    Garbage,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advance {
    Continues,
    /// The connection is over.
    Ended,
}

#[derive(Debug)]
enum State {
    Idle,
    Connecting(TcpStream),
    Open(TcpStream),
}

/// One attacker.
#[derive(Debug)]
pub(super) struct Attacker {
    kind: Kind,
    host: Ipv4Addr,
    state: State,
    /// How often it has come, so that it says something else each time.
    attempts: usize,
    /// The first bytes that the server said.
    response: Vec<u8>,
    /// What it says first, and how much of that the server has taken.
    opening: Vec<u8>,
    sent: usize,
}

impl Attacker {
    pub(super) fn new(kind: Kind, host: Ipv4Addr) -> Self {
        let (response, opening) = (Vec::new(), Vec::new());
        Self { kind, host, state: State::Idle, attempts: 0, response, opening, sent: 0 }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn host(&self) -> Ipv4Addr {
        self.host
    }

    /// Its connection is on its way.
    pub(super) fn connecting(&mut self, stream: TcpStream) {
        self.state = State::Connecting(stream);
        self.response.clear();
        self.attempts += 1;
    }

    /// Something happened on its connection.
    pub(super) fn step(&mut self, server: SocketAddr, stats: &AttackStats) -> Advance {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => return Advance::Continues,
            State::Connecting(stream) => {
                if !matches!(stream.take_error(), Ok(None)) {
                    return Advance::Ended;
                }
                self.state = State::Open(stream);
                self.opening = self.opening(server);
                self.sent = 0;
                add(self.open_counter(stats), 1);
            }
            State::Open(stream) => self.state = State::Open(stream),
        }
        self.send_opening();
        let is_over = self.read_response();
        if !is_over && !self.is_done() {
            return Advance::Continues;
        }
        self.count_end(stats);
        if let State::Open(stream) = &self.state {
            // So that no port is kept waiting for what may still be on its way.
            drop(system::reset_on_close(stream));
        }
        self.state = State::Idle;
        Advance::Ended
    }

    /// Says the next byte of an endless head.
    pub(super) fn drip(&mut self) {
        if let State::Open(stream) = &mut self.state {
            // A broken connection is found by the poll.
            drop(stream.write(b"x"));
        }
    }

    /// What it says first.
    fn opening(&self, server: SocketAddr) -> Vec<u8> {
        let request = || handshake::request(server, ROOM, None).into_bytes();
        match self.kind {
            Kind::Silent => Vec::new(),
            Kind::SilentSocket => request(),
            Kind::Dripping => b"GET / HTTP/1.1\r\nX-Drip: ".to_vec(),
            Kind::Joining => {
                let name = "Attacker".to_owned();
                let join = ClientEvent::GotANewUser { name, tab: None, visible: None, since: None };
                let join = serde_json::to_string(&join).unwrap_or_default();
                [request(), FrameWriter::default().text(&join)].concat()
            }
            Kind::Garbage => [request(), garbage::payload(self.attempts)].concat(),
        }
    }

    fn send_opening(&mut self) {
        // While the system takes more than that, nobody else has this processor: not even the visitors.
        const MAX_WRITE_IN_BYTES: usize = 16 * 1024;
        let State::Open(stream) = &mut self.state else { return };
        while let Some(piece) = self.opening[self.sent..].chunks(MAX_WRITE_IN_BYTES).next() {
            match stream.write(piece) {
                Ok(written) if written > 0 => self.sent += written,
                // A broken connection is found when it is read.
                _ => return,
            }
        }
        self.opening = Vec::new();
        self.sent = 0;
    }

    /// Whether it has all that it wants.
    fn is_done(&self) -> bool {
        match self.kind {
            Kind::Silent | Kind::SilentSocket | Kind::Dripping | Kind::Garbage => false,
            // An answer is all.
            Kind::Joining => self.response.len() > b"HTTP/1.1 200 ".len(),
        }
    }

    /// Hears all there is, as far as it is wanted, and whether it was the last.
    fn read_response(&mut self) -> bool {
        const MAX_KEPT_IN_BYTES: usize = 64;
        let mut buffer = [0; 4096];
        while !self.is_done() {
            let State::Open(stream) = &mut self.state else { return false };
            match stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(read) => {
                    let room = MAX_KEPT_IN_BYTES.saturating_sub(self.response.len());
                    self.response.extend_from_slice(&buffer[..read.min(room)]);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return true,
            }
        }
        false
    }

    fn count_end(&self, stats: &AttackStats) {
        add(self.open_counter(stats), u64::MAX);
        let was_accepted = self.response.starts_with(b"HTTP/1.1 101 ");
        match self.kind {
            Kind::Joining if was_accepted => add(Some(&stats.joins_accepted), 1),
            Kind::Joining if self.response.starts_with(b"HTTP/1.1 429 ") => {
                add(Some(&stats.joins_refused), 1);
            }
            Kind::Garbage if was_accepted => add(Some(&stats.garbage_ended), 1),
            _ => {}
        }
    }

    /// Where it is counted while it is there.
    fn open_counter<'stats>(&self, stats: &'stats AttackStats) -> Option<&'stats AtomicU64> {
        match self.kind {
            Kind::Silent | Kind::SilentSocket => Some(&stats.silent),
            Kind::Dripping => Some(&stats.dripping),
            Kind::Joining | Kind::Garbage => None,
        }
    }
}

/// Adds, and around the end subtracts.
fn add(count: Option<&AtomicU64>, number: u64) {
    if let Some(count) = count {
        count.fetch_add(number, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// An attacker on a connection to a server that says this, until it is through.
    fn run_attacker(kind: Kind, sent: &[u8]) -> AttackStats {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let host = Ipv4Addr::new(127, 0, 0, 9);
        let mut attacker = Attacker::new(kind, host);
        let stream = system::connect_from(host, address).unwrap();
        let (mut server, peer) = listener.accept().unwrap();
        assert_eq!(peer.ip(), host);
        attacker.connecting(TcpStream::from_std(stream));
        let stats = AttackStats::default();
        server.write_all(sent).unwrap();
        if kind == Kind::Silent {
            assert_eq!(attacker.step(address, &stats), Advance::Continues);
            assert_eq!(stats.silent.load(Ordering::Relaxed), 1);
            drop(server);
        }
        while attacker.step(address, &stats) != Advance::Ended {
            std::thread::yield_now();
        }
        stats
    }

    #[test]
    fn whoever_is_answered_knows_what_came_of_it() {
        let refused = run_attacker(Kind::Joining, b"HTTP/1.1 429 Too Many Requests\r\n\r\n");
        assert_eq!(refused.joins_refused.load(Ordering::Relaxed), 1);
        let accepted = run_attacker(Kind::Joining, b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
        assert_eq!(accepted.joins_accepted.load(Ordering::Relaxed), 1);
        let silent = run_attacker(Kind::Silent, b"");
        assert_eq!(silent.silent.load(Ordering::Relaxed), 0);
    }
}
