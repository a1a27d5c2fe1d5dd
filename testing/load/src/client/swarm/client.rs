//! One client of a swarm.

use std::{
    io::{ErrorKind, Write},
    time::Instant,
};

use mio::net::TcpStream;

use super::NO_LIST;
use crate::oracle::{
    lists::StateId,
    truth::{ChangeIndex, PersonIndex},
};

/// The first frame of a client on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// No frame.
    Silence,
    /// `watch`, from the position of its list.
    Watch,
    /// `got_a_new_user`, which is recorded as a join.
    Join,
    /// `got_a_new_user` with its cookie, its tab and the position of its list. The caller records the
    /// effect.
    Rejoin,
}

/// The state of a client's socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed,
    Connecting,
    Upgrading,
    Open,
    /// This program sent a close frame, so any end of the socket is expected.
    Closing,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) who: PersonIndex,
    pub(super) opening: Opening,
    /// The server of its present socket, or of its next one.
    pub(super) server: usize,
    /// Whether the last beat said that its list is old.
    pub(super) is_stale: bool,
    pub(super) stream: Option<TcpStream>,
    pub(super) phase: Phase,
    pub(super) list: StateId,
    /// The received part of an incomplete frame.
    pub(super) partial: Vec<u8>,
    /// Bytes that the system's buffer had no space for.
    pub(super) unsent: Vec<u8>,
    pub(super) cookie: Option<Box<str>>,
    /// Its last join or departure, until it has received it.
    pub(super) unseen_change: Option<ChangeIndex>,
    /// When it sent a close frame, until the server's first frame on its next socket.
    pub(super) away_since: Option<Instant>,
    /// The last wait in which it was counted.
    pub(super) counted_in: u32,
    pub(super) is_wrong: bool,
}

impl Client {
    pub(super) fn new(who: PersonIndex, opening: Opening, server: usize) -> Self {
        Self {
            who,
            opening,
            server,
            is_stale: false,
            stream: None,
            phase: Phase::Closed,
            list: NO_LIST,
            partial: Vec::new(),
            unsent: Vec::new(),
            cookie: None,
            unseen_change: None,
            away_since: None,
            counted_in: 0,
            is_wrong: false,
        }
    }

    /// Whether its socket is being opened.
    pub(super) fn is_connecting(&self) -> bool {
        matches!(self.phase, Phase::Connecting | Phase::Upgrading)
    }

    /// Whether it receives changes.
    pub(super) fn is_following(&self) -> bool {
        self.phase == Phase::Open && self.opening != Opening::Silence
    }

    /// Sends bytes, and keeps those that the system's buffer has no space for.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
        self.flush();
    }

    /// Sends the bytes that were kept.
    pub(super) fn flush(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        while !self.unsent.is_empty() {
            match stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Reading reports a broken socket.
                Err(_) => return,
            }
        }
        self.unsent = Vec::new();
    }
}
