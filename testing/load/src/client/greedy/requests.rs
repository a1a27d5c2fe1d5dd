//! One connection with one request after the other.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Helpings, Target, Work};
use crate::{client::http::HttpConnection, error::LoadError};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Path {
    /// The list as JSON.
    Users,
    /// A file that nobody has asked for lately: in each of the time zones.
    Csv,
    /// The page of the room.
    Page,
    /// All rooms, of the operator's listener and without its token.
    Rooms,
}

impl Path {
    fn of(self, room: &str, number: usize) -> String {
        match self {
            Self::Users => format!("/api/rooms/{room}/users"),
            Self::Csv => format!("/api/rooms/{room}/roll.csv?offset={}", number % 840),
            Self::Page => format!("/r/{room}"),
            Self::Rooms => "/rooms".to_owned(),
        }
    }
}

pub(super) struct Requests {
    host: Ipv4Addr,
    server: SocketAddr,
    room: String,
    path: Path,
    coding: &'static str,
    /// Connections ask for the same at different times.
    number: usize,
    connection: Option<HttpConnection>,
}

impl Requests {
    pub(super) fn new(
        host: Ipv4Addr,
        target: &Target,
        (path, coding): (Path, &'static str),
        number: usize,
    ) -> Self {
        // A prime number apart.
        let number = number * 17;
        let (server, room) = (target.server, target.room.clone());
        Self { host, server, room, path, coding, number, connection: None }
    }
}

impl Work for Requests {
    fn turn(&mut self, helpings: &Helpings) -> Result<(), LoadError> {
        let io_error = |source| LoadError::Io { what: "a greedy request failed", source };
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => HttpConnection::open(self.host, self.server).map_err(io_error)?,
        };
        self.number += 1;
        let path = self.path.of(&self.room, self.number);
        let answer = connection.get(&path, self.coding).map_err(io_error)?;
        match answer.status {
            200 => helpings.count_answer(),
            _ => helpings.count_rejection(),
        }
        self.connection = Some(connection);
        Ok(())
    }
}
