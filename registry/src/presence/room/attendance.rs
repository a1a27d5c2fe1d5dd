//! What a room remembers of those who came and went.

use app::presence::UserId;

use super::{Now, Room, RoomLimits};
use crate::presence::attendance::Attendance;

impl Room {
    /// Who came and went; `None` if the limits say that it is not kept.
    pub fn attendance(&self) -> Option<&Attendance> {
        self.attendance.as_deref()
    }

    /// The same room with what another one remembered, which was forgotten because nobody was there.
    #[must_use]
    pub fn with_attendance(mut self, attendance: Box<Attendance>) -> Self {
        if self.limits.keep_attendance.is_some() {
            self.attendance = Some(attendance);
        }
        self
    }

    /// The limits of the last server that joined count. Where attendance is kept from now on, it begins with those
    /// who are here.
    pub(super) fn set_limits(&mut self, limits: RoomLimits, now: Now) {
        self.limits = limits;
        if limits.keep_attendance.is_none() {
            self.attendance = None;
        } else if self.attendance.is_none() {
            self.attendance = Some(Box::new(Attendance::of(&self.roster)));
        }
        self.forget_attendance(now);
    }

    /// Forgets those who have been gone for too long. Each command does, so that it depends on nothing else.
    pub(super) fn forget_attendance(&mut self, now: Now) {
        if let (Some(attendance), Some(kept_for)) =
            (&mut self.attendance, self.limits.keep_attendance)
        {
            attendance.forget(kept_for, now.unix_seconds);
        }
    }

    /// A tab of this person has joined: the person did not leave while there was no server.
    pub(super) fn note_presence(&mut self, user_id: UserId) {
        if let Some(attendance) = &mut self.attendance {
            attendance.confirm(user_id);
        }
    }

    /// There was no server since then, in seconds since the Unix epoch.
    pub(super) fn note_interruption(&mut self, since: u64) {
        if let Some(attendance) = &mut self.attendance {
            attendance.interrupt(since);
        }
    }

    pub(super) fn trim_attendance(&mut self, most_bytes: u32) {
        if let Some(attendance) = &mut self.attendance {
            attendance.trim(usize::try_from(most_bytes).unwrap_or(usize::MAX));
        }
    }
}
