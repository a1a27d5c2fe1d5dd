//! Who came and went in the rooms of a hub, and how much of it a server remembers at most.

use std::{
    cmp::Reverse,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use app::presence::{RoomName, UserId};

use super::{Hub, kept_attendance::KeptAttendance};
use crate::presence::attendance::{Attendance, AttendanceRow};

/// The most that the rooms of a server remember together, in bytes, besides those who are listed right now.
pub const MOST_BYTES_OF_ALL_ROOMS: usize = 32 * 1024 * 1024;

/// Who came and went in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttendanceReport {
    /// The present, in seconds since the Unix epoch.
    pub now: u64,
    /// A row for each person, in the order in which they came for the first time.
    pub rows: Vec<(UserId, AttendanceRow)>,
    /// How many rows were dropped for want of space.
    pub dropped: u64,
}

impl AttendanceReport {
    pub(super) fn of(attendance: &Attendance, kept_for: Duration, now: u64) -> Self {
        let rows = attendance.rows(kept_for, now).map(|(user_id, row)| (user_id, row.clone()));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|(user_id, row)| (row.first_came(), *user_id));
        Self { now, rows, dropped: attendance.dropped() }
    }
}

impl Hub {
    /// For how long this server keeps who came and went; `None` if it does not.
    pub fn keeps_attendance_for(&self) -> Option<Duration> {
        self.limits.room.keep_attendance
    }

    /// Who came and went in a room, which may have ended meanwhile; `None` if it is not kept.
    pub fn attendance(&self, room_name: &RoomName) -> Option<AttendanceReport> {
        let kept_for = self.limits.room.keep_attendance?;
        let (room, kept) = {
            let rooms = self.lock();
            let room = rooms.get(room_name).map(|entry| Arc::clone(&entry.room));
            (room, self.kept_attendance().get(room_name))
        };
        if let Some(room) = room {
            return room.attendance_report();
        }
        let now = self.context.clocks.unix_milliseconds() / 1_000;
        let kept = kept.as_deref().map(|kept| AttendanceReport::of(kept, kept_for, now));
        Some(kept.unwrap_or(AttendanceReport { now, rows: Vec::new(), dropped: 0 }))
    }

    /// Forgets what is over, and what is too much: rooms that have ended give way first, and then those who have gone
    /// from the largest rooms.
    pub(super) fn sweep_attendance(&self, most_bytes: usize) {
        let Some(kept_for) = self.limits.room.keep_attendance else { return };
        let mut rooms = Vec::new();
        for (_, room, _) in self.rooms_by_name() {
            rooms.push((room.sweep_attendance(), room));
        }
        let size: usize = rooms.iter().map(|(size, _)| size).sum();
        {
            let mut kept = self.kept_attendance();
            kept.forget(kept_for, self.context.clocks.unix_milliseconds() / 1_000);
            kept.trim(most_bytes.saturating_sub(size));
        }
        let mut excess = size.saturating_sub(most_bytes);
        rooms.sort_by_key(|(size, _)| Reverse(*size));
        for (size, room) in rooms {
            if excess == 0 {
                break;
            }
            // Half of it, so that the next sweep is not due at once.
            if room.trim_attendance(size / 2) {
                excess = excess.saturating_sub(size / 2);
            }
        }
    }

    /// Locked after the lock of all rooms, or alone.
    pub(super) fn kept_attendance(&self) -> MutexGuard<'_, KeptAttendance> {
        self.kept_attendance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
