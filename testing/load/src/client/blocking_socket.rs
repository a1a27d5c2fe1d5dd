//! A WebSocket that waits for what it reads, and the list that it received.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use app::{
    client::Replica,
    presence::{ClientEvent, ServerEvent},
};

use super::{
    handshake,
    websocket::{Frame, FrameWriter, parse_frame},
};
use crate::{error::LoadError, measure::system};

/// The time limit of a read.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A browser whose page is closed.
const GOING_AWAY: u16 = 1001;

/// A socket of a room, and the list that it received.
#[derive(Debug)]
pub struct BlockingSocket {
    stream: TcpStream,
    writer: FrameWriter,
    /// Bytes that were read and not parsed yet.
    received: Vec<u8>,
    list: Replica,
}

impl BlockingSocket {
    /// Opens a socket of a room, from this address if one is named.
    pub fn open(host: Option<Ipv4Addr>, server: SocketAddr, room: &str) -> Result<Self, LoadError> {
        let io_error = |source| LoadError::Io { what: "could not connect a socket", source };
        let stream = match host {
            Some(host) => system::connect_from(host, server),
            None => TcpStream::connect(server),
        };
        let stream = stream.map_err(io_error)?;
        // From here on it waits: also for the connection, with the first write.
        stream.set_nonblocking(false).map_err(io_error)?;
        stream.set_nodelay(true).map_err(io_error)?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(io_error)?;
        let mut socket = Self {
            stream,
            writer: FrameWriter::default(),
            received: Vec::new(),
            list: Replica::default(),
        };
        socket.write(handshake::request(server, room, None).as_bytes())?;
        loop {
            match handshake::parse_response(&socket.received) {
                Ok(Some(upgraded)) => {
                    socket.received.drain(..upgraded.length);
                    return Ok(socket);
                }
                Ok(None) => socket.read()?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends an event.
    pub fn send(&mut self, event: &ClientEvent) -> Result<(), LoadError> {
        let text = serde_json::to_string(event).unwrap_or_default();
        let frame = self.writer.text(&text);
        self.write(&frame)
    }

    /// Joins under this name.
    pub fn join(&mut self, name: &str) -> Result<(), LoadError> {
        let (tab, visible, since) = (None, None, None);
        self.send(&ClientEvent::GotANewUser { name: name.to_owned(), tab, visible, since })
    }

    /// Sends a close frame and waits for the server's.
    pub fn close(mut self) -> Result<(), LoadError> {
        let frame = self.writer.close(GOING_AWAY);
        self.write(&frame)?;
        while self.receive()? {}
        Ok(())
    }

    /// Ends without a close frame, as when a process is killed.
    pub fn reset(self) {
        // If this fails, the connection ends without a close frame as well.
        drop(system::reset_on_close(&self.stream));
    }

    /// Receives frames until the list meets the condition.
    pub fn wait_until(&mut self, condition: impl Fn(&Replica) -> bool) -> Result<(), LoadError> {
        while !condition(&self.list) {
            if !self.receive()? {
                return Err(LoadError::Server("it closed a socket".to_owned()));
            }
        }
        Ok(())
    }

    /// Receives frames up to the next event. Returns false if a close frame came instead.
    fn receive(&mut self) -> Result<bool, LoadError> {
        let protocol_error = LoadError::Server;
        loop {
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
                    if let ServerEvent::Refused(refusal) = &event {
                        return Err(LoadError::Refused(format!("{refusal:?}")));
                    }
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
        let io_error = |source| LoadError::Io { what: "could not write to a socket", source };
        self.stream.write_all(bytes).map_err(io_error)
    }

    fn read(&mut self) -> Result<(), LoadError> {
        let io_error = |source| LoadError::Io { what: "could not read from a socket", source };
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer).map_err(io_error)? {
            0 => Err(LoadError::Server("it dropped a socket".to_owned())),
            read => {
                self.received.extend_from_slice(&buffer[..read]);
                Ok(())
            }
        }
    }
}
