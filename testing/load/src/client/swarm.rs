//! Very many clients in one thread: one poll, one buffer to read into, a few bytes for each client.

mod client;
mod receive;
mod wait;

use std::{
    net::SocketAddr,
    ops::Range,
    time::{Duration, Instant},
};

use app::presence::{ClientEvent, PresenceState, Since};
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use self::{
    client::{Client, Phase},
    wait::Wait,
};
use crate::client::websocket::FrameWriter;
use crate::error::LoadError;
use crate::measure::system;
use crate::measure::traffic::Traffic;
use crate::oracle::lists::{Lists, StateId};
use crate::oracle::truth::{ChangeIndex, ChangeKind, Truth};
use crate::oracle::violations::Violations;

pub use self::client::Opening;

/// How much is read at once.
const SCRATCH_IN_BYTES: usize = 256 * 1024;

/// How many sockets have something to say at once, at the most.
const EVENTS: usize = 1024;

/// Very many clients of one room.
#[derive(Debug)]
pub struct Swarm {
    poll: Poll,
    events: Events,
    scratch: Box<[u8]>,
    address: SocketAddr,
    room: String,
    clients: Vec<Client>,
    lists: Lists,
    writer: FrameWriter,
    /// What was made to happen.
    pub truth: Truth,
    /// What the clients were sent since this was set back.
    pub traffic: Traffic,
    /// What is wrong so far.
    pub violations: Violations,
    wait: Wait,
    /// How many sockets are on their way.
    pending_connects: usize,
    /// How long a client was away at the most, of those who are back.
    longest_absence: Duration,
}

