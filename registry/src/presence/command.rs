//! What can happen to a room, as a value.

use app::presence::{DepartureReason, Name, UserId};

use super::{
    join::{Join, JoinKind},
    request_error::RequestError,
    tab_key::ConnectionId,
};

/// One thing that happens to a room.
///
/// [`Room::apply`](super::room::Room::apply) is the one function that changes a room, by one of these and a time.
/// A command reports what a client or a server did. It may still be refused when it is applied.
#[derive(Clone, Debug)]
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
    /// A person changed the name.
    Renamed {
        /// The person.
        user_id: UserId,
        /// The new name, validated.
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
    /// The operator removed all rows.
    RoomCleared,
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
}

impl Outcome {
    /// What a client is answered that asked for the command.
    pub fn accepted(self) -> Result<(), RequestError> {
        match self {
            Self::Refused(error) => Err(error),
            Self::Done | Self::Replaced(_) | Self::RowsRemoved(_) => Ok(()),
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
