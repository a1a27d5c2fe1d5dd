//! The limits of a server's rooms.

use std::num::NonZeroUsize;

use super::fan_out::FanOutRate;
use crate::presence::room::RoomLimits;

/// The limits of a server's rooms, of which only those of each room are part of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubLimits {
    /// Those of each room.
    pub room: RoomLimits,
    /// How many rooms there may be.
    pub rooms: RoomPoolLimits,
    /// The most rows that one address may have made in all rooms together: those that wait for their person to come
    /// back are counted with its sockets and feeds. None is no limit.
    pub most_rows_per_address: Option<NonZeroUsize>,
    /// What a room may send.
    pub fan_out: FanOutRate,
    /// The most that the logs of all rooms hold together, in bytes.
    pub most_log_bytes: usize,
}

/// That of 32 rooms with the longest log that a room may have.
pub const MOST_LOG_BYTES: usize = 128 * 1024 * 1024;

/// How many rooms there may be. None is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomPoolLimits {
    /// In all.
    pub most: Option<NonZeroUsize>,
    /// That nobody but one address keeps open. One address never has more than half of all.
    pub most_per_address: Option<NonZeroUsize>,
}

impl RoomPoolLimits {
    /// The share of one address, which shrinks with the number of all rooms.
    pub fn share(self) -> Option<usize> {
        let half = self.most.map(|most| most.get().div_ceil(2));
        let own = self.most_per_address.map(NonZeroUsize::get);
        match (half, own) {
            (Some(half), Some(own)) => Some(half.min(own)),
            (half, own) => half.or(own),
        }
    }
}

impl From<RoomLimits> for HubLimits {
    /// The defaults besides, and no limit for addresses and for the number of rooms.
    fn from(room: RoomLimits) -> Self {
        Self {
            room,
            rooms: RoomPoolLimits::default(),
            most_rows_per_address: None,
            fan_out: FanOutRate::default(),
            most_log_bytes: MOST_LOG_BYTES,
        }
    }
}
