//! Who came and went in a room behind its lock.

use std::sync::Arc;

use super::{RoomContext, SharedRoom};
use crate::{
    hub::attendance::AttendanceReport,
    presence::{
        attendance::Attendance,
        command::Command,
        room::{Room, RoomLimits},
    },
};
use app::presence::Epoch;

impl SharedRoom {
    /// A room that existed before, with what it remembers.
    pub(in crate::hub) fn reopened(
        context: Arc<RoomContext>,
        epoch: Epoch,
        limits: RoomLimits,
        attendance: Box<Attendance>,
    ) -> Self {
        let room = Room::new(limits, epoch, context.clocks.now()).with_attendance(attendance);
        Self::from_room(context, room)
    }

    /// Who came and went; `None` if it is not kept.
    pub(in crate::hub) fn attendance_report(&self) -> Option<AttendanceReport> {
        let state = self.lock();
        let (attendance, limits) = (state.room.attendance()?, state.room.limits());
        let now = self.unix_milliseconds() / 1_000;
        Some(AttendanceReport::of(attendance, limits.keep_attendance?, now))
    }

    /// What is to be kept of a room that ends; `None` if that is nothing.
    pub(in crate::hub) fn attendance_to_keep(&self) -> Option<Attendance> {
        let state = self.lock();
        state.room.attendance().filter(|attendance| !attendance.is_empty()).cloned()
    }

    /// Forgets those whose time is over, and returns the size of the rest. A room of several servers does so at its
    /// next entry.
    pub(in crate::hub) fn sweep_attendance(self: &Arc<Self>) -> usize {
        let now = self.context.clocks.now();
        let mut state = self.lock();
        let kept_for = state.room.limits().keep_attendance;
        let is_due =
            state.room.attendance().zip(kept_for).is_some_and(|(attendance, kept_for)| {
                attendance.is_due(kept_for, now.unix_seconds)
            });
        if is_due && state.replicated.is_none() {
            drop(state);
            self.submit(Command::Tick);
            state = self.lock();
        }
        state.room.attendance().map_or(0, Attendance::size_in_bytes)
    }

    /// Has the room forget those who are gone until so much is left. Returns whether anybody is gone.
    pub(in crate::hub) fn trim_attendance(self: &Arc<Self>, most_bytes: usize) -> bool {
        let is_anybody_gone =
            self.lock().room.attendance().is_some_and(Attendance::is_anybody_gone);
        if is_anybody_gone {
            let most_bytes = u32::try_from(most_bytes).unwrap_or(u32::MAX);
            self.submit(Command::AttendanceTrimmed { most_bytes });
        }
        is_anybody_gone
    }
}
