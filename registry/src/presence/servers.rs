//! The servers that are in a room: whose batches count.
//!
//! The fence is here, and in the order of the journal: after a server has left, nothing of it counts, on any
//! server.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{entry::Ignored, members::Moment, server_id::ServerId, stored::milliseconds};

/// For so long the end of a server and the removal of a person are remembered. By then no request is under
/// way that was sent before.
pub const MEMORY: Duration = Duration::from_mins(10);

/// The servers that are in a room, and those that left it lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Servers {
    present: BTreeMap<ServerId, Present>,
    departed: BTreeMap<ServerId, Departed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Present {
    last_batch: u64,
    rules: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Departed {
    last_batch: u64,
    exit: ServerExit,
    #[serde(with = "milliseconds")]
    at: Moment,
}

/// Why a server left a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerExit {
    /// It has nobody in the room, and may join again.
    Idle,
    /// It shut down, or goes on under another id. It never joins again.
    Clean,
    /// It was not heard in time. It never joins again.
    LeaseExpired,
}

impl Servers {
    /// Whether the room has none: then it is a server's alone.
    pub fn is_empty(&self) -> bool {
        self.present.is_empty()
    }

    /// Whether this server is in the room.
    pub fn contains(&self, server: ServerId) -> bool {
        self.present.contains_key(&server)
    }

    /// The servers in the room.
    pub fn iter(&self) -> impl Iterator<Item = ServerId> {
        self.present.keys().copied()
    }

    /// The number of a server's last batch that counted; `None` if the server is not in the room.
    pub fn last_batch(&self, server: ServerId) -> Option<u64> {
        self.present.get(&server).map(|present| present.last_batch)
    }

    /// The newest rules that all of them can apply; `None` without servers.
    pub fn rules(&self) -> Option<u32> {
        self.present.values().map(|server| server.rules).min()
    }

    /// A server joins with its batch of this number, and may do so again.
    pub(super) fn admit(
        &mut self,
        server: ServerId,
        number: u64,
        rules: u32,
    ) -> Result<(), Ignored> {
        match self.departed.get(&server).map(|departed| departed.exit) {
            None | Some(ServerExit::Idle) => self.check_number(server, number)?,
            // A late copy of the batch with which it joined, from a connection that is gone.
            Some(ServerExit::Clean | ServerExit::LeaseExpired) => {
                self.check_number(server, number)?;
                return Err(Ignored::NotJoined);
            }
        }
        self.departed.remove(&server);
        self.present.insert(server, Present { last_batch: number, rules });
        Ok(())
    }

    /// Whether the batch of this number counts. If so, no other one with this number does.
    pub(super) fn accept(&mut self, server: ServerId, number: u64) -> Result<(), Ignored> {
        self.check_number(server, number)?;
        let present = self.present.get_mut(&server).ok_or(Ignored::NotJoined)?;
        present.last_batch = number;
        Ok(())
    }

    /// Returns whether the server was in the room.
    pub(super) fn remove(&mut self, server: ServerId, exit: ServerExit, at: Moment) -> bool {
        let Some(Present { last_batch, .. }) = self.present.remove(&server) else { return false };
        self.departed.insert(server, Departed { last_batch, exit, at });
        true
    }

    /// Forgets those that left long ago.
    pub(super) fn forget(&mut self, now: Moment) {
        if !self.departed.is_empty() {
            self.departed.retain(|_, departed| now < departed.at + MEMORY);
        }
    }

    /// A copy of a batch is no sign that the server was declared dead, also after it has left.
    fn check_number(&self, server: ServerId, number: u64) -> Result<(), Ignored> {
        let present = self.present.get(&server).map(|present| present.last_batch);
        let last = present.or_else(|| Some(self.departed.get(&server)?.last_batch));
        if last.is_some_and(|last| number <= last) { Err(Ignored::Duplicate) } else { Ok(()) }
    }
}
