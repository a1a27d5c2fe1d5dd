//! One room: its list, its members, and the log of its changes.

mod attendance;
mod cluster;
mod saved;
mod snapshot;

use std::{collections::BTreeSet, time::Duration};

use app::presence::{DepartureReason, Epoch, Name, PresenceState, Roster, User, UserId};
use serde::{Deserialize, Serialize};

pub use self::{
    saved::{InvalidSavedRoom, SavedRoom},
    snapshot::{InvalidSnapshotError, RoomSnapshot},
};
use super::{
    attendance::Attendance,
    command::{Command, Outcome},
    count_history::CountHistory,
    join::{Join, JoinKind},
    log::{Change, Log},
    members::{DesiredState, JoiningTab, Members, Moment},
    removals::Removals,
    request_error::RequestError,
    room_time::RoomTime,
    servers::Servers,
    stored::some_milliseconds,
    tab_key::ConnectionId,
};

/// One room, as a deterministic state machine over commands.
///
/// [`Room::apply`] is the one function that changes a room, but for how far its log reaches back: the same commands at the same times lead to the
/// same list, `seq`, log and deadlines. Every change of the list is made by `record`, so that list and log agree. After every event of a person,
/// `reconcile` brings the row to its desired state.
///
/// ```
/// use app::presence::{Epoch, Name, UserId};
/// use registry::presence::{
///     command::{Command, Outcome},
///     join::{Join, JoinKind},
///     members::Moment,
///     room::{Now, Room, RoomLimits},
///     tab_key::ConnectionId,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let now = Now { moment: Moment::ZERO, unix_seconds: 1_795_421_000 };
/// let limits = RoomLimits { most_people: 100, most_connections_per_person: 8, keep_attendance: None };
/// let mut room = Room::new(limits, Epoch::from_number(1), now);
/// let join = Join {
///     name: Name::parse("Ana")?,
///     tab: None,
///     connection: ConnectionId(1),
///     is_visible: true,
/// };
/// let user_id = UserId::from_leading_bits(1);
/// let announced = Command::Announced { user_id, join, kind: JoinKind::Opening };
/// assert_eq!(room.apply(announced, now), Outcome::Done);
///
/// // A client whose list is at 0 needs the changes since then, and nothing else.
/// let difference = room.log().difference(0, room.log().seq()).ok_or("not in the log")?;
/// assert_eq!(difference.new_user, [room.roster().users().next().unwrap().clone()]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Room {
    limits: RoomLimits,
    /// Differs whenever `seq` begins at zero again.
    epoch: Epoch,
    roster: Roster,
    members: Members,
    log: Log,
    history: CountHistory,
    /// Who came and went, if the limits say that it is kept. It is no part of the list and of its digest.
    attendance: Option<Box<Attendance>>,
    /// The size of all names on the wire.
    names_in_bytes: usize,
    servers: Servers,
    removals: Removals,
    time: RoomTime,
    /// Nobody new is listed until a host opens the room again.
    is_closed: bool,
}

/// The limits of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomLimits {
    /// The most people listed at the same time.
    pub most_people: usize,
    /// The most sockets of one person at the same time.
    pub most_connections_per_person: usize,
    /// For how long the room remembers who came and went, after each of them has left. `None` if it does not.
    #[serde(default, with = "some_milliseconds", skip_serializing_if = "Option::is_none")]
    pub keep_attendance: Option<Duration>,
}

/// The time on the two clocks that a room needs. The caller reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For deadlines: monotonic.
    pub moment: Moment,
    /// For people: seconds since the Unix epoch.
    pub unix_seconds: u64,
}

impl Room {
    /// An empty room.
    pub fn new(limits: RoomLimits, epoch: Epoch, now: Now) -> Self {
        Self {
            limits,
            epoch,
            roster: Roster::default(),
            members: Members::default(),
            log: Log::default(),
            history: CountHistory::new(now.unix_minutes(), 0),
            attendance: limits.keep_attendance.map(|_| Box::default()),
            names_in_bytes: 0,
            servers: Servers::default(),
            removals: Removals::default(),
            time: RoomTime::default(),
            is_closed: false,
        }
    }

    /// Applies a command. This is the one way to change a room, and [`Room::apply_entry`] is this for each
    /// command of a journal.
    pub fn apply(&mut self, command: Command, now: Now) -> Outcome {
        // Before, because who comes back later is new; and after, because a stay may have ended long ago.
        self.forget_attendance(now);
        let outcome = self.execute(command, now);
        self.forget_attendance(now);
        let here = count_here(&self.roster);
        if !self.history.is_current(here) {
            self.history.record(now.unix_minutes(), here);
        }
        outcome
    }

