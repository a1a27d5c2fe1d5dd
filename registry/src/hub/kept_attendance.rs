//! What the rooms of a server alone remembered that no longer exist, because nobody is there.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use app::presence::RoomName;

use super::{client_address::ClientAddress, saved_rooms::SavedAttendance};
use crate::presence::attendance::Attendance;

/// What is charged for a room besides its attendance.
const ROOM_IN_BYTES: usize = 256;

/// When rooms have to be forgotten, one address keeps at most this part of the size: else whoever opens many rooms would
/// have those of all others forgotten.
const SHARE_OF_AN_ADDRESS: usize = 8;

/// The attendance of rooms that no longer exist. In all of them everybody has left.
#[derive(Debug, Default)]
pub(super) struct KeptAttendance {
    rooms: BTreeMap<RoomName, Kept>,
}

/// The attendance of one room.
#[derive(Debug)]
struct Kept {
    attendance: Arc<Attendance>,
    /// The address that left the room last; of a room that a former process had it is not known.
    from: Option<ClientAddress>,
}

impl KeptAttendance {
    /// A room ends.
    pub(super) fn keep(
        &mut self,
        room_name: RoomName,
        attendance: Attendance,
        from: Option<ClientAddress>,
    ) {
        self.rooms.insert(room_name, Kept { attendance: Arc::new(attendance), from });
    }

    /// The room exists again.
    pub(super) fn take(&mut self, room_name: &RoomName) -> Option<Box<Attendance>> {
        let kept = self.rooms.remove(room_name)?;
        Some(Box::new(Arc::unwrap_or_clone(kept.attendance)))
    }

    /// What is known of a room.
    pub(super) fn get(&self, room_name: &RoomName) -> Option<Arc<Attendance>> {
        self.rooms.get(room_name).map(|kept| Arc::clone(&kept.attendance))
    }

    /// All rooms, in the order of their names.
    pub(super) fn all(&self) -> Vec<(RoomName, Arc<Attendance>)> {
        let rooms = self.rooms.iter();
        rooms.map(|(name, kept)| (name.clone(), Arc::clone(&kept.attendance))).collect()
    }

    /// Forgets those who have been gone for so long.
    pub(super) fn forget(&mut self, kept_for: Duration, unix_seconds: u64) {
        self.rooms.retain(|_, Kept { attendance, .. }| {
            if attendance.is_due(kept_for, unix_seconds) {
                Arc::make_mut(attendance).forget(kept_for, unix_seconds);
            }
            !attendance.is_empty()
        });
    }

    /// Forgets whole rooms until this size is reached: first those of addresses with more than their share, and then
    /// those that have been empty for the longest time.
    pub(super) fn trim(&mut self, most_bytes: usize) {
        let mut size: usize = self.rooms.values().map(Kept::size_in_bytes).sum();
        if size <= most_bytes {
            return;
        }
        let rooms = self.rooms.iter();
        let mut newest: Vec<_> =
            rooms.map(|(name, kept)| (kept.attendance.last_left(), name.clone())).collect();
        newest.sort_unstable_by(|one, other| other.cmp(one));
        let mut kept_of = BTreeMap::<ClientAddress, usize>::new();
        // The last ones first: those over a share before the oldest.
        let (over_share, within): (Vec<_>, Vec<_>) = newest.into_iter().partition(|(_, name)| {
            let Some(Kept { from: Some(from), attendance }) = self.rooms.get(name) else {
                return false;
            };
            let kept = kept_of.entry(*from).or_default();
            *kept += size_of(attendance);
            *kept > most_bytes / SHARE_OF_AN_ADDRESS
        });
        for (_, name) in over_share.into_iter().rev().chain(within.into_iter().rev()) {
            if size <= most_bytes {
                break;
            }
            size -= self.rooms.remove(&name).map_or(0, |kept| kept.size_in_bytes());
        }
    }
}

impl Kept {
    fn size_in_bytes(&self) -> usize {
        size_of(&self.attendance)
    }
}

impl From<Vec<SavedAttendance>> for KeptAttendance {
    fn from(saved: Vec<SavedAttendance>) -> Self {
        let rooms = saved.into_iter().filter(|room| room.attendance.last_left().is_some());
        let kept = |attendance| Kept { attendance: Arc::new(attendance), from: None };
        Self { rooms: rooms.map(|room| (room.name, kept(room.attendance))).collect() }
    }
}

fn size_of(attendance: &Attendance) -> usize {
    ROOM_IN_BYTES + attendance.size_in_bytes()
}
