//! A room in numbers.

use app::presence::RoomName;
use serde::Serialize;

/// What the operator sees of a room without entering it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoomStats {
    /// The room's name.
    pub room: RoomName,
    /// The number of rows in the list.
    pub people: usize,
    /// Sockets and event streams, listed or not.
    #[serde(rename = "observers")]
    pub subscribers: usize,
}

/// What the limits of a new subscription depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupancy {
    /// The room exists.
    Open {
        /// Its sockets and event streams, listed or not.
        subscribers: usize,
    },
    /// The room would have to be opened.
    Vacant {
        /// The number of rooms that exist.
        rooms: usize,
    },
}
