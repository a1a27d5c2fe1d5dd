//! What can happen to a room, as a value.

use std::time::Duration;

use app::presence::{DepartureReason, Digest, Epoch, Name, UserId};
use serde::{Deserialize, Serialize};

use super::{
    join::{Join, JoinKind},
    members::Moment,
    request_error::RequestError,
    server_id::ServerId,
    servers::ServerExit,
    stored::{milliseconds, some_milliseconds, whole_name},
    tab_key::ConnectionId,
};

/// One thing that happens to a room.
///
/// [`Room::apply`](super::room::Room::apply) is the one function that changes a room, by one of these and a time.
/// A command reports what a client or a server did. It may still be refused when it is applied.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A tab asked to be listed.
    Announced {
        /// The person.
        user_id: UserId,
        /// The tab and the name.
        join: Join,
        /// Whether a listed person is renamed.
        kind: JoinKind,
    },
    /// A socket that the room listed before is told to it again, because the room may have lost it. It renames
    /// nobody and is never refused: the socket asked for nothing.
    Restored {
        /// The person.
        user_id: UserId,
        /// The tab, over the socket's present id, and the name.
        join: Join,
        /// When the room listed the socket, by the journal's clock.
        #[serde(with = "milliseconds")]
        announced_at: Moment,
    },
    /// A person changed the name.
    Renamed {
        /// The person.
        user_id: UserId,
        /// The new name, validated.
        #[serde(with = "whole_name")]
        name: Name,
    },
    /// The page of a tab was hidden or shown.
    VisibilityChanged {
        /// The person.
        user_id: UserId,
        /// The tab's socket.
        connection: ConnectionId,
        /// Whether the page is visible now.
        is_visible: bool,
    },
    /// A person left or was removed. The sockets go on watching.
    RowRemoved {
        /// The person.
        user_id: UserId,
        /// What the others see as the reason.
        reason: DepartureReason,
    },
    /// The operator or a host removed all rows.
    RoomCleared,
    /// A host closed the room to people who are not listed, or opened it again. Of the rules from number 2 on.
    JoiningChanged {
        /// Whether the room is closed now.
        is_closed: bool,
    },
    /// A socket ended, cleanly ([`DepartureReason::Closed`]) or not ([`DepartureReason::Lost`]).
    Disconnected {
        /// The person.
        user_id: UserId,
        /// The socket.
        connection: ConnectionId,
        /// How it ended.
        reason: DepartureReason,
    },
    /// The room's page was sent to a person. For a person without a row it changes nothing.
    PageServed {
        /// The person.
        user_id: UserId,
    },
    /// A socket came from the page that was sent to a person.
    PageConnected {
        /// The person.
        user_id: UserId,
    },
    /// A deadline has come.
    Tick,
    /// A server left the room, with all its sockets. For a server that is not in the room it changes nothing.
    ServerLeft {
        /// The server.
        server: ServerId,
        /// How long ago, if not now.
        #[serde(default, with = "some_milliseconds", skip_serializing_if = "Option::is_none")]
        ago: Option<Duration>,
        /// How it left.
        exit: ServerExit,
    },
    /// The room's numbers may have been lost: `seq` begins anew. If the epoch is another one by now, it
    /// changes nothing, because two servers may notice the same loss.
    EpochChanged {
        /// The new epoch.
        epoch: Epoch,
        /// The epoch that ends.
        replaces: Epoch,
    },
    /// A server holds more attendance than it may: this room forgets those who are gone until so much is left.
    AttendanceTrimmed {
        /// The most that is left, in bytes.
        most_bytes: u32,
    },
    /// What a server's list was after an earlier entry. It changes nothing: servers compare it with theirs.
    Checkpoint {
        /// The number of the entry.
        number: u64,
        /// The `seq` after it.
        seq: u64,
        /// The digest after it.
        digest: Digest,
    },
}

impl Command {
    /// The same, as the server submits it under another id: its sockets have other ids then. `None` if it means
    /// nothing any more.
    pub fn submitted_again_by(self, server: ServerId) -> Option<Self> {
        let moved = |connection: ConnectionId| ConnectionId::on_server(server, connection.number());
        Some(match self {
            Self::Announced { user_id, mut join, kind } => {
                join.connection = moved(join.connection);
                Self::Announced { user_id, join, kind }
            }
            Self::Restored { user_id, mut join, announced_at } => {
                join.connection = moved(join.connection);
                Self::Restored { user_id, join, announced_at }
            }
            Self::VisibilityChanged { user_id, connection, is_visible } => {
                let connection = moved(connection);
                Self::VisibilityChanged { user_id, connection, is_visible }
            }
            Self::Disconnected { user_id, connection, reason } => {
                Self::Disconnected { user_id, connection: moved(connection), reason }
            }
            other @ (Self::Renamed { .. }
            | Self::RowRemoved { .. }
            | Self::RoomCleared
            | Self::JoiningChanged { .. }
            | Self::PageServed { .. }
            | Self::PageConnected { .. }
            | Self::EpochChanged { .. }) => other,
            // These are of the former id, or are computed anew.
            Self::Tick
            | Self::ServerLeft { .. }
            | Self::AttendanceTrimmed { .. }
            | Self::Checkpoint { .. } => return None,
        })
    }
}

/// What came of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was applied, which may have changed nothing.
    Done,
    /// It was applied, and this socket no longer stands behind its tab.
    Replaced(ConnectionId),
    /// So many rows were removed on purpose.
    RowsRemoved(usize),
    /// It was refused, and changed nothing.
    Refused(RequestError),
    /// The socket was not listed again, because the person was removed on purpose since. It goes on watching.
    RemovedSince,
    /// The socket was not listed again, because a newer socket has its tab. It is replaced.
    ReplacedSince,
    /// The server of the batch had left by then: the command does not count.
    Fenced,
}

impl Outcome {
    /// What a client is answered that asked for the command.
    pub fn accepted(self) -> Result<(), RequestError> {
        match self {
            Self::Refused(error) => Err(error),
            Self::Done
            | Self::Replaced(_)
            | Self::RowsRemoved(_)
            | Self::RemovedSince
            | Self::ReplacedSince
            | Self::Fenced => Ok(()),
        }
    }
}

impl From<Result<Option<ConnectionId>, RequestError>> for Outcome {
    fn from(joined: Result<Option<ConnectionId>, RequestError>) -> Self {
        match joined {
            Ok(Some(replaced)) => Self::Replaced(replaced),
            Ok(None) => Self::Done,
            Err(error) => Self::Refused(error),
        }
    }
}