impl Swarm {
    /// Clients of a room of the server at `address`; there are none yet.
    pub fn new(address: SocketAddr, room: &str) -> Result<Self, LoadError> {
        let poll = Poll::new().map_err(|source| LoadError::Io { what: "no poll", source })?;
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS),
            scratch: vec![0; SCRATCH_IN_BYTES].into(),
            address,
            room: room.to_owned(),
            clients: Vec::new(),
            lists: Lists::default(),
            writer: FrameWriter::default(),
            truth: Truth::default(),
            traffic: Traffic::default(),
            violations: Violations::default(),
            wait: Wait::default(),
            pending_connects: 0,
            longest_absence: Duration::ZERO,
        })
    }

    /// The room.
    pub fn room(&self) -> &str {
        &self.room
    }

    /// The server's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds people, each with a browser of their own that says `opening` first.
    pub fn add(&mut self, count: usize, opening: Opening) -> Range<usize> {
        let first = self.clients.len();
        for index in first..first + count {
            let who = self.truth.add_person(&format!("Guest {index}"));
            self.clients.push(Client::new(who, opening));
        }
        first..first + count
    }

    /// What a client says first on its next socket.
    pub fn set_opening(&mut self, client: usize, opening: Opening) {
        self.clients[client].opening = opening;
    }

    /// Begins to open a client's socket.
    pub fn connect(&mut self, index: usize) -> Result<(), LoadError> {
        let upgraded = TcpStream::connect(self.address).and_then(|mut stream| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(index), interest)?;
            Ok(stream)
        });
        let stream = upgraded
            .map_err(|source| LoadError::Io { what: "a socket can't be opened", source })?;
        let client = &mut self.clients[index];
        client.stream = Some(stream);
        client.phase = Phase::Connecting;
        self.pending_connects += 1;
        client.partial = Vec::new();
        client.unsent = Vec::new();
        Ok(())
    }

    /// Opens sockets, `at_once` at a time, until all are open and have said what they say first.
    pub fn connect_all(&mut self, clients: Range<usize>, at_once: usize) -> Result<(), LoadError> {
        const TIMEOUT: Duration = Duration::from_mins(1);
        let until = Instant::now() + TIMEOUT;
        let mut next = clients.start;
        loop {
            if next == clients.end && self.pending_connects == 0 {
                return Ok(());
            }
            let pending = self.pending_connects;
            let last = clients.end.min(next.saturating_add(at_once.saturating_sub(pending)));
            for index in next..last {
                self.connect(index)?;
            }
            next = next.max(last);
            self.poll_once(Duration::from_millis(100))?;
            if Instant::now() > until {
                let open = next - clients.start - self.pending_connects;
                let state = format!("{open} of {} are open", clients.len());
                return Err(LoadError::TooLong { what: "opening sockets", within: TIMEOUT, state });
            }
        }
    }

    /// Says something on a client's socket.
    pub fn send(&mut self, index: usize, event: &ClientEvent) {
        let Ok(text) = serde_json::to_string(event) else { return };
        let frame = self.writer.text(&text);
        self.clients[index].send(&frame);
    }

    /// Joins on an open socket, and notes it.
    pub fn join(&mut self, index: usize) -> ChangeIndex {
        let change = self.truth.record(self.clients[index].who, ChangeKind::Joined, Instant::now());
        let event = self.join_event(index);
        self.send(index, &event);
        self.clients[index].unseen_change = Some(change);
        change
    }

    /// Leaves on an open socket, and notes it.
    pub fn leave(&mut self, index: usize) -> ChangeIndex {
        let what = ChangeKind::Departed(app::presence::DepartureReason::Left);
        let change = self.truth.record(self.clients[index].who, what, Instant::now());
        self.send(index, &ClientEvent::Leave {});
        self.clients[index].unseen_change = Some(change);
        change
    }

    /// Whether a client has read of the last thing that it did.
    pub fn has_seen_own_change(&self, index: usize) -> bool {
        self.clients[index].unseen_change.is_none()
    }

    /// Whether a client's row should be in the list.
    pub fn is_listed(&self, index: usize) -> bool {
        self.truth.expected(self.clients[index].who).is_some()
    }

    /// Breaks a client's connection off with a reset, and notes nothing.
    pub fn reset(&mut self, index: usize) {
        let client = &mut self.clients[index];
        self.pending_connects -= usize::from(client.is_connecting());
        if let Some(stream) = client.stream.take() {
            // Without it the connection ends without a word all the same.
            drop(system::reset_on_close(&stream));
        }
        client.phase = Phase::Closed;
        client.list = self.lists.after_disconnect(client.list);
    }

    /// Breaks a client's connection off with a reset, and notes what the others should see of it.
    pub fn drop_connection(&mut self, index: usize, state: PresenceState) {
        self.truth.record(self.clients[index].who, ChangeKind::Became(state), Instant::now());
        self.reset(index);
    }

    /// Lets a client come back on its next socket, and notes that its row is as before then.
    pub fn rejoin(&mut self, index: usize) {
        let what = ChangeKind::Became(PresenceState::Here);
        self.truth.record(self.clients[index].who, what, Instant::now());
        self.clients[index].opening = Opening::Rejoin;
    }

    /// Reads on until these clients have no sockets any more.
    pub fn wait_until_closed(
        &mut self,
        clients: Range<usize>,
        within: Duration,
    ) -> Result<(), LoadError> {
        let until = Instant::now() + within;
        while clients.clone().any(|index| !self.is_closed(index)) {
            if Instant::now() > until {
                let state = "some are open".to_owned();
                return Err(LoadError::TooLong { what: "closing sockets", within, state });
            }
            self.poll_once(Duration::from_millis(50))?;
        }
        Ok(())
    }

    /// Says goodbye on a client's socket with this code; the server's goodbye ends it.
    pub fn close(&mut self, index: usize, code: u16) {
        let frame = self.writer.close(code);
        let client = &mut self.clients[index];
        client.away_since = Some(Instant::now());
        client.send(&frame);
        client.phase = Phase::Closing;
    }

    /// How long a client was away at the most, from its goodbye until the server answered it again: for the
    /// server it was shorter. Who is still away counts until now.
    pub fn longest_absence(&self) -> Duration {
        let away = self.clients.iter().filter_map(|client| client.away_since);
        away.map(|since| since.elapsed()).fold(self.longest_absence, Duration::max)
    }

    /// Whether a client has no socket.
    pub fn is_closed(&self, index: usize) -> bool {
        self.clients[index].phase == Phase::Closed
    }

    fn join_event(&self, index: usize) -> ClientEvent {
        let client = &self.clients[index];
        let since: Option<Since> = self.lists.position(client.list).cloned();
        ClientEvent::GotANewUser {
            name: self.truth.name(client.who).to_owned(),
            tab: format!("tab-{index}").parse().ok(),
            visible: None,
            since,
        }
    }
}

/// The state of a client that has no list yet.
const NO_LIST: StateId = StateId::NOTHING;
