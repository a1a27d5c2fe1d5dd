//! One client: what it is doing, and the few bytes that are its own.

use std::{
    io::{ErrorKind, Write},
    time::Instant,
};

use mio::net::TcpStream;

use super::NO_LIST;
use crate::oracle::lists::StateId;
use crate::oracle::truth::{ChangeIndex, PersonIndex};

/// What a client says first on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Nothing.
    Silence,
    /// That it follows the room, from where its list is.
    Watch,
    /// That it joins, which is noted as having been made to happen.
    Join,
    /// That it is back, with its cookie, its tab and where its list is. Whoever lets it come back notes
    /// what that does.
    Rejoin,
}

/// Where a client's socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed,
    Connecting,
    Upgrading,
    Open,
    /// This program said goodbye: whatever ends the socket now is right.
    Closing,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) who: PersonIndex,
    pub(super) opening: Opening,
    pub(super) stream: Option<TcpStream>,
    pub(super) phase: Phase,
    pub(super) list: StateId,
    /// The beginning of a frame whose end has not come.
    pub(super) partial: Vec<u8>,
    /// What the system did not take yet.
    pub(super) unsent: Vec<u8>,
    pub(super) cookie: Option<Box<str>>,
    /// The last thing that it did, until it has read of it.
    pub(super) unseen_change: Option<ChangeIndex>,
    /// Since when it is away, if it said goodbye and the server has not answered it since.
    pub(super) away_since: Option<Instant>,
    /// The last wait that it reached.
    pub(super) wait: u32,
    pub(super) is_wrong: bool,
}

impl Client {
    pub(super) fn new(who: PersonIndex, opening: Opening) -> Self {
        Self {
            who,
            opening,
            stream: None,
            phase: Phase::Closed,
            list: NO_LIST,
            partial: Vec::new(),
            unsent: Vec::new(),
            cookie: None,
            unseen_change: None,
            away_since: None,
            wait: 0,
            is_wrong: false,
        }
    }

    /// Whether its socket is on its way.
    pub(super) fn is_connecting(&self) -> bool {
        matches!(self.phase, Phase::Connecting | Phase::Upgrading)
    }

    /// Whether it is told what happens.
    pub(super) fn is_following(&self) -> bool {
        self.phase == Phase::Open && self.opening != Opening::Silence
    }

    /// Sends bytes, or keeps what the system does not take.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
        self.flush();
    }

    /// Sends what was kept.
    pub(super) fn flush(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        while !self.unsent.is_empty() {
            match stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A broken socket is found when it is read.
                Err(_) => return,
            }
        }
        self.unsent = Vec::new();
    }
}
