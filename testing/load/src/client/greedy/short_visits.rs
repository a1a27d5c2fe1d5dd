//! People who join and do not stay: each one opens a room, or leaves a row behind.

use std::net::{Ipv4Addr, SocketAddr};

use app::presence::ClientEvent;

use super::{Helpings, Target, Work};
use crate::{client::blocking_socket::BlockingSocket, error::LoadError};

/// What remains of a visit.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// A room of its own, that nobody is in.
    Room,
    /// A row in the room, whose person does not come back.
    Row,
}

pub(super) struct ShortVisits {
    host: Ipv4Addr,
    server: SocketAddr,
    room: String,
    ending: Ending,
    /// Makes the names of this thread's rooms and people its own.
    thread: usize,
    visits: u64,
}

impl ShortVisits {
    pub(super) fn new(host: Ipv4Addr, target: &Target, ending: Ending, thread: usize) -> Self {
        let (server, room) = (target.server, target.room.clone());
        Self { host, server, room, ending, thread, visits: 0 }
    }

    fn visit(&self) -> Result<(), LoadError> {
        let host = self.host.octets().map(|part| part.to_string()).concat();
        let name = format!("g{host}-{}-{}", self.thread, self.visits);
        let room = match self.ending {
            Ending::Room => &name,
            Ending::Row => &self.room,
        };
        let mut socket = BlockingSocket::open(Some(self.host), self.server, room)?;
        socket.join(&name)?;
        socket.wait_until(|list| list.roster().users().any(|user| user.name.as_str() == name))?;
        match self.ending {
            Ending::Room => {
                socket.send(&ClientEvent::Leave {})?;
                socket.close()
            }
            Ending::Row => {
                socket.reset();
                Ok(())
            }
        }
    }
}

impl Work for ShortVisits {
    fn turn(&mut self, helpings: &Helpings) -> Result<(), LoadError> {
        self.visits += 1;
        let visited = self.visit();
        match &visited {
            Ok(()) => helpings.count_answer(),
            Err(_) => helpings.count_rejection(),
        }
        visited
    }
}
