//! Thousands of clients in one thread: one poll, one read buffer, a few bytes for each client.

mod client;
mod receive;
mod wait;

use std::{
    net::SocketAddr,
    ops::Range,
    time::{Duration, Instant},
};

use app::presence::{ClientEvent, DepartureReason, Epoch, PresenceState, Since};
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use self::{
    client::{Client, Phase},
    wait::Wait,
};
use crate::{
    client::websocket::FrameWriter,
    error::LoadError,
    measure::{system, traffic::Traffic},
    oracle::{
        lists::{Lists, StateId},
        truth::{ChangeIndex, ChangeKind, Truth},
        violations::Violations,
    },
};

pub use self::client::Opening;

/// The size of the shared read buffer.
const SCRATCH_IN_BYTES: usize = 256 * 1024;

/// The maximum number of events of one poll.
const EVENTS: usize = 1024;

/// The clients of one room.
#[derive(Debug)]
pub struct Swarm {
    poll: Poll,
    events: Events,
    scratch: Box<[u8]>,
    addresses: Vec<SocketAddr>,
    room: String,
    clients: Vec<Client>,
    /// Whether the end of a socket is expected: its client is then in `lost`, and it is no violation.
    expects_ends: bool,
    /// The clients whose sockets have ended, and that have not been told to reconnect.
    lost: Vec<usize>,
    lists: Lists,
    writer: FrameWriter,
    /// The record of what the clients did.
    pub truth: Truth,
    /// What the clients received since the last reset.
    pub traffic: Traffic,
    /// The violations found so far.
    pub violations: Violations,
    wait: Wait,
    /// The number of sockets that are connecting or upgrading.
    pending_connects: usize,
    /// The longest absence among the clients that have come back.
    longest_absence: Duration,
}

impl Swarm {
    /// A swarm without clients, for a room of the servers at these addresses.
    ///
    /// Clients are spread in turn, and each goes to the next server when it reconnects: there are no sticky
    /// sessions.
    pub fn new(addresses: Vec<SocketAddr>, room: &str) -> Result<Self, LoadError> {
        let poll = Poll::new()
            .map_err(|source| LoadError::Io { what: "could not create a poll", source })?;
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS),
            scratch: vec![0; SCRATCH_IN_BYTES].into(),
            addresses,
            room: room.to_owned(),
            clients: Vec::new(),
            expects_ends: false,
            lost: Vec::new(),
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

    /// The name of the clients' room.
    pub fn room(&self) -> &str {
        &self.room
    }

    /// The addresses of the servers.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Adds clients, each a person of its own, whose first frame is `opening`.
    pub fn add(&mut self, count: usize, opening: Opening) -> Range<usize> {
        let first = self.clients.len();
        for index in first..first + count {
            let who = self.truth.add_person(&format!("Visitor {index}"));
            self.clients.push(Client::new(who, opening, index % self.addresses.len()));
        }
        first..first + count
    }

    /// Sets the first frame of a client's next socket.
    pub fn set_opening(&mut self, client: usize, opening: Opening) {
        self.clients[client].opening = opening;
    }

