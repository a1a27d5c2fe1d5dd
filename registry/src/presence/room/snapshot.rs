//! The exact state of a room after one entry of its journal.

use std::collections::BTreeMap;

use app::presence::{Epoch, Roster, User, UserId};
use serde::{Deserialize, Serialize};

use super::{Room, RoomLimits, are_listed, size_of_names};
use crate::presence::{
    attendance::Attendance,
    count_history::CountHistory,
    log::{Log, LoggedChange},
    members::{Member, Members},
    removals::Removals,
    room_time::RoomTime,
    servers::Servers,
};

/// About so many bytes of the log are in a snapshot, counted as in memory: thousands of changes. Only a server that gets
/// the room from the engine needs them, for clients that come to it with an earlier list; to others it sends its own.
const MOST_LOG_BYTES: usize = 256 * 1024;

/// The exact state of a room after one entry of its journal: a room made from it goes on as the first one.
/// Only the log may reach back less far.
///
/// Unlike [`SavedRoom`](super::SavedRoom) it holds no row that was not held, and keeps every deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSnapshot {
    epoch: Epoch,
    seq: u64,
    limits: RoomLimits,
    /// In the order of the list.
    users: Vec<User>,
    members: BTreeMap<UserId, Member>,
    changes: Vec<LoggedChange>,
    history: CountHistory,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attendance: Option<Box<Attendance>>,
    servers: Servers,
    removals: Removals,
    time: RoomTime,
    /// Earlier servers had no such rooms.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_closed: bool,
}

/// A snapshot that contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rows, the people and the changes of a snapshot do not match")]
pub struct InvalidSnapshotError;

impl RoomSnapshot {
    /// The state of this room.
    pub fn of(room: &Room) -> Self {
        Self {
            epoch: room.epoch.clone(),
            seq: room.log.seq(),
            limits: room.limits,
            users: room.roster.users().cloned().collect(),
            members: room.members.iter().map(|(id, member)| (id, member.clone())).collect(),
            changes: room.log.newest(MOST_LOG_BYTES),
            history: room.history.clone(),
            attendance: room.attendance.clone(),
            servers: room.servers.clone(),
            removals: room.removals.clone(),
            time: room.time,
            is_closed: room.is_closed,
        }
    }

    /// The epoch.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The same list in an epoch of its own, in which it has not changed yet.
    #[must_use]
    pub fn in_epoch(self, epoch: Epoch) -> Self {
        Self { epoch, seq: 0, changes: Vec::new(), ..self }
    }
}

impl TryFrom<RoomSnapshot> for Room {
    type Error = InvalidSnapshotError;

    fn try_from(snapshot: RoomSnapshot) -> Result<Self, InvalidSnapshotError> {
        let RoomSnapshot {
            epoch,
            seq,
            limits,
            history,
            attendance,
            servers,
            removals,
            time,
            is_closed,
            ..
        } = snapshot;
        let roster = Roster::from_users(snapshot.users).map_err(|_| InvalidSnapshotError)?;
        let members: Members = snapshot.members.into_iter().collect();
        let with_tabs = members.iter().filter(|(_, member)| member.has_tabs());
        if !are_listed(with_tabs.map(|(user_id, _)| user_id), &roster) {
            return Err(InvalidSnapshotError);
        }
        if attendance.as_ref().is_some_and(|attendance| !attendance.fits(&roster)) {
            return Err(InvalidSnapshotError);
        }
        let log = Log::from_newest(seq, snapshot.changes).ok_or(InvalidSnapshotError)?;
        let names_in_bytes = size_of_names(&roster);
        Ok(Self {
            limits,
            epoch,
            roster,
            members,
            log,
            history,
            attendance,
            names_in_bytes,
            servers,
            removals,
            time,
            is_closed,
        })
    }
}
