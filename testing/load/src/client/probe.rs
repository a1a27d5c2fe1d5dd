//! Measures the latency of joins: one client joins and leaves, another one watches.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use app::{
    client::Replica,
    presence::{ClientEvent, ServerEvent},
};

use crate::{
    client::{
        handshake,
        websocket::{Frame, FrameWriter, parse_frame},
    },
    error::LoadError,
    measure::histogram::Histogram,
};

const ROOM: &str = "probe";

/// The time limit of a read.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The pause between a leave and the next join.
const PAUSE: Duration = Duration::from_millis(20);

/// A watcher of a room, and a client that joins and leaves.
#[derive(Debug)]
pub struct Probe {
    address: SocketAddr,
    watcher: Connection,
    /// The number of joins: each one has another name.
    joins: u64,
}

impl Probe {
    /// Connects the watcher to one server. The other client connects to a server at `address`, which may be
    /// the same.
    pub fn start(address: SocketAddr, watchers: SocketAddr) -> Result<Self, LoadError> {
        let mut watcher = Connection::open(watchers)?;
        watcher.send(&ClientEvent::Watch { since: None })?;
        watcher.wait_until(|list| list.position().is_some())?;
        Ok(Self { address, watcher, joins: 0 })
    }

    /// Joins and leaves for this long, and records the time from connecting until the watcher has the row.
    pub fn measure_joins(
        &mut self,
        time: Duration,
        latency: &mut Histogram,
    ) -> Result<(), LoadError> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.joins += 1;
            let name = format!("Visitor {}", self.joins);
            let started_at = Instant::now();
            let mut joiner = Connection::open(self.address)?;
            let (tab, visible, since) = (None, None, None);
            let join = ClientEvent::GotANewUser { name: name.clone(), tab, visible, since };
            joiner.send(&join)?;
            self.watcher
                .wait_until(|list| list.roster().users().any(|user| user.name.as_str() == name))?;
            latency.record(started_at.elapsed());
            joiner.send(&ClientEvent::Leave {})?;
            self.watcher.wait_until(|list| list.roster().is_empty())?;
            joiner.close()?;
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

/// A blocking WebSocket, and the list that it received.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    writer: FrameWriter,
    /// Bytes that were read and not parsed yet.
    received: Vec<u8>,
    list: Replica,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self, LoadError> {
        let io_error = |source| LoadError::Io { what: "could not connect the probe", source };
        let mut stream = TcpStream::connect(address).map_err(io_error)?;
        stream.set_nodelay(true).map_err(io_error)?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(io_error)?;
        stream.write_all(handshake::request(address, ROOM, None).as_bytes()).map_err(io_error)?;
        let mut connection = Self {
            stream,
            writer: FrameWriter::default(),
            received: Vec::new(),
            list: Replica::default(),
        };
        loop {
            match handshake::parse_response(&connection.received) {
                Ok(Some(upgraded)) => {
                    connection.received.drain(..upgraded.length);
                    return Ok(connection);
                }
                Ok(None) => connection.read()?,
                Err(error) => return Err(LoadError::Server(error.to_string())),
            }
        }
    }

    fn send(&mut self, event: &ClientEvent) -> Result<(), LoadError> {
        let text = serde_json::to_string(event).unwrap_or_default();
        let frame = self.writer.text(&text);
        self.write(&frame)
    }

    /// Sends a close frame and waits for the server's.
    fn close(mut self) -> Result<(), LoadError> {
        const GOING_AWAY: u16 = 1001;
        let frame = self.writer.close(GOING_AWAY);
        self.write(&frame)?;
        while self.receive()? {}
        Ok(())
    }

    /// Receives frames until the list meets the condition.
    fn wait_until(&mut self, condition: impl Fn(&Replica) -> bool) -> Result<(), LoadError> {
        while !condition(&self.list) {
            if !self.receive()? {
                return Err(LoadError::Server("it closed the probe's socket".to_owned()));
            }
        }
        Ok(())
    }

    /// Receives frames up to the next event. Returns false if a close frame came instead.
    fn receive(&mut self) -> Result<bool, LoadError> {
        loop {
            let protocol_error = |what: String| LoadError::Server(what);
            let frame =
                parse_frame(&self.received).map_err(|error| protocol_error(error.to_string()))?;
            let (pong, length) = match frame {
                None => {
                    self.read()?;
                    continue;
                }
                Some((Frame::Text(text), length)) => {
                    let event: ServerEvent = serde_json::from_slice(text)
                        .map_err(|error| protocol_error(error.to_string()))?;
                    self.list.receive(event).map_err(|gap| protocol_error(format!("{gap:?}")))?;
                    self.received.drain(..length);
                    return Ok(true);
                }
                Some((Frame::Close(_), _)) => return Ok(false),
                Some((Frame::Ping(payload), length)) => (Some(self.writer.pong(payload)), length),
                Some((Frame::Pong, length)) => (None, length),
            };
            self.received.drain(..length);
            if let Some(pong) = pong {
                self.write(&pong)?;
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let io_error =
            |source| LoadError::Io { what: "could not write to the probe's socket", source };
        self.stream.write_all(bytes).map_err(io_error)
    }

    fn read(&mut self) -> Result<(), LoadError> {
        let io_error =
            |source| LoadError::Io { what: "could not read from the probe's socket", source };
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer).map_err(io_error)? {
            0 => Err(LoadError::Server("it dropped the probe's connection".to_owned())),
            read => {
                self.received.extend_from_slice(&buffer[..read]);
                Ok(())
            }
        }
    }
}
