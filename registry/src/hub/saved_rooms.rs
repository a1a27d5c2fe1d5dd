//! All rooms, as they are kept over a restart.

use app::presence::{Epoch, RoomName};
use serde::{Deserialize, Serialize};

use crate::presence::{count_history::CountHistory, room::SavedRoom};

/// All rooms, as they are kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRooms {
    /// How the process that wrote it ended.
    pub ending: Shutdown,
    /// The rooms.
    pub rooms: Vec<NamedRoom>,
}

/// One room, as it is kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedRoom {
    /// Its name.
    pub name: RoomName,
    /// The epoch of its count.
    pub epoch: Epoch,
    /// Its rows and who stands behind them.
    pub room: SavedRoom,
    /// How many were here when; a file of an earlier server has none.
    #[serde(default)]
    pub history: Option<CountHistory>,
}

/// How a process ended that kept its rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shutdown {
    /// In order: nothing happened since, and the count goes on.
    #[serde(rename = "in_order")]
    Clean,
    /// Not known: this was written on the way, and something may have happened since.
    /// The rows are held, and the count begins anew.
    #[serde(rename = "unknown")]
    Unclean,
}
