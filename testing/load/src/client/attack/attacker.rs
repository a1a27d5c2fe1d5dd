//! One attacker: what it sends on its connection, and when it is done.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
};

use app::presence::ClientEvent;
use mio::net::TcpStream;

use super::{AttackStats, garbage};
use crate::{
    client::{handshake, websocket::FrameWriter},
    measure::system,
};

/// The room of the accepted attackers.
const ROOM: &str = "attacked";

/// What an attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttackKind {
    /// Connects and sends nothing.
    Silent,
    /// Upgrades to a WebSocket, and sends no frame.
    SilentSocket,
    /// Sends a request byte by byte.
    Dripping,
    /// Upgrades, joins, and resets the connection.
    Joining,
    /// Upgrades, and sends invalid frames.
    Garbage,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttackProgress {
    Continues,
    /// The connection has ended.
    Ended,
}

#[derive(Debug)]
enum AttackState {
    Idle,
    Connecting(TcpStream),
    Open(TcpStream),
}

/// One attacker.
#[derive(Debug)]
pub(super) struct Attacker {
    kind: AttackKind,
    host: Ipv4Addr,
    state: AttackState,
    /// The number of its connections, so that it sends other garbage on each.
    attempts: usize,
    /// The first bytes of the server's response.
    response: Vec<u8>,
    /// What it sends first, and how many bytes of it have been sent.
    opening: Vec<u8>,
    sent: usize,
}

impl Attacker {
    pub(super) fn new(kind: AttackKind, host: Ipv4Addr) -> Self {
        let (response, opening) = (Vec::new(), Vec::new());
        Self { kind, host, state: AttackState::Idle, attempts: 0, response, opening, sent: 0 }
    }

    pub(super) fn kind(&self) -> AttackKind {
        self.kind
    }

    pub(super) fn host(&self) -> Ipv4Addr {
        self.host
    }

    /// Its connection is being opened.
    pub(super) fn connecting(&mut self, stream: TcpStream) {
        self.state = AttackState::Connecting(stream);
        self.response.clear();
        self.attempts += 1;
    }

    /// Handles an event on its connection.
    pub(super) fn step(&mut self, server: SocketAddr, stats: &AttackStats) -> AttackProgress {
        match std::mem::replace(&mut self.state, AttackState::Idle) {
            AttackState::Idle => return AttackProgress::Continues,
            AttackState::Connecting(stream) => {
                if !matches!(stream.take_error(), Ok(None)) {
                    return AttackProgress::Ended;
                }
                self.state = AttackState::Open(stream);
                self.opening = self.opening(server);
                self.sent = 0;
                add(self.open_counter(stats), 1);
            }
            AttackState::Open(stream) => self.state = AttackState::Open(stream),
        }
        self.send_opening();
        let is_over = self.read_response();
        if !is_over && !self.is_done() {
            return AttackProgress::Continues;
        }
        self.count_end(stats);
        if let AttackState::Open(stream) = &self.state {
            // A reset frees the port at once, without TIME_WAIT.
            drop(system::reset_on_close(stream));
        }
        self.state = AttackState::Idle;
        AttackProgress::Ended
    }

    /// Sends the next byte of headers that never end.
    pub(super) fn drip(&mut self) {
        if let AttackState::Open(stream) = &mut self.state {
            // The poll reports a broken connection.
            drop(stream.write(b"x"));
        }
    }

    /// The bytes that it sends first.
    fn opening(&self, server: SocketAddr) -> Vec<u8> {
        let request = || handshake::request(server, ROOM, None).into_bytes();
        match self.kind {
            AttackKind::Silent => Vec::new(),
            AttackKind::SilentSocket => request(),
            AttackKind::Dripping => b"GET / HTTP/1.1\r\nX-Drip: ".to_vec(),
            AttackKind::Joining => {
                let name = "Attacker".to_owned();
                let join = ClientEvent::GotANewUser { name, tab: None, visible: None, since: None };
                let join = serde_json::to_string(&join).unwrap_or_default();
                [request(), FrameWriter::default().text(&join)].concat()
            }
            AttackKind::Garbage => [request(), garbage::payload(self.attempts)].concat(),
        }
    }