    /// The limits.
    pub fn limits(&self) -> RoomLimits {
        self.limits
    }

    /// Differs whenever `seq` begins at zero again.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The people behind the rows, and their sockets.
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// The number of people who are here and not away, minute by minute.
    pub fn history(&self) -> &CountHistory {
        &self.history
    }

    /// The present list.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The last changes.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// About the size of the list on the wire.
    pub fn list_size_in_bytes(&self) -> usize {
        // The other fields of a row, and of the frame.
        const ROW_IN_BYTES: usize = 52;
        const ENVELOPE_IN_BYTES: usize = 150;
        ENVELOPE_IN_BYTES + self.roster.len() * ROW_IN_BYTES + self.names_in_bytes
    }

    /// Whether no more people can be listed.
    pub fn is_full(&self) -> bool {
        self.roster.len() >= self.limits.most_people
    }

    /// Whether the room has neither a row nor a socket that stood behind one.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.roster.is_empty()
    }

    /// Whether a host has closed the room to people who are not listed.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether a person can be listed: is listed already, or the room is neither closed nor full.
    pub fn check_admission(&self, user_id: UserId) -> Result<(), RequestError> {
        if self.roster.contains(&user_id) {
            Ok(())
        } else if self.is_closed {
            Err(RequestError::RoomClosed)
        } else if self.is_full() {
            Err(RequestError::RoomFull)
        } else {
            Ok(())
        }
    }

    /// Drops the oldest changes of the log until at most so many bytes are left.
    ///
    /// It is no command: how far the log reaches back is each server's own, and changes nothing else.
    pub fn trim_log(&mut self, most_bytes: usize) {
        self.log.trim(most_bytes);
    }

    /// When [`Command::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.members.next_deadline().map(|deadline| self.time.in_journal(deadline))
    }

    /// Until when a client may resume from the last change; `None` without changes.
    pub fn resumable_until(&self) -> Option<Moment> {
        self.log.resumable_until().map(|until| self.time.in_journal(until))
    }

    fn execute(&mut self, command: Command, now: Now) -> Outcome {
        let moment = now.moment;
        match command {
            Command::Announced { user_id, join, kind } => {
                return self.join(user_id, join, kind, now).into();
            }
            Command::Restored { user_id, join, announced_at } => {
                let (tab, name) = JoiningTab::of(join, announced_at);
                return self.restore_tab(user_id, tab, name, now);
            }
            Command::Renamed { user_id, name } => {
                if !self.roster.contains(&user_id) {
                    return Outcome::Refused(RequestError::NotListed);
                }
                self.set_name(user_id, name, now);
            }
            Command::VisibilityChanged { user_id, connection, is_visible } => {
                self.members.set_visible(user_id, connection, is_visible, moment);
                self.reconcile(user_id, now);
            }
            Command::RowRemoved { user_id, reason } => {
                self.note_removal(user_id, moment);
                let was_listed = self.remove_row(user_id, reason, now);
                return Outcome::RowsRemoved(usize::from(was_listed));
            }
            Command::RoomCleared => {
                self.note_clearing(moment);
                return Outcome::RowsRemoved(self.remove_all_rows(now));
            }
            Command::JoiningChanged { is_closed } => self.is_closed = is_closed,
            Command::Disconnected { user_id, connection, reason } => {
                self.members.disconnect(user_id, connection, reason, moment);
                self.reconcile(user_id, now);
            }
            Command::PageServed { user_id } => {
                self.members.note_page_load(user_id, moment);
                self.reconcile(user_id, now);
            }
            Command::PageConnected { user_id } => self.members.note_page_connection(user_id),
            Command::Tick => self.tick(now),
            Command::ServerLeft { server, ago, exit } => {
                self.remove_server(server, ago.unwrap_or_default(), exit, now);
            }
            Command::EpochChanged { epoch, replaces } => self.change_epoch(epoch, &replaces),
            Command::AttendanceTrimmed { most_bytes } => self.trim_attendance(most_bytes),
            Command::Checkpoint { .. } => {}
        }
        Outcome::Done
    }

    /// A tab joins: its person is listed or, if listed already and for [`JoinKind::Repeat`], renamed.
    ///
    /// Returns the socket that had the tab until now, which is replaced.
    fn join(
        &mut self,
        user_id: UserId,
        join: Join,
        kind: JoinKind,
        now: Now,
    ) -> Result<Option<ConnectionId>, RequestError> {
        self.check_admission(user_id)?;
        let most_connections = self.limits.most_connections_per_person;
        let (connection, tab) = (join.connection, join.tab.as_ref());
        if !self.members.is_within_limit(user_id, connection, tab, most_connections) {
            return Err(RequestError::TooManyTabs);
        }
        let (tab, name) = JoiningTab::of(join, self.time.in_journal(now.moment));
        Ok(self.list(user_id, tab, name, kind, now))
    }

    fn list(
        &mut self,
        user_id: UserId,
        tab: JoiningTab,
        name: Name,
        kind: JoinKind,
        now: Now,
    ) -> Option<ConnectionId> {
        let replaced = self.members.join(user_id, tab, now.moment);
        match (self.roster.contains(&user_id), kind) {
            (false, _) => {
                let joined = now.unix_seconds;
                let state = PresenceState::Here;
                self.record(Change::Joined(User { id: user_id, name, joined, state }), now);
            }
            (true, JoinKind::Opening) => {}
            (true, JoinKind::Repeat) => self.set_name(user_id, name, now),
        }
        self.note_presence(user_id);
        self.reconcile(user_id, now);
        replaced
    }

    /// Returns whether there was a row.
    fn remove_row(&mut self, user_id: UserId, reason: DepartureReason, now: Now) -> bool {
        self.members.remove_row(user_id);
        let was_listed = self.roster.contains(&user_id);
        if was_listed {
            self.record(Change::Departed { id: user_id, reason }, now);
        }
        self.reconcile(user_id, now);
        was_listed
    }

    /// Returns the number of rows.
    fn remove_all_rows(&mut self, now: Now) -> usize {
        let user_ids: Vec<_> = self.roster.users().map(|user| user.id).collect();
        for user_id in &user_ids {
            self.remove_row(*user_id, DepartureReason::Removed, now);
        }
        user_ids.len()
    }

    /// Applies the deadlines that have come.
    fn tick(&mut self, now: Now) {
        while let Some(user_id) = self.members.take_due(now.moment) {
            self.reconcile(user_id, now);
        }
    }

    /// Brings a person's row to its desired state.
    fn reconcile(&mut self, user_id: UserId, now: Now) {
        let state = self.roster.get(&user_id).map(|user| user.state);
        match (self.members.desired_state(user_id, state, now.moment), state) {
            (DesiredState::Listed(after), Some(before)) if before != after => {
                self.record(Change::StateChanged { id: user_id, before, after }, now);
            }
            (DesiredState::Unlisted(reason), Some(_)) => {
                self.record(Change::Departed { id: user_id, reason }, now);
            }
            _ => {}
        }
        self.members.reconcile(user_id, now.moment);
    }

    fn set_name(&mut self, user_id: UserId, after: Name, now: Now) {
        let before = self.roster.get(&user_id).map(|user| user.name.clone());
        if let Some(before) = before
            && before != after
        {
            self.record(Change::Renamed { id: user_id, before, after }, now);
        }
    }

    fn record(&mut self, change: Change, now: Now) {
        let id = change.id();
        let name_in_bytes =
            |room: &Self| room.roster.get(&id).map_or(0, |user| size_of_name(&user.name));
        let before = name_in_bytes(self);
        let applied = self.roster.apply(&change.as_difference());
        debug_assert_eq!(applied, Ok(()), "{change:?}");
        // A change that the list rejects is not recorded: every replica can apply what the log holds.
        if applied.is_ok() {
            self.names_in_bytes = self.names_in_bytes + name_in_bytes(self) - before;
            if let Some(attendance) = &mut self.attendance {
                attendance.record(&change, now.unix_seconds);
            }
            self.log.push(change, now.moment);
        }
    }
}

impl Now {
    /// Whole minutes since the Unix epoch.
    pub fn unix_minutes(self) -> u64 {
        self.unix_seconds / 60
    }
}

/// How many of the listed people are not away.
fn count_here(roster: &Roster) -> usize {
    roster.len() - roster.away()
}

/// Whether these people, who have tabs, are the ones with a row: a row without a tab would never be removed.
fn are_listed(people: impl Iterator<Item = UserId>, roster: &Roster) -> bool {
    let listed: BTreeSet<UserId> = roster.users().map(|user| user.id).collect();
    people.collect::<BTreeSet<_>>() == listed
}

/// The size of all names on the wire.
fn size_of_names(roster: &Roster) -> usize {
    roster.users().map(|user| size_of_name(&user.name)).sum()
}

/// The size of a name on the wire, with its skeleton.
fn size_of_name(name: &Name) -> usize {
    const SKELETON_FIELD_IN_BYTES: usize = 10;
    let skeleton = name.skeleton().map(|skeleton| skeleton.len() + SKELETON_FIELD_IN_BYTES);
    name.as_str().len() + skeleton.unwrap_or_default()
}

#[cfg(test)]
mod tests;
