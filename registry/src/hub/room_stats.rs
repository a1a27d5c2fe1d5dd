//! A room in numbers.

use app::presence::RoomName;
use serde::Serialize;

/// A room as its operator sees it from afar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomStats {
    /// Its name.
    pub room: RoomName,
    /// How many are listed.
    pub people: usize,
    /// How many sockets and feeds look at it.
    #[serde(rename = "observers")]
    pub subscribers: usize,
}

/// How many look at a room, or how many rooms there are besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupancy {
    /// It is there.
    Open {
        /// How many look at it, listed or not.
        subscribers: usize,
    },
    /// It would be one more.
    Vacant {
        /// How many there are.
        rooms: usize,
    },
}
