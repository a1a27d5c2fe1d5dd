//! The rooms, as they are saved for the next process.

use app::presence::{DepartureReason, Epoch, RoomName};
use serde::{Deserialize, Serialize};

use crate::presence::{
    attendance::Attendance, count_history::CountHistory, log::Change, room::SavedRoom,
};

/// All rooms, as they are saved for the next process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRooms {
    /// How the process ended that saved them.
    pub ending: Shutdown,
    /// In no order.
    pub rooms: Vec<NamedRoom>,
    /// Who came and went in rooms that have ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<SavedAttendance>,
}

impl SavedRooms {
    /// What is left when everybody has been gone since this moment: who came and went, where that is kept.
    #[must_use]
    pub fn after_everybody_left(self, since: u64) -> Self {
        let emptied = self.rooms.into_iter().filter_map(|NamedRoom { name, room, .. }| {
            let mut attendance = *room.attendance?;
            for user in room.users {
                let gone = Change::Departed { id: user.id, reason: DepartureReason::Lost };
                attendance.record(&gone, since);
            }
            Some(SavedAttendance { name, attendance })
        });
        let mut ended: Vec<_> = emptied.collect();
        // A room may have ended while it was saved.
        let earlier =
            self.ended.into_iter().filter(|kept| ended.iter().all(|room| room.name != kept.name));
        let earlier: Vec<_> = earlier.collect();
        ended.extend(earlier);
        Self { ending: self.ending, rooms: Vec::new(), ended }
    }
}

/// Who came and went in a room that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedAttendance {
    /// The room's name.
    pub name: RoomName,
    /// Who came and went.
    pub attendance: Attendance,
}

/// A room with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedRoom {
    /// The room's name.
    pub name: RoomName,
    /// The epoch in which its `seq` counts.
    pub epoch: Epoch,
    /// Its rows, and the people behind them.
    pub room: SavedRoom,
    /// The count by minute; earlier servers did not save it.
    #[serde(default)]
    pub history: Option<CountHistory>,
}

/// How a process ended that saved its rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shutdown {
    /// After its last save: nothing changed since, and `seq` goes on.
    #[serde(rename = "in_order")]
    Clean,
    /// Not known: rooms may have changed since this was saved. The rows are held, in a new epoch.
    #[serde(rename = "unknown")]
    Unclean,
}
