//! Two normal probe: one comes and goes, the other sees it. What is measured is how long that takes.

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

const ROOM: &str = "visited";

/// How long nothing comes at the most.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long the one who comes and goes stays away in between.
const AWAY: Duration = Duration::from_millis(20);

/// Two visitors of a room: one who stays and sees, and one who comes and goes.
#[derive(Debug)]
pub struct Probe {
    address: SocketAddr,
    watcher: Connection,
    /// How often somebody came: each time under another name.
    joins: u64,
}

impl Probe {
    /// The one who stays comes.
    pub fn start(address: SocketAddr) -> Result<Self, LoadError> {
        let mut watcher = Connection::open(address)?;
        watcher.send(&ClientEvent::Watch { since: None })?;
        watcher.wait_until(|list| list.position().is_some())?;
        Ok(Self { address, watcher, joins: 0 })
    }

    /// Comes and goes for this long, and counts how long it takes from knocking at the door until the other
    /// one sees it.
    pub fn measure_joins(
        &mut self,
        time: Duration,
        latency: &mut Histogram,
    ) -> Result<(), LoadError> {
        let wait_until = Instant::now() + time;
        while Instant::now() < wait_until {
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
            thread::sleep(AWAY);
        }
        Ok(())
    }
}

/// A socket of a visitor, and the list that it brought.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    writer: FrameWriter,
    /// What came and was not taken yet.
    received: Vec<u8>,
    list: Replica,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self, LoadError> {
        let io_error = |source| LoadError::Io { what: "a visitor is not let in", source };
        let mut stream = TcpStream::connect(address).map_err(io_error)?;
        stream.set_nodelay(true).map_err(io_error)?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(io_error)?;
        stream.write_all(handshake::request(address, ROOM, None).as_bytes()).map_err(io_error)?;
        let mut line = Self {
            stream,
            writer: FrameWriter::default(),
            received: Vec::new(),
            list: Replica::default(),
        };
        loop {
            match handshake::parse_response(&line.received) {
                Ok(Some(upgraded)) => {
                    line.received.drain(..upgraded.taken);
                    return Ok(line);
                }
                Ok(None) => line.read()?,
                Err(refused) => return Err(LoadError::Server(refused.to_string())),
            }
        }
    }

    fn send(&mut self, event: &ClientEvent) -> Result<(), LoadError> {
        let text = serde_json::to_string(event).unwrap_or_default();
        let frame = self.writer.text(&text);
        self.write(&frame)
    }

    /// Says goodbye and hears the server's.
    fn close(mut self) -> Result<(), LoadError> {
        const GOING_AWAY: u16 = 1001;
        let frame = self.writer.close(GOING_AWAY);
        self.write(&frame)?;
        while self.receive()? {}
        Ok(())
    }

    /// Reads on until the list is as wanted.
    fn wait_until(&mut self, wanted: impl Fn(&Replica) -> bool) -> Result<(), LoadError> {
        while !wanted(&self.list) {
            if !self.receive()? {
                return Err(LoadError::Server("it closed a visitor's socket".to_owned()));
            }
        }
        Ok(())
    }

    /// Takes in the next frame; false if it was the server's goodbye.
    fn receive(&mut self) -> Result<bool, LoadError> {
        loop {
            let protocol_error = |what: String| LoadError::Server(what);
            let answer = match parse_frame(&self.received)
                .map_err(|bad| protocol_error(bad.to_string()))?
            {
                None => {
                    self.read()?;
                    continue;
                }
                Some((Frame::Text(text), taken)) => {
                    let event: ServerEvent = serde_json::from_slice(text)
                        .map_err(|bad| protocol_error(bad.to_string()))?;
                    self.list.receive(event).map_err(|gap| protocol_error(format!("{gap:?}")))?;
                    self.received.drain(..taken);
                    return Ok(true);
                }
                Some((Frame::Close(_), _)) => return Ok(false),
                Some((Frame::Ping(payload), taken)) => Some((self.writer.pong(payload), taken)),
                Some((Frame::Pong, taken)) => {
                    self.received.drain(..taken);
                    None
                }
            };
            if let Some((pong, taken)) = answer {
                self.received.drain(..taken);
                self.write(&pong)?;
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let io_error = |source| LoadError::Io { what: "a visitor is not heard", source };
        self.stream.write_all(bytes).map_err(io_error)
    }

    fn read(&mut self) -> Result<(), LoadError> {
        let io_error = |source| LoadError::Io { what: "a visitor hears nothing", source };
        let mut some = [0; 4096];
        match self.stream.read(&mut some).map_err(io_error)? {
            0 => Err(LoadError::Server("it dropped a visitor".to_owned())),
            read => {
                self.received.extend_from_slice(&some[..read]);
                Ok(())
            }
        }
    }
}
