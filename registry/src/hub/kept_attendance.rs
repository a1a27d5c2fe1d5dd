//! What the rooms of a server alone remembered that no longer exist, because nobody is there.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use app::presence::RoomName;

use super::saved_rooms::SavedAttendance;
use crate::presence::attendance::Attendance;

/// What is charged for a room besides its attendance.
const ROOM_IN_BYTES: usize = 256;

/// The attendance of rooms that no longer exist. In all of them everybody has left.
#[derive(Debug, Default)]
pub(super) struct KeptAttendance {
    rooms: BTreeMap<RoomName, Arc<Attendance>>,
}

impl KeptAttendance {
    /// A room ends.
    pub(super) fn keep(&mut self, room_name: RoomName, attendance: Attendance) {
        self.rooms.insert(room_name, Arc::new(attendance));
    }

    /// The room exists again.
    pub(super) fn take(&mut self, room_name: &RoomName) -> Option<Box<Attendance>> {
        self.rooms.remove(room_name).map(|attendance| Box::new(Arc::unwrap_or_clone(attendance)))
    }

    /// What is known of a room.
    pub(super) fn get(&self, room_name: &RoomName) -> Option<Arc<Attendance>> {
        self.rooms.get(room_name).map(Arc::clone)
    }

    /// All rooms, in the order of their names.
    pub(super) fn all(&self) -> Vec<(RoomName, Arc<Attendance>)> {
        self.rooms.iter().map(|(name, attendance)| (name.clone(), Arc::clone(attendance))).collect()
    }

    /// Forgets those who have been gone for so long.
    pub(super) fn forget(&mut self, kept_for: Duration, unix_seconds: u64) {
        self.rooms.retain(|_, attendance| {
            if attendance.is_due(kept_for, unix_seconds) {
                Arc::make_mut(attendance).forget(kept_for, unix_seconds);
            }
            !attendance.is_empty()
        });
    }

    /// Forgets whole rooms until this size is reached, and first those that have been empty for the longest time.
    pub(super) fn trim(&mut self, most_bytes: usize) {
        let mut size: usize = self.rooms.values().map(|attendance| size_of(attendance)).sum();
        if size <= most_bytes {
            return;
        }
        let rooms = self.rooms.iter();
        let mut oldest: Vec<_> =
            rooms.map(|(name, attendance)| (attendance.last_left(), name.clone())).collect();
        oldest.sort_unstable();
        for (_, name) in oldest {
            if size <= most_bytes {
                break;
            }
            size -= self.rooms.remove(&name).map_or(0, |attendance| size_of(&attendance));
        }
    }
}

impl From<Vec<SavedAttendance>> for KeptAttendance {
    fn from(saved: Vec<SavedAttendance>) -> Self {
        let rooms = saved.into_iter().filter(|room| room.attendance.last_left().is_some());
        Self { rooms: rooms.map(|room| (room.name, Arc::new(room.attendance))).collect() }
    }
}

fn size_of(attendance: &Attendance) -> usize {
    ROOM_IN_BYTES + attendance.size_in_bytes()
}
