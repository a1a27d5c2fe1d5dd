//! A room, as it is saved for the next process.

use app::presence::{Epoch, Roster, User};
use serde::{Deserialize, Serialize};

use super::{Now, Room, RoomLimits, are_listed, count_here, size_of_names};
use crate::presence::{
    attendance::Attendance,
    count_history::CountHistory,
    log::{Change, Log},
    members::{Members, Moment, SavedMember},
};

/// A room, as it is saved for the next process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRoom {
    /// The number of the last change.
    pub seq: u64,
    /// The rows, in the order of the list.
    pub users: Vec<User>,
    /// The people behind the rows.
    pub people: Vec<SavedMember>,
    /// The last changes; empty if the next process begins a new epoch.
    pub changes: Vec<Change>,
    /// Whether a host has closed the room; earlier servers had no such rooms.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_closed: bool,
    /// Who came and went, if that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendance: Option<Box<Attendance>>,
}

/// A saved room that contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rows, the people and the changes of a saved room do not match")]
pub struct InvalidSavedRoom;

impl Room {
    /// What the next process needs to go on from here.
    pub fn save(&self, now: Moment) -> SavedRoom {
        SavedRoom {
            seq: self.log.seq(),
            users: self.roster.users().cloned().collect(),
            people: self.members.save(now),
            changes: self.log.changes().cloned().collect(),
            is_closed: self.is_closed,
            attendance: self.attendance.clone(),
        }
    }

    /// The same when the process ends in order: who does not come back to the next one has left now.
    pub fn save_at_the_end(&self, now: Now) -> SavedRoom {
        let mut saved = self.save(now.moment);
        if let Some(attendance) = &mut saved.attendance {
            attendance.interrupt(now.unix_seconds);
        }
        saved
    }

    /// A saved room. Every row is held for a grace period. Without a history one begins with this minute.
    pub fn restore(
        saved: SavedRoom,
        epoch: Epoch,
        history: Option<CountHistory>,
        limits: RoomLimits,
        now: Now,
    ) -> Result<Self, InvalidSavedRoom> {
        let SavedRoom { seq, users, people, changes, is_closed, attendance } = saved;
        let empty = Self::new(limits, epoch, now);
        let roster = Roster::from_users(users).map_err(|_| InvalidSavedRoom)?;
        let with_tabs = people.iter().filter(|member| !member.tabs.is_empty());
        if !are_listed(with_tabs.map(|member| member.id), &roster) {
            return Err(InvalidSavedRoom);
        }
        if attendance.as_ref().is_some_and(|attendance| !attendance.fits(&roster)) {
            return Err(InvalidSavedRoom);
        }
        // Before, the setting may have been another one.
        let attendance = limits
            .keep_attendance
            .map(|_| attendance.unwrap_or_else(|| Box::new(Attendance::of(&roster))));
        let log = Log::restore(seq, changes, now.moment).ok_or(InvalidSavedRoom)?;
        let names_in_bytes = size_of_names(&roster);
        let members = Members::restore(people, now.moment);
        let history =
            history.unwrap_or_else(|| CountHistory::new(now.unix_minutes(), count_here(&roster)));
        Ok(Self { roster, members, log, history, attendance, names_in_bytes, is_closed, ..empty })
    }
}