    /// Starts to open a client's socket.
    pub fn connect(&mut self, index: usize) -> Result<(), LoadError> {
        let address = self.addresses[self.clients[index].server];
        let upgraded = TcpStream::connect(address).and_then(|mut stream| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(index), interest)?;
            Ok(stream)
        });
        let client = &mut self.clients[index];
        client.phase = Phase::Connecting;
        self.pending_connects += 1;
        match upgraded {
            Ok(stream) => client.stream = Some(stream),
            Err(_) if self.expects_ends => {
                self.on_closed(index, "refused");
                return Ok(());
            }
            Err(source) => {
                return Err(LoadError::Io { what: "could not open a socket", source });
            }
        }
        let client = &mut self.clients[index];
        client.partial = Vec::new();
        client.unsent = Vec::new();
        Ok(())
    }

    /// Opens sockets, at most `at_once` at the same time, until all are open and have sent their first
    /// frame.
    pub fn connect_all(
        &mut self,
        clients: impl IntoIterator<Item = usize>,
        at_once: usize,
    ) -> Result<(), LoadError> {
        const TIMEOUT: Duration = Duration::from_mins(1);
        let until = Instant::now() + TIMEOUT;
        let mut waiting = clients.into_iter().peekable();
        let mut begun = 0;
        loop {
            if waiting.peek().is_none() && self.pending_connects == 0 {
                return Ok(());
            }
            for index in waiting.by_ref().take(at_once.saturating_sub(self.pending_connects)) {
                self.connect(index)?;
                begun += 1;
            }
            self.poll_once(Duration::from_millis(100))?;
            if Instant::now() > until {
                let open = begun - self.pending_connects;
                let state = format!("{open} of {} are open", begun + waiting.count());
                return Err(LoadError::Timeout { what: "opening sockets", within: TIMEOUT, state });
            }
        }
    }

    /// Sends an event on a client's socket.
    pub fn send(&mut self, index: usize, event: &ClientEvent) {
        let Ok(text) = serde_json::to_string(event) else { return };
        let frame = self.writer.text(&text);
        self.clients[index].send(&frame);
    }

    /// Joins on an open socket, and records the join.
    pub fn join(&mut self, index: usize) -> ChangeIndex {
        let change = self.truth.record(self.clients[index].who, ChangeKind::Joined, Instant::now());
        let event = self.join_event(index);
        self.send(index, &event);
        self.clients[index].unseen_change = Some(change);
        change
    }

    /// Leaves on an open socket, and records the departure.
    pub fn leave(&mut self, index: usize) -> ChangeIndex {
        let what = ChangeKind::Departed(app::presence::DepartureReason::Left);
        let change = self.truth.record(self.clients[index].who, what, Instant::now());
        self.send(index, &ClientEvent::Leave {});
        self.clients[index].unseen_change = Some(change);
        change
    }

    /// Whether a client has received its own last join or departure.
    pub fn has_seen_own_change(&self, index: usize) -> bool {
        self.clients[index].unseen_change.is_none()
    }

    /// Whether a client has received a whole list.
    pub fn has_list(&self, index: usize) -> bool {
        self.lists.position(self.clients[index].list).is_some()
    }

    /// Whether a client's row is expected in the list.
    pub fn is_listed(&self, index: usize) -> bool {
        self.truth.expected(self.clients[index].who).is_some()
    }

    /// Resets a client's connection without recording a change.
    pub fn reset(&mut self, index: usize) {
        let client = &mut self.clients[index];
        self.pending_connects -= usize::from(client.is_connecting());
        if let Some(stream) = client.stream.take() {
            // If this fails, the connection ends without a close frame as well.
            drop(system::reset_on_close(&stream));
        }
        client.phase = Phase::Closed;
        client.server = (client.server + 1) % self.addresses.len();
        client.is_stale = false;
        client.list = self.lists.after_disconnect(client.list);
    }

    /// Resets a client's connection, and records the state that the others should see.
    pub fn drop_connection(&mut self, index: usize, state: PresenceState) {
        self.truth.record(self.clients[index].who, ChangeKind::Became(state), Instant::now());
        self.reset(index);
    }

    /// Lets a client resume on its next socket, and records that its row is then `here` again.
    pub fn rejoin(&mut self, index: usize) {
        let what = ChangeKind::Became(PresenceState::Here);
        self.truth.record(self.clients[index].who, what, Instant::now());
        self.clients[index].opening = Opening::Rejoin;
    }

    /// Polls until these clients' sockets are closed.
    pub fn wait_until_closed(
        &mut self,
        clients: Range<usize>,
        within: Duration,
    ) -> Result<(), LoadError> {
        let until = Instant::now() + within;
        while clients.clone().any(|index| !self.is_closed(index)) {
            if Instant::now() > until {
                let state = "some are still open".to_owned();
                return Err(LoadError::Timeout { what: "closing sockets", within, state });
            }
            self.poll_once(Duration::from_millis(50))?;
        }
        Ok(())
    }

    /// Sends a close frame with this code. The socket ends with the server's close frame.
    pub fn close(&mut self, index: usize, code: u16) {
        let frame = self.writer.close(code);
        let client = &mut self.clients[index];
        client.away_since = Some(Instant::now());
        client.send(&frame);
        client.phase = Phase::Closing;
    }

    /// The longest absence of a client, from sending its close frame until the server's first frame on its
    /// next socket. The server sees a shorter one. Clients that are still away count until now.
    pub fn longest_absence(&self) -> Duration {
        let away = self.clients.iter().filter_map(|client| client.away_since);
        away.map(|since| since.elapsed()).fold(self.longest_absence, Duration::max)
    }

    /// The clients that are connected to a server, or will be next.
    pub fn clients_of(&self, server: usize) -> Vec<usize> {
        let clients = self.clients.iter().enumerate();
        clients.filter(|(_, client)| client.server == server).map(|(index, _)| index).collect()
    }

    /// From now on the end of a socket is expected, or a violation.
    pub fn expect_ends(&mut self, expects_ends: bool) {
        self.expects_ends = expects_ends;
    }

    /// The clients whose sockets have ended as expected since the last call.
    pub fn take_lost(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.lost)
    }

    /// How many clients with an expected end of their socket have not been told to reconnect.
    pub fn lost(&self) -> usize {
        self.lost.len()
    }

    /// Records that a client's row changes its state.
    pub fn expect_state(&mut self, index: usize, state: PresenceState) {
        self.truth.record(self.clients[index].who, ChangeKind::Became(state), Instant::now());
    }

    /// The epoch of a client's list.
    pub fn epoch_of(&self, index: usize) -> Option<&Epoch> {
        self.lists.position(self.clients[index].list).map(|at| &at.epoch)
    }

    /// Records that a client's row may go and come again: what was known of it is lost, and it is told anew.
    pub fn expect_again(&mut self, index: usize) {
        let (who, now) = (self.clients[index].who, Instant::now());
        self.truth.record(who, ChangeKind::Departed(DepartureReason::Lost), now);
        self.truth.record(who, ChangeKind::Joined, now);
    }

    /// How many clients were told by their last beat that their list is old.
    pub fn stale(&self) -> usize {
        self.clients.iter().filter(|client| client.is_stale).count()
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
