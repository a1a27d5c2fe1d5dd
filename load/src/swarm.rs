//! Very many clients in one thread: one poll, one buffer to read into, a few bytes for each client.

mod client;

use std::{
    io::{self, Read},
    net::SocketAddr,
    ops::Range,
    time::{Duration, Instant},
};

use app::presence::{ClientEvent, PresenceState, Since, User};
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use self::client::{Client, Phase};
use crate::{
    fault::LoadFault,
    handshake,
    lists::{FrameKind, Lists, StateId},
    normalise::without_the_personal,
    system,
    traffic::Traffic,
    truth::{ChangeIndex, PersonIndex, Truth, What},
    websocket::{Frame, FrameWriter, take_frame},
    wrongs::Wrongs,
};

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
    pub wrongs: Wrongs,
    goal: Goal,
    /// How many sockets are on their way.
    being_opened: usize,
}

/// What is waited for: that many clients have the right list.
#[derive(Debug, Default)]
struct Goal {
    /// Each goal has its number, so that no client is counted twice for one.
    number: u32,
    wanted: usize,
    reached: usize,
    reached_at: Option<Instant>,
}

impl Swarm {
    /// Clients of a room of the server at `address`; there are none yet.
    pub fn new(address: SocketAddr, room: &str) -> Result<Self, LoadFault> {
        let poll = Poll::new().map_err(|source| LoadFault::Io { what: "no poll", source })?;
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
            wrongs: Wrongs::default(),
            goal: Goal::default(),
            being_opened: 0,
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

    /// Who a client is.
    pub fn person(&self, client: usize) -> PersonIndex {
        self.clients[client].who
    }

    /// What a client says first on its next socket.
    pub fn set_opening(&mut self, client: usize, opening: Opening) {
        self.clients[client].opening = opening;
    }

    /// Begins to open a client's socket.
    pub fn connect(&mut self, index: usize) -> Result<(), LoadFault> {
        let opened = TcpStream::connect(self.address).and_then(|mut stream| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(index), interest)?;
            Ok(stream)
        });
        let stream =
            opened.map_err(|source| LoadFault::Io { what: "a socket can't be opened", source })?;
        let client = &mut self.clients[index];
        client.stream = Some(stream);
        client.phase = Phase::Connecting;
        self.being_opened += 1;
        client.held = Vec::new();
        client.unsent = Vec::new();
        Ok(())
    }

    /// Opens sockets, `at_once` at a time, until all are open and have said what they say first.
    pub fn connect_all(&mut self, clients: Range<usize>, at_once: usize) -> Result<(), LoadFault> {
        const WITHIN: Duration = Duration::from_mins(1);
        let until = Instant::now() + WITHIN;
        let mut next = clients.start;
        loop {
            if next == clients.end && self.being_opened == 0 {
                return Ok(());
            }
            let pending = self.being_opened;
            let last = clients.end.min(next.saturating_add(at_once.saturating_sub(pending)));
            for index in next..last {
                self.connect(index)?;
            }
            next = next.max(last);
            self.turn(Duration::from_millis(100))?;
            if Instant::now() > until {
                let open = next - clients.start - self.being_opened;
                let state = format!("{open} of {} are open", clients.len());
                return Err(LoadFault::TooLong { what: "opening sockets", within: WITHIN, state });
            }
        }
    }

    /// Says something on a client's socket.
    pub fn say(&mut self, index: usize, event: &ClientEvent) {
        let Ok(text) = serde_json::to_string(event) else { return };
        let frame = self.writer.text(&text);
        self.clients[index].send(&frame);
    }

    /// Joins on an open socket, and notes it.
    pub fn join(&mut self, index: usize) -> ChangeIndex {
        let change = self.truth.record(self.clients[index].who, What::Joined, Instant::now());
        let event = self.announcement(index);
        self.say(index, &event);
        self.clients[index].untold = Some(change);
        change
    }

    /// Leaves on an open socket, and notes it.
    pub fn leave(&mut self, index: usize) -> ChangeIndex {
        let what = What::Departed(app::presence::DepartureReason::Left);
        let change = self.truth.record(self.clients[index].who, what, Instant::now());
        self.say(index, &ClientEvent::Leave {});
        self.clients[index].untold = Some(change);
        change
    }

    /// Whether a client has read of the last thing that it did.
    pub fn is_told(&self, index: usize) -> bool {
        self.clients[index].untold.is_none()
    }

    /// Whether a client's row should be in the list.
    pub fn is_listed(&self, index: usize) -> bool {
        self.truth.expected(self.clients[index].who).is_some()
    }

    /// Breaks a client's connection off with a reset, and notes nothing.
    pub fn reset(&mut self, index: usize) {
        let client = &mut self.clients[index];
        self.being_opened -= usize::from(client.is_being_opened());
        if let Some(stream) = client.stream.take() {
            // Without it the connection ends without a word all the same.
            drop(system::reset_on_close(&stream));
        }
        client.phase = Phase::Closed;
        client.list = self.lists.after_disconnect(client.list);
    }

    /// Breaks a client's connection off with a reset, and notes what the others should see of it.
    pub fn break_off(&mut self, index: usize, state: PresenceState) {
        self.truth.record(self.clients[index].who, What::Became(state), Instant::now());
        self.reset(index);
    }

    /// Lets a client come back on its next socket, and notes that its row is as before then.
    pub fn let_come_back(&mut self, index: usize) {
        let what = What::Became(PresenceState::Here);
        self.truth.record(self.clients[index].who, what, Instant::now());
        self.clients[index].opening = Opening::ComeBack;
    }

    /// Reads on until these clients have no sockets any more.
    pub fn until_closed(
        &mut self,
        clients: Range<usize>,
        within: Duration,
    ) -> Result<(), LoadFault> {
        let until = Instant::now() + within;
        while clients.clone().any(|index| !self.is_closed(index)) {
            if Instant::now() > until {
                let state = "some are open".to_owned();
                return Err(LoadFault::TooLong { what: "closing sockets", within, state });
            }
            self.turn(Duration::from_millis(50))?;
        }
        Ok(())
    }

    /// Says goodbye on a client's socket with this code; the server's goodbye ends it.
    pub fn close(&mut self, index: usize, code: u16) {
        let frame = self.writer.close(code);
        let client = &mut self.clients[index];
        client.send(&frame);
        client.phase = Phase::Closing;
    }

    /// Whether a client has no socket.
    pub fn is_closed(&self, index: usize) -> bool {
        self.clients[index].phase == Phase::Closed
    }

    /// Sets up a goal: that all clients with an open socket have the list that they should have once
    /// all is told.
    pub fn aim(&mut self) {
        let now = Instant::now();
        self.goal = Goal { number: self.goal.number + 1, ..Goal::default() };
        let Self { clients, lists, truth, goal, .. } = self;
        for client in clients.iter_mut().filter(|client| client.is_following()) {
            goal.wanted += 1;
            if lists.is_right(client.list, truth) {
                client.goal = goal.number;
                goal.reached += 1;
            }
        }
        if goal.reached == goal.wanted {
            goal.reached_at = Some(now);
        }
    }

    /// When the goal was reached, if it was.
    pub fn reached_at(&self) -> Option<Instant> {
        self.goal.reached_at
    }

    /// Reads on until the goal is reached, and says when that was; a list that is still wrong at the
    /// end of `within` is counted.
    pub fn until_right(&mut self, within: Duration) -> Result<Option<Instant>, LoadFault> {
        self.aim();
        let until = Instant::now() + within;
        while self.goal.reached_at.is_none() && Instant::now() < until {
            self.turn(Duration::from_millis(50))?;
        }
        Ok(self.goal.reached_at)
    }

    /// Reads on for a while.
    pub fn rest(&mut self, pause: Duration) -> Result<(), LoadFault> {
        let until = Instant::now() + pause;
        while let Some(left) =
            until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
        {
            self.turn(left)?;
        }
        Ok(())
    }

    /// How many clients follow the room.
    pub fn followers(&self) -> usize {
        self.clients.iter().filter(|client| client.is_following()).count()
    }

    /// Judges every list as it is now.
    pub fn judge(&mut self, server_list: Result<Vec<User>, String>) {
        let Self { clients, lists, truth, wrongs, .. } = self;
        let judged = clients.iter().enumerate();
        let judged = judged.filter(|(_, client)| client.is_following() && !client.is_wrong);
        let judged = judged.map(|(index, client)| (index, client.list));
        lists.judge(judged, server_list, truth, wrongs);
    }

    /// Waits for sockets that have something to say, and hears it.
    pub fn turn(&mut self, longest: Duration) -> Result<(), LoadFault> {
        match self.poll.poll(&mut self.events, Some(longest)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(source) => return Err(LoadFault::Io { what: "waiting for sockets", source }),
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let index = event.token().0;
            if event.is_writable() {
                self.write_on(index);
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.read(index, event.is_read_closed() || event.is_error());
            }
        }
        self.events = events;
        Ok(())
    }

    fn write_on(&mut self, index: usize) {
        let client = &mut self.clients[index];
        match client.phase {
            Phase::Connecting => {
                let request =
                    handshake::request(self.address, &self.room, client.cookie.as_deref());
                client.phase = Phase::Upgrading;
                client.send(request.as_bytes());
            }
            _ => client.flush(),
        }
    }

    /// Reads what a socket has: the system tells once, so it is read empty.
    fn read(&mut self, index: usize, may_have_ended: bool) {
        loop {
            let client = &mut self.clients[index];
            let Some(stream) = &mut client.stream else { return };
            let held = client.held.len();
            self.scratch[..held].copy_from_slice(&client.held);
            let read = match stream.read(&mut self.scratch[held..]) {
                Ok(0) => return self.ended(index, "ended without a goodbye"),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return self.ended(index, &error.to_string()),
            };
            let end = held + read;
            let scratch = std::mem::take(&mut self.scratch);
            let taken = self.hear(index, &scratch[..end]);
            self.scratch = scratch;
            let client = &mut self.clients[index];
            if taken < end {
                client.held.clear();
                client.held.extend_from_slice(&self.scratch[taken..end]);
            } else if held > 0 {
                client.held = Vec::new();
            }
            // Less than there was room for: it is empty, and the system will tell when there is more.
            if end < self.scratch.len() && !may_have_ended {
                return;
            }
        }
    }

    /// Takes in what is whole of what was read, and says how much that is.
    fn hear(&mut self, index: usize, bytes: &[u8]) -> usize {
        let mut taken = 0;
        let now = Instant::now();
        if self.clients[index].phase == Phase::Upgrading {
            match handshake::read_answer(bytes) {
                Ok(None) => return 0,
                Ok(Some(opened)) => {
                    taken = opened.taken;
                    let client = &mut self.clients[index];
                    client.cookie = opened.cookie.or(client.cookie.take());
                    client.phase = Phase::Open;
                    self.being_opened -= 1;
                    self.say_first(index);
                }
                Err(fault) => {
                    self.ended(index, &fault.to_string());
                    return bytes.len();
                }
            }
        }
        loop {
            match take_frame(&bytes[taken..]) {
                Ok(None) => return taken,
                Ok(Some((frame, length))) => {
                    taken += length;
                    self.take(index, frame, length, now);
                }
                Err(fault) => {
                    self.ended(index, &fault.to_string());
                    return bytes.len();
                }
            }
        }
    }

    fn take(&mut self, index: usize, frame: Frame<'_>, length: usize, now: Instant) {
        match frame {
            Frame::Text(text) => self.take_text(index, text, length, now),
            Frame::Ping(payload) => {
                let pong = self.writer.pong(payload);
                self.clients[index].send(&pong);
            }
            Frame::Pong => {}
            Frame::Close(code) => {
                let sentence =
                    code.map_or("closed".to_owned(), |code| format!("closed with {code}"));
                self.ended(index, &sentence);
            }
        }
    }

    fn take_text(&mut self, index: usize, text: &[u8], length: usize, now: Instant) {
        let Self { clients, lists, truth, traffic, wrongs, goal, .. } = self;
        let client = &mut clients[index];
        let common = without_the_personal(text);
        if let Some(you) = common.you
            && let Err(sentence) = truth.identify(client.who, you)
        {
            client.is_wrong = true;
            wrongs.add(|| format!("client {index}: {sentence}"));
        }
        let transition = lists.advance(client.list, &common.bytes, truth, now);
        client.list = transition.to;
        let length = u64::try_from(length).unwrap_or_default();
        match transition.kind {
            FrameKind::Beat => traffic.beats += 1,
            FrameKind::List => {
                traffic.frames += 1;
                traffic.bytes += length;
                let names = u64::try_from(transition.name_bytes).unwrap_or_default();
                traffic.list_bytes += length - names;
                traffic.list_rows += u64::try_from(transition.list_rows).unwrap_or_default();
            }
            FrameKind::Resumed | FrameKind::Changes => {
                traffic.frames += 1;
                traffic.bytes += length;
                traffic.fact_bytes += length;
            }
            FrameKind::Other => {}
        }
        traffic.facts += u64::try_from(transition.facts.len()).unwrap_or_default();
        for change in &*transition.facts {
            if let Some(sent) = truth.sent(*change) {
                traffic.latency.record(now.saturating_duration_since(sent));
            }
        }
        if client.untold.is_some_and(|untold| transition.facts.contains(&untold)) {
            client.untold = None;
        }
        let state = transition.to;
        if let Some(sentence) = lists.fault(state) {
            if !client.is_wrong {
                client.is_wrong = true;
                wrongs.add(|| format!("client {index}: {sentence}"));
            }
        } else if goal.reached < goal.wanted
            && client.goal != goal.number
            && lists.is_right(state, truth)
        {
            client.goal = goal.number;
            goal.reached += 1;
            if goal.reached == goal.wanted {
                goal.reached_at = Some(Instant::now());
            }
        }
    }

    fn say_first(&mut self, index: usize) {
        match self.clients[index].opening {
            Opening::Silence => {}
            Opening::Watch => {
                let since = self.lists.position(self.clients[index].list).cloned();
                self.say(index, &ClientEvent::Watch { since });
            }
            Opening::Join => {
                self.join(index);
            }
            Opening::ComeBack => {
                let event = self.announcement(index);
                self.say(index, &event);
            }
        }
    }

    fn announcement(&self, index: usize) -> ClientEvent {
        let client = &self.clients[index];
        let since: Option<Since> = self.lists.position(client.list).cloned();
        ClientEvent::GotANewUser {
            name: self.truth.name(client.who).to_owned(),
            tab: format!("tab-{index}").parse().ok(),
            visible: None,
            since,
        }
    }

    /// A socket ended; that is right only where this program wanted it.
    fn ended(&mut self, index: usize, how: &str) {
        let client = &mut self.clients[index];
        if client.phase == Phase::Closed {
            return;
        }
        if client.phase != Phase::Closing && !client.is_wrong {
            client.is_wrong = true;
            self.wrongs.add(|| format!("the socket of client {index}: {how}"));
        }
        self.being_opened -= usize::from(client.is_being_opened());
        client.stream = None;
        client.phase = Phase::Closed;
        client.list = self.lists.after_disconnect(client.list);
    }
}

/// The state of a client that has no list yet.
const NO_LIST: StateId = StateId::NOTHING;
