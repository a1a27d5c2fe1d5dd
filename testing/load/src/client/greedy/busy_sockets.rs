//! Sockets that send a frame as often as they may, and read all that comes.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use app::presence::ClientEvent;

use super::{Helpings, PAUSE, Target, Work};
use crate::{
    client::{handshake, websocket::FrameWriter},
    error::LoadError,
    measure::system,
};

/// The server's default limit: five frames a second.
const FRAME_INTERVAL: Duration = Duration::from_millis(200);

/// What is not read yet is in the client's system: not much.
const RECEIVE_BUFFER_IN_BYTES: usize = 32 * 1024;

/// Of so many a turn: the system's queue of new connections is not what is measured.
const MOST_NEW: usize = 20;

/// What the sockets send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// Joins, and then another name each time.
    Renames,
    /// Watches, and asks for the list again and again.
    Resyncs,
    /// Watches, and nothing more: those who receive what others do.
    None,
}

pub(super) struct BusySockets {
    host: Ipv4Addr,
    target: Target,
    frames: Frames,
    writer: FrameWriter,
    sockets: Vec<Option<Socket>>,
    /// Makes each name another one.
    sent: u64,
    scratch: Vec<u8>,
}

struct Socket {
    stream: TcpStream,
    /// Bytes that the system has not taken: frames must not be cut.
    unsent: Vec<u8>,
    next_frame: Instant,
}

impl BusySockets {
    pub(super) fn new(host: Ipv4Addr, target: &Target, frames: Frames, sockets: usize) -> Self {
        Self {
            host,
            target: target.clone(),
            frames,
            writer: FrameWriter::default(),
            sockets: (0..sockets).map(|_| None).collect(),
            sent: 0,
            scratch: vec![0; 256 * 1024],
        }
    }

    fn open(&mut self, now: Instant) -> Option<Socket> {
        let Target { server, room } = &self.target;
        let stream =
            system::connect_from_with_buffer(self.host, *server, RECEIVE_BUFFER_IN_BYTES).ok()?;
        let mut unsent = handshake::request(*server, room, None).into_bytes();
        let first = match self.frames {
            Frames::Renames => ClientEvent::GotANewUser {
                name: format!("Busy {}", self.sent),
                tab: None,
                visible: None,
                since: None,
            },
            Frames::Resyncs | Frames::None => ClientEvent::Watch { since: None },
        };
        unsent.extend(self.encode(&first));
        self.sent += 1;
        Some(Socket { stream, unsent, next_frame: now + FRAME_INTERVAL })
    }

    fn next_frame(&mut self) -> Option<Vec<u8>> {
        self.sent += 1;
        let event = match self.frames {
            Frames::Renames => ClientEvent::Rename { name: format!("Busy {}", self.sent) },
            Frames::Resyncs => ClientEvent::Resync {},
            Frames::None => return None,
        };
        Some(self.encode(&event))
    }

    fn encode(&mut self, event: &ClientEvent) -> Vec<u8> {
        self.writer.text(&serde_json::to_string(event).unwrap_or_default())
    }
}

impl Work for BusySockets {
    fn turn(&mut self, helpings: &Helpings) -> Result<(), LoadError> {
        let now = Instant::now();
        let mut may_open = MOST_NEW;
        for index in 0..self.sockets.len() {
            let Some(mut socket) = self.sockets[index].take() else {
                if may_open > 0 {
                    may_open -= 1;
                    self.sockets[index] = self.open(now);
                }
                continue;
            };
            if socket.next_frame <= now {
                socket.next_frame += FRAME_INTERVAL;
                if let Some(frame) = self.next_frame() {
                    socket.unsent.extend(frame);
                    helpings.count_answer();
                }
            }
            if socket.send().and_then(|()| socket.drain(&mut self.scratch)).is_ok() {
                self.sockets[index] = Some(socket);
            } else {
                helpings.count_rejection();
            }
        }
        thread::sleep(PAUSE);
        Ok(())
    }
}

impl Socket {
    fn send(&mut self) -> std::io::Result<()> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        match self.stream.write(&self.unsent) {
            Ok(written) => {
                self.unsent.drain(..written);
                Ok(())
            }
            // It may not be connected yet.
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::NotConnected => Ok(()),
                _ => Err(error),
            },
        }
    }

    /// Reads all that is there. It is not looked at, so pings stay unanswered: the server ends the socket after 15 s.
    fn drain(&mut self, scratch: &mut [u8]) -> std::io::Result<()> {
        loop {
            match self.stream.read(scratch) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) if read < scratch.len() => return Ok(()),
                Ok(_) => {}
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::NotConnected => return Ok(()),
                    _ => return Err(error),
                },
            }
        }
    }
}
