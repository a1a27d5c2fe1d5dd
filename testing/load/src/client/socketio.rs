//! Clients of Socket.IO, each over a WebSocket and with the rows that its events lead to.

use std::{
    collections::{HashMap, HashSet},
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    time::{Duration, Instant},
};

use app::presence::User;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use serde::Deserialize;

use crate::{
    client::{
        events::wait_for_events,
        handshake,
        websocket::{Frame, FrameWriter, parse_frame_up_to},
    },
    error::LoadError,
    measure::traffic::Traffic,
    oracle::violations::Violations,
};

/// A list is one packet, however long.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The time limit of a handshake.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A row as an event has it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash)]
struct Row {
    id: String,
    name: String,
}

/// What an event does to the rows; rows are numbers, as thousands of clients have the same ones.
#[derive(Clone, Debug)]
enum Event {
    Added(u32),
    Listed(Vec<u32>),
    Removed(u32),
    Other,
}

/// The clients of one room.
#[derive(Debug)]
pub struct IoSwarm {
    poll: Poll,
    events: Events,
    address: SocketAddr,
    room: String,
    clients: Vec<Client>,
    ids: HashMap<String, u32>,
    names: HashMap<u32, String>,
    /// What texts say that many clients received.
    known: HashMap<Box<[u8]>, Event>,
    scratch: Vec<u8>,
    /// What went wrong.
    pub violations: Violations,
    /// What was received.
    pub traffic: Traffic,
}

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    writer: FrameWriter,
    partial: Vec<u8>,
    rows: Vec<u32>,
    has: HashSet<u32>,
    is_paused: bool,
}