    fn send_opening(&mut self) {
        // Longer writes would keep the core from the probe.
        const MAX_WRITE_IN_BYTES: usize = 16 * 1024;
        let AttackState::Open(stream) = &mut self.state else { return };
        while let Some(piece) = self.opening[self.sent..].chunks(MAX_WRITE_IN_BYTES).next() {
            match stream.write(piece) {
                Ok(written) if written > 0 => self.sent += written,
                // Reading reports a broken connection.
                _ => return,
            }
        }
        self.opening = Vec::new();
        self.sent = 0;
    }

    /// Whether it has received what it waits for.
    fn is_done(&self) -> bool {
        match self.kind {
            AttackKind::Silent
            | AttackKind::SilentSocket
            | AttackKind::Dripping
            | AttackKind::Garbage => false,
            // The status line suffices.
            AttackKind::Joining => self.response.len() > b"HTTP/1.1 200 ".len(),
        }
    }

    /// Reads until it is done or the socket is empty, and returns whether the connection has ended.
    fn read_response(&mut self) -> bool {
        const MAX_KEPT_IN_BYTES: usize = 64;
        let mut buffer = [0; 4096];
        while !self.is_done() {
            let AttackState::Open(stream) = &mut self.state else { return false };
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
            AttackKind::Joining if was_accepted => add(Some(&stats.joins_accepted), 1),
            AttackKind::Joining if self.response.starts_with(b"HTTP/1.1 429 ") => {
                add(Some(&stats.joins_refused), 1);
            }
            AttackKind::Garbage if was_accepted => add(Some(&stats.garbage_ended), 1),
            _ => {}
        }
    }

    /// The counter of its kind's open connections.
    fn open_counter<'stats>(&self, stats: &'stats AttackStats) -> Option<&'stats AtomicU64> {
        match self.kind {
            AttackKind::Silent | AttackKind::SilentSocket => Some(&stats.silent),
            AttackKind::Dripping => Some(&stats.dripping),
            AttackKind::Joining | AttackKind::Garbage => None,
        }
    }
}

/// Adds with wrap-around, so that `u64::MAX` subtracts one.
fn add(count: Option<&AtomicU64>, number: u64) {
    if let Some(count) = count {
        count.fetch_add(number, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Runs an attacker against a server that sends this response.
    fn run_attacker(kind: AttackKind, response: &[u8]) -> AttackStats {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let host = Ipv4Addr::new(127, 0, 0, 9);
        let mut attacker = Attacker::new(kind, host);
        let stream = system::connect_from(host, address).unwrap();
        let (mut server, peer) = listener.accept().unwrap();
        assert_eq!(peer.ip(), host);
        attacker.connecting(TcpStream::from_std(stream));
        let stats = AttackStats::default();
        server.write_all(response).unwrap();
        if kind == AttackKind::Silent {
            assert_eq!(attacker.step(address, &stats), AttackProgress::Continues);
            assert_eq!(stats.silent.load(Ordering::Relaxed), 1);
            drop(server);
        }
        while attacker.step(address, &stats) != AttackProgress::Ended {
            std::thread::yield_now();
        }
        stats
    }

    #[test]
    fn attackers_count_the_responses_by_status() {
        let refused = run_attacker(AttackKind::Joining, b"HTTP/1.1 429 Too Many Requests\r\n\r\n");
        assert_eq!(refused.joins_refused.load(Ordering::Relaxed), 1);
        let accepted =
            run_attacker(AttackKind::Joining, b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
        assert_eq!(accepted.joins_accepted.load(Ordering::Relaxed), 1);
        let silent = run_attacker(AttackKind::Silent, b"");
        assert_eq!(silent.silent.load(Ordering::Relaxed), 0);
    }
}
