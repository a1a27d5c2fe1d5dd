//! The limits of a server's rooms.

use super::fan_out::FanOutRate;
use crate::presence::room::RoomLimits;

/// The limits of a server's rooms, of which only those of each room are part of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubLimits {
    /// Those of each room.
    pub room: RoomLimits,
    /// What a room may send.
    pub fan_out: FanOutRate,
}

impl From<RoomLimits> for HubLimits {
    /// The defaults besides.
    fn from(room: RoomLimits) -> Self {
        Self { room, fan_out: FanOutRate::default() }
    }
}
