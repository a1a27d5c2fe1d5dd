//! Who was in a room, from when to when: a fold of the changes of its list, which is no part of the list itself.
//!
//! Times are whole seconds since the Unix epoch, and sizes are computed, so that every server that applies the same
//! changes remembers the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use app::presence::{DepartureReason, Name, PresenceState, Roster, UserId};
use serde::{Deserialize, Serialize};

use super::{log::Change, stored::whole_name};

/// The most that a room remembers, in bytes.
pub const MOST_BYTES: usize = 1024 * 1024;
/// Of somebody who comes and goes all the time, only the latest stays are remembered one by one.
pub const MOST_STAYS: usize = 64;

/// What is charged for a row besides its name and its stays: about its size in memory, and twice that as JSON. A
/// constant, because servers may differ in the size itself.
const ROW_IN_BYTES: usize = 176;
const STAY_IN_BYTES: usize = 56;

/// Who was in a room. A row is a person, and each time on the list is a stay.
///
/// It is bounded by [`MOST_BYTES`]: the people who have been gone for the longest time give way first. If everybody
/// is here, it has no place for one more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Attendance {
    rows: BTreeMap<UserId, AttendanceRow>,
    /// When those left who are gone, the first to leave first.
    ends: BTreeSet<(u64, UserId)>,
    size_in_bytes: usize,
    dropped: u64,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttendanceRow {
    #[serde(with = "whole_name")]
    name: Name,
    first_came: u64,
    /// The seconds of the stays that are no longer among `stays`.
    #[serde(default, skip_serializing_if = "is_zero")]
    earlier_seconds: u64,
    /// The stays that have ended, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stays: Vec<Stay>,
    /// Since when the person is on the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    here_since: Option<u64>,
    /// Since when there was no server, and the person has not come back: a stay that goes no further ended then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unconfirmed_since: Option<u64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    times_away: u64,
}

/// A time on the list that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// When the person came.
    pub from: u64,
    /// When the person left the list.
    pub until: u64,
    /// Why.
    pub reason: DepartureReason,
}

#[derive(Serialize, Deserialize)]
struct Written {
    rows: BTreeMap<UserId, AttendanceRow>,
    #[serde(default, skip_serializing_if = "is_zero")]
    dropped: u64,
}

impl Attendance {
    /// The people on this list: what is known where it begins to be kept.
    pub fn of(roster: &Roster) -> Self {
        let mut attendance = Self::default();
        for user in roster.users() {
            attendance.note_arrival(user.id, &user.name, user.joined);
        }
        attendance
    }

    /// A change of the list.
    pub fn record(&mut self, change: &Change, unix_seconds: u64) {
        match change {
            Change::Joined(user) => self.note_arrival(user.id, &user.name, user.joined),
            Change::Renamed { id, after, .. } => {
                self.update(*id, |row| row.name = after.clone());
            }
            Change::StateChanged { id, after: PresenceState::Away, .. } => {
                self.update(*id, |row| row.times_away = row.times_away.saturating_add(1));
            }
            Change::StateChanged { .. } => {}
            Change::Departed { id, reason } => {
                self.update(*id, |row| row.end_stay(*reason, unix_seconds));
            }
        }
    }

    /// There was no server since then: who does not come back has left at that time.
    pub fn interrupt(&mut self, since: u64) {
        for row in self.rows.values_mut().filter(|row| row.here_since.is_some()) {
            row.unconfirmed_since.get_or_insert(since);
        }
    }

    /// A tab of this person has joined.
    pub fn confirm(&mut self, user_id: UserId) {
        if let Some(row) = self.rows.get_mut(&user_id) {
            row.unconfirmed_since = None;
        }
    }

    /// Forgets those who have been gone for so long.
    pub fn forget(&mut self, kept_for: Duration, unix_seconds: u64) {
        while let Some((left_at, user_id)) = self.ends.first().copied()
            && is_over(left_at, kept_for, unix_seconds)
        {
            self.remove(user_id);
        }
        if self.rows.is_empty() {
            self.dropped = 0;
        }
    }

    /// Whether there is somebody to forget.
    pub fn is_due(&self, kept_for: Duration, unix_seconds: u64) -> bool {
        self.ends.first().is_some_and(|(left_at, _)| is_over(*left_at, kept_for, unix_seconds))
    }

    /// Forgets those who have been gone for the longest time, until this size is reached or nobody is left who is gone.
    pub fn trim(&mut self, most_bytes: usize) {
        while self.size_in_bytes > most_bytes
            && let Some((_, user_id)) = self.ends.first().copied()
        {
            self.remove(user_id);
            self.dropped += 1;
        }
    }

    /// Those who came and went until this moment, who are not forgotten yet.
    pub fn rows(
        &self,
        kept_for: Duration,
        unix_seconds: u64,
    ) -> impl Iterator<Item = (UserId, &AttendanceRow)> {
        let rows = self.rows.iter().filter(move |(_, row)| {
            row.left_at().is_none_or(|left_at| !is_over(left_at, kept_for, unix_seconds))
        });
        rows.map(|(user_id, row)| (*user_id, row))
    }

    /// How many rows gave way to others, since the room last remembered nobody.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What is charged for it.
    pub fn size_in_bytes(&self) -> usize {
        self.size_in_bytes
    }

    /// The number of rows, also of those whose time is over.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nobody to remember.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether there is somebody who is not here.
    pub fn is_anybody_gone(&self) -> bool {
        !self.ends.is_empty()
    }

