//! Entries of a room's journal: batches of commands in the one order that all servers apply them in.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    command::Command, members::Moment, room::RoomLimits, server_id::ServerId, stored::milliseconds,
};

/// A batch in the journal of a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Where it is in the journal.
    pub position: Position,
    /// The time by the engine's clock, in whole milliseconds since 1970. It never decreases in a journal.
    #[serde(with = "milliseconds")]
    pub moment: Moment,
    /// What the server appended.
    pub batch: Batch,
}

/// Where an entry is in the journal of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Counts the entries of a journal without gaps. 0 is the state that the room was founded with.
    pub number: u64,
    /// Random, so that two journals that differ from some entry on are told apart.
    pub nonce: u64,
}

/// Commands that one server appends together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Batch {
    /// The server.
    pub server: ServerId,
    /// Counts the batches of the server over all rooms: it increases, and is never used twice.
    pub number: u64,
    /// With this batch the server joins the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<ServerJoined>,
    /// What happened on the server, in this order.
    pub commands: Vec<Command>,
}

/// What a server brings to a room that it joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerJoined {
    /// Its limits; those of the last server count.
    pub limits: RoomLimits,
    /// The newest rules that it can apply.
    pub rules: u32,
    /// The last time without any server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
}

/// A time without any server, in which no time passes in the rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Increases from pause to pause.
    pub id: u64,
    /// How long it was.
    #[serde(with = "milliseconds")]
    pub lasted: Duration,
}

/// Why the commands of an entry are not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// The server is not in the room: nothing of it counts.
    #[error("the server of the batch is not in the room")]
    NotJoined,
    /// The batch was applied before.
    #[error("the batch was applied before")]
    Duplicate,
}