impl IoSwarm {
    /// No clients yet.
    pub fn new(address: SocketAddr, room: &str) -> Result<Self, LoadError> {
        let poll = Poll::new()
            .map_err(|source| LoadError::Io { what: "could not create a poll", source })?;
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            address,
            room: room.to_owned(),
            clients: Vec::new(),
            ids: HashMap::new(),
            names: HashMap::new(),
            known: HashMap::new(),
            scratch: vec![0; 64 * 1024],
            violations: Violations::default(),
            traffic: Traffic::default(),
        })
    }

    /// How many clients there are.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether there is no client.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Adds clients, which enter the room and ask for its list.
    pub fn connect(&mut self, count: usize) -> Result<(), LoadError> {
        for _ in 0..count {
            self.connect_one()
                .map_err(|source| LoadError::Io { what: "could not open a session", source })?;
            self.poll_once(Duration::ZERO)?;
        }
        Ok(())
    }

    fn connect_one(&mut self) -> io::Result<()> {
        let mut stream = std::net::TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let target = "/socket.io/?EIO=4&transport=websocket";
        stream.write_all(handshake::request_for(self.address, target, None).as_bytes())?;
        let (mut answer, mut some) = (Vec::new(), [0; 1024]);
        let upgraded = loop {
            let read = stream.read(&mut some)?;
            answer.extend_from_slice(&some[..read]);
            match handshake::parse_response(&answer).map_err(io::Error::other)? {
                Some(upgraded) => break upgraded,
                None if read == 0 => return Err(ErrorKind::UnexpectedEof.into()),
                None => {}
            }
        };
        let mut writer = FrameWriter::default();
        let enter = writer.text(&format!("40/r/{},", self.room));
        let watch = writer.text(&format!(r#"42/r/{},["watch",{{}}]"#, self.room));
        stream.write_all(&[enter, watch].concat())?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let token = Token(self.clients.len());
        self.poll.registry().register(&mut stream, token, Interest::READABLE)?;
        self.clients.push(Client {
            stream,
            writer,
            partial: answer[upgraded.length..].to_vec(),
            rows: Vec::new(),
            has: HashSet::new(),
            is_paused: false,
        });
        Ok(())
    }

    /// A client asks to be listed.
    pub fn join(&mut self, client: usize) {
        let name = name(client);
        self.emit(client, &format!(r#"["got_a_new_user",{{"name":"{name}"}}]"#));
    }

    /// A client leaves the list.
    pub fn leave(&mut self, client: usize) {
        self.emit(client, r#"["leave",{}]"#);
    }

    fn emit(&mut self, client: usize, arguments: &str) {
        let packet = format!("42/r/{},{arguments}", self.room);
        self.send(client, &packet);
    }

    fn send(&mut self, client: usize, packet: &str) {
        let Client { stream, writer, .. } = &mut self.clients[client];
        let frame = writer.text(packet);
        match stream.write(&frame) {
            Ok(written) if written == frame.len() => {}
            outcome => self.violations.add(|| format!("a client could not send: {outcome:?}")),
        }
    }

    /// A client reads nothing from now on, or goes on reading.
    pub fn set_paused(&mut self, client: usize, is_paused: bool) {
        self.clients[client].is_paused = is_paused;
        // Its event may have come while it was paused.
        if !is_paused {
            self.read(client);
        }
    }

    /// Reads what has arrived, and waits for at most so long if nothing has.
    pub fn poll_once(&mut self, longest: Duration) -> Result<(), LoadError> {
        if !wait_for_events(&mut self.poll, &mut self.events, longest)? {
            return Ok(());
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(1));
        for event in &events {
            if !self.clients[event.token().0].is_paused {
                self.read(event.token().0);
            }
        }
        self.events = events;
        Ok(())
    }

    /// Reads for so long.
    pub fn run_for(&mut self, time: Duration) -> Result<(), LoadError> {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            self.poll_once(left.min(Duration::from_millis(20)))?;
        }
        Ok(())
    }

    fn read(&mut self, client: usize) {
        loop {
            match self.clients[client].stream.read(&mut self.scratch) {
                Ok(0) => {
                    self.violations.add(|| "a session ended".to_owned());
                    break;
                }
                Ok(read) => {
                    let received = &self.scratch[..read];
                    self.clients[client].partial.extend_from_slice(received);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.violations.add(|| format!("a session broke: {error}"));
                    break;
                }
            }
        }
        let partial = std::mem::take(&mut self.clients[client].partial);
        let mut rest = partial.as_slice();
        loop {
            match parse_frame_up_to(MOST_BYTES, rest) {
                Ok(Some((frame, length))) => {
                    self.on_frame(client, frame, length);
                    rest = &rest[length..];
                }
                Ok(None) => break,
                Err(error) => {
                    self.violations.add(|| error.to_string());
                    rest = &[];
                    break;
                }
            }
        }
        self.clients[client].partial = rest.to_vec();
    }

    fn on_frame(&mut self, client: usize, frame: Frame<'_>, length: usize) {
        self.traffic.frames += 1;
        self.traffic.bytes += u64::try_from(length).unwrap_or(u64::MAX);
        match frame {
            Frame::Text(b"2") => self.send(client, "3"),
            Frame::Text(text) => {
                let event = match self.known.get(text) {
                    Some(event) => event.clone(),
                    None => self.parse(text),
                };
                self.clients[client].apply(&event);
            }
            Frame::Close(_) | Frame::Ping(_) | Frame::Pong => {}
        }
    }

    fn parse(&mut self, text: &[u8]) -> Event {
        let event = self.parsed(text).unwrap_or(Event::Other);
        // Lists are long, and few clients get the same one.
        if !matches!(event, Event::Listed(_)) {
            self.known.insert(text.into(), event.clone());
        }
        event
    }

    fn parsed(&mut self, text: &[u8]) -> Option<Event> {
        let text = std::str::from_utf8(text).ok()?;
        let arguments = text.strip_prefix("42")?.split_once(',')?.1;
        if arguments.starts_with(r#"["existing_users""#) {
            let (_, rows): (String, Vec<Row>) = serde_json::from_str(arguments).ok()?;
            return Some(Event::Listed(rows.into_iter().map(|row| self.number(row)).collect()));
        }
        let is_added = arguments.starts_with(r#"["new_user""#);
        // The same comes again as `disconnected_user`.
        if !is_added && !arguments.starts_with(r#"["disconnect_user""#) {
            if arguments.starts_with(r#"["refused""#) {
                self.violations.add(|| arguments.to_owned());
            }
            return None;
        }
        let (_, row): (String, Row) = serde_json::from_str(arguments).ok()?;
        let number = self.number(row);
        Some(if is_added { Event::Added(number) } else { Event::Removed(number) })
    }

    fn number(&mut self, Row { id, name }: Row) -> u32 {
        let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        let number = *self.ids.entry(id).or_insert(next);
        self.names.insert(number, name);
        number
    }

    /// Whether every client has the rows of a list, in its order.
    pub fn wrong_lists(&self, list: &[User]) -> usize {
        let numbers: Vec<Option<u32>> =
            list.iter().map(|user| self.ids.get(user.id.as_str()).copied()).collect();
        let is_right =
            |client: &&Client| client.rows.iter().map(|row| Some(*row)).eq(numbers.iter().copied());
        let named = list.iter().zip(&numbers).all(|(user, number)| {
            number
                .and_then(|number| self.names.get(&number))
                .is_some_and(|name| *name == user.name.as_str())
        });
        if named {
            self.clients.iter().filter(|client| !is_right(client)).count()
        } else {
            self.len()
        }
    }
}

impl Client {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::Added(row) => self.add(*row),
            Event::Listed(rows) => rows.iter().for_each(|row| self.add(*row)),
            Event::Removed(row) => {
                if self.has.remove(row) {
                    self.rows.retain(|other| other != row);
                }
            }
            Event::Other => {}
        }
    }

    /// As a page does that has a box for each id.
    fn add(&mut self, row: u32) {
        if self.has.insert(row) {
            self.rows.push(row);
        }
    }
}

/// The name of a client.
pub fn name(client: usize) -> String {
    format!("Client {client}")
}