    /// When the last person left; `None` while somebody is here, and if there is nobody.
    pub fn last_left(&self) -> Option<u64> {
        let is_anybody_here = self.ends.len() < self.rows.len();
        self.ends.last().filter(|_| !is_anybody_here).map(|(left_at, _)| *left_at)
    }

    /// Whether everybody who is here by this is on the list: anybody else would stay for ever.
    pub fn fits(&self, roster: &Roster) -> bool {
        let mut here = self.rows.iter().filter(|(_, row)| row.here_since.is_some());
        here.all(|(user_id, _)| roster.contains(user_id))
    }

    fn note_arrival(&mut self, user_id: UserId, name: &Name, since: u64) {
        let row = self.remove(user_id);
        let mut row = row.unwrap_or_else(|| AttendanceRow {
            name: name.clone(),
            first_came: since,
            earlier_seconds: 0,
            stays: Vec::new(),
            here_since: None,
            unconfirmed_since: None,
            times_away: 0,
        });
        (row.name, row.here_since) = (name.clone(), Some(since));
        self.insert(user_id, row);
    }

    fn update(&mut self, user_id: UserId, change: impl FnOnce(&mut AttendanceRow)) {
        // There may have been no place for this person.
        if let Some(mut row) = self.remove(user_id) {
            change(&mut row);
            self.insert(user_id, row);
        }
    }

    /// Sets a row, for which others give way. If it has no place even so, it is dropped itself.
    fn insert(&mut self, user_id: UserId, row: AttendanceRow) {
        let size = row.size_in_bytes();
        self.trim(MOST_BYTES - size.min(MOST_BYTES));
        if self.size_in_bytes + size > MOST_BYTES {
            self.dropped += 1;
            return;
        }
        self.size_in_bytes += size;
        self.ends.extend(row.left_at().map(|left_at| (left_at, user_id)));
        self.rows.insert(user_id, row);
    }

    fn remove(&mut self, user_id: UserId) -> Option<AttendanceRow> {
        let row = self.rows.remove(&user_id)?;
        self.size_in_bytes -= row.size_in_bytes();
        if let Some(left_at) = row.left_at() {
            self.ends.remove(&(left_at, user_id));
        }
        Some(row)
    }
}

impl AttendanceRow {
    /// The latest name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// When the person came for the first time.
    pub fn first_came(&self) -> u64 {
        self.first_came
    }

    /// When the person left the list; `None` while here.
    pub fn left_at(&self) -> Option<u64> {
        self.last_stay().map(|stay| stay.until)
    }

    /// Why the person left the list; `None` while here.
    pub fn reason(&self) -> Option<DepartureReason> {
        self.last_stay().map(|stay| stay.reason)
    }

    /// The latest stays that have ended, the oldest first.
    pub fn stays(&self) -> &[Stay] {
        &self.stays
    }

    /// Since when the person is here.
    pub fn here_since(&self) -> Option<u64> {
        self.here_since
    }

    /// How often the row became away.
    pub fn times_away(&self) -> u64 {
        self.times_away
    }

    /// The sum of all stays until this moment.
    pub fn seconds_here(&self, unix_seconds: u64) -> u64 {
        let ended = self.stays.iter().copied().map(Stay::seconds);
        let present = self.here_since.map(|since| unix_seconds.saturating_sub(since));
        ended.chain(present).fold(self.earlier_seconds, u64::saturating_add)
    }

    fn last_stay(&self) -> Option<&Stay> {
        self.stays.last().filter(|_| self.here_since.is_none())
    }

    fn end_stay(&mut self, reason: DepartureReason, unix_seconds: u64) {
        let Some(from) = self.here_since.take() else { return };
        let until = self.unconfirmed_since.take().unwrap_or(unix_seconds);
        // The system's clock may have been set back.
        self.stays.push(Stay { from, until: until.max(from), reason });
        if self.stays.len() > MOST_STAYS {
            let oldest = self.stays.remove(0).seconds();
            self.earlier_seconds = self.earlier_seconds.saturating_add(oldest);
        }
    }

    fn size_in_bytes(&self) -> usize {
        let skeleton = self.name.skeleton().map(str::len).unwrap_or_default();
        // The stay that has not ended is charged for, so that a departure makes no row larger.
        let stays = self.stays.len() + usize::from(self.here_since.is_some());
        ROW_IN_BYTES + self.name.as_str().len() + skeleton + stays * STAY_IN_BYTES
    }
}

impl Stay {
    fn seconds(self) -> u64 {
        self.until - self.from
    }
}

impl From<Written> for Attendance {
    fn from(Written { rows, dropped }: Written) -> Self {
        let mut attendance = Self::default();
        // A row that was never on the list, or whose stays end before they begin, is no row of ours.
        let is_valid = |row: &AttendanceRow| {
            (row.here_since.is_some() || !row.stays.is_empty())
                && row.stays.len() <= MOST_STAYS
                && row.stays.iter().all(|stay| stay.from <= stay.until)
        };
        for (user_id, row) in rows.into_iter().filter(|(_, row)| is_valid(row)) {
            attendance.insert(user_id, row);
        }
        attendance.dropped = dropped;
        attendance
    }
}

impl From<Attendance> for Written {
    fn from(Attendance { rows, dropped, .. }: Attendance) -> Self {
        Self { rows, dropped }
    }
}

fn is_over(left_at: u64, kept_for: Duration, unix_seconds: u64) -> bool {
    left_at.saturating_add(kept_for.as_secs()) <= unix_seconds
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
