//! One room: its list, its members, and the log of its changes.

use std::collections::BTreeSet;

use app::presence::{DepartureReason, Name, PresenceState, Roster, User, UserId};
use serde::{Deserialize, Serialize};

use super::{
    join::{Join, JoinKind},
    log::{Change, Log},
    members::{DesiredState, Members, Moment, SavedMember},
    request_error::RequestError,
    tab_key::ConnectionId,
};

/// One room, as a pure state machine.
///
/// Every change of the list is made by `record`, so that list and log agree. After every event of a person,
/// `reconcile` brings the row to its desired state.
///
/// ```
/// use app::presence::{Name, UserId};
/// use registry::presence::{
///     join::{Join, JoinKind},
///     members::Moment,
///     room::{Now, Room, RoomLimits},
///     tab_key::{ConnectionId, TabKey},
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut room = Room::new(RoomLimits { most_people: 100, most_connections_per_person: 8 });
/// let connection = ConnectionId(1);
/// let join = Join {
///     name: Name::parse("Ana")?,
///     tab: TabKey::Unnamed(connection),
///     connection,
///     is_visible: true,
///     kind: JoinKind::Opening,
/// };
/// let now = Now { moment: Moment::ZERO, unix_seconds: 1_795_421_000 };
/// room.join(UserId::from_leading_bits(1), join, now)?;
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
    roster: Roster,
    members: Members,
    log: Log,
    /// The size of all names on the wire.
    names_in_bytes: usize,
}

/// The limits of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomLimits {
    /// The most people listed at the same time.
    pub most_people: usize,
    /// The most sockets of one person at the same time.
    pub most_connections_per_person: usize,
}

/// The time on the two clocks that a join needs. The caller reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For deadlines: monotonic.
    pub moment: Moment,
    /// For people: seconds since the Unix epoch.
    pub unix_seconds: u64,
}

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
}

/// A saved room that contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rows, the people and the changes of a saved room do not match")]
pub struct InvalidSavedRoom;

impl Room {
    /// An empty room.
    pub fn new(limits: RoomLimits) -> Self {
        Self {
            limits,
            roster: Roster::default(),
            members: Members::default(),
            log: Log::default(),
            names_in_bytes: 0,
        }
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

    /// Whether the room has neither a socket nor a row.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.roster.is_empty()
    }

    /// A socket watches the room without being listed.
    pub fn watch(&mut self, user_id: UserId, connection: ConnectionId) -> Result<(), RequestError> {
        self.members.watch(user_id, connection, self.limits.most_connections_per_person)
    }

    /// A tab joins: its person is listed or, if listed already and for [`JoinKind::Repeat`], renamed.
    ///
    /// Returns the socket that had the tab until now, which is replaced.
    pub fn join(
        &mut self,
        user_id: UserId,
        join: Join,
        now: Now,
    ) -> Result<Option<ConnectionId>, RequestError> {
        let is_listed = self.roster.contains(&user_id);
        if !is_listed && self.is_full() {
            return Err(RequestError::RoomFull);
        }
        let most_connections = self.limits.most_connections_per_person;
        let (name, kind) = (join.name.clone(), join.kind);
        let replaced = self.members.join(user_id, join, most_connections, now.moment)?;
        match (is_listed, kind) {
            (false, _) => {
                let joined = now.unix_seconds;
                let state = PresenceState::Here;
                self.record(Change::Joined(User { id: user_id, name, joined, state }), now.moment);
            }
            (true, JoinKind::Opening) => {}
            (true, JoinKind::Repeat) => self.set_name(user_id, name, now.moment),
        }
        self.reconcile(user_id, now.moment);
        Ok(replaced)
    }

    /// A listed person changes the name and keeps the row.
    pub fn rename(&mut self, user_id: UserId, name: Name, now: Moment) -> Result<(), RequestError> {
        if !self.roster.contains(&user_id) {
            return Err(RequestError::NotListed);
        }
        self.set_name(user_id, name, now);
        Ok(())
    }

    /// The page of a tab was hidden or shown.
    pub fn set_visible(
        &mut self,
        user_id: UserId,
        connection: ConnectionId,
        is_visible: bool,
        now: Moment,
    ) {
        self.members.set_visible(user_id, connection, is_visible, now);
        self.reconcile(user_id, now);
    }

    /// A person's row is removed, because the person left or was removed. The sockets go on watching.
    pub fn remove_row(&mut self, user_id: UserId, reason: DepartureReason, now: Moment) {
        self.members.remove_row(user_id);
        if self.roster.contains(&user_id) {
            self.record(Change::Departed { id: user_id, reason }, now);
        }
        self.reconcile(user_id, now);
    }

    /// All rows are removed. Returns their number.
    pub fn remove_all_rows(&mut self, now: Moment) -> usize {
        let user_ids: Vec<_> = self.roster.users().map(|user| user.id).collect();
        for user_id in &user_ids {
            self.remove_row(*user_id, DepartureReason::Removed, now);
        }
        user_ids.len()
    }

    /// A socket has ended: cleanly ([`DepartureReason::Closed`]) or not ([`DepartureReason::Lost`]).
    pub fn disconnect(
        &mut self,
        user_id: UserId,
        connection: ConnectionId,
        reason: DepartureReason,
        now: Moment,
    ) {
        self.members.disconnect(user_id, connection, reason, now);
        self.reconcile(user_id, now);
    }

    /// The room's page is sent to this person.
    pub fn note_page_load(&mut self, user_id: UserId, now: Moment) {
        self.members.note_page_load(user_id, now);
        self.reconcile(user_id, now);
    }

    /// When [`Room::tick`] is due.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.members.next_deadline()
    }

    /// Applies the deadlines that have come. Without one it changes nothing.
    pub fn tick(&mut self, now: Moment) {
        while let Some(user_id) = self.members.take_due(now) {
            self.reconcile(user_id, now);
        }
    }

    /// What the next process needs to go on from here.
    pub fn save(&self, now: Moment) -> SavedRoom {
        SavedRoom {
            seq: self.log.seq(),
            users: self.roster.users().cloned().collect(),
            people: self.members.save(now),
            changes: self.log.changes().cloned().collect(),
        }
    }

    /// A saved room. Every row is held for a grace period.
    pub fn restore(
        saved: SavedRoom,
        limits: RoomLimits,
        now: Moment,
    ) -> Result<Self, InvalidSavedRoom> {
        let SavedRoom { seq, users, people, changes } = saved;
        let roster = Roster::from_users(users).map_err(|_| InvalidSavedRoom)?;
        // A row without a tab would never be removed.
        let with_tabs: BTreeSet<UserId> = people
            .iter()
            .filter(|member| !member.tabs.is_empty())
            .map(|member| member.id)
            .collect();
        let listed: BTreeSet<UserId> = roster.users().map(|user| user.id).collect();
        if with_tabs != listed {
            return Err(InvalidSavedRoom);
        }
        let log = Log::restore(seq, changes, now).ok_or(InvalidSavedRoom)?;
        let names_in_bytes = roster.users().map(|user| size_of_name(&user.name)).sum();
        let members = Members::restore(people, now);
        Ok(Self { limits, roster, members, log, names_in_bytes })
    }

    /// Brings a person's row to its desired state.
    fn reconcile(&mut self, user_id: UserId, now: Moment) {
        let state = self.roster.get(&user_id).map(|user| user.state);
        match (self.members.desired_state(user_id, state, now), state) {
            (DesiredState::Listed(after), Some(before)) if before != after => {
                self.record(Change::StateChanged { id: user_id, before, after }, now);
            }
            (DesiredState::Unlisted(reason), Some(_)) => {
                self.record(Change::Departed { id: user_id, reason }, now);
            }
            _ => {}
        }
        self.members.reconcile(user_id, now);
    }

    fn set_name(&mut self, user_id: UserId, after: Name, now: Moment) {
        let before = self.roster.get(&user_id).map(|user| user.name.clone());
        if let Some(before) = before
            && before != after
        {
            self.record(Change::Renamed { id: user_id, before, after }, now);
        }
    }

    fn record(&mut self, change: Change, now: Moment) {
        let id = change.id();
        let name_in_bytes =
            |room: &Self| room.roster.get(&id).map_or(0, |user| size_of_name(&user.name));
        let before = name_in_bytes(self);
        let applied = self.roster.apply(&change.as_difference());
        debug_assert_eq!(applied, Ok(()), "{change:?}");
        // A change that the list rejects is not recorded: every replica can apply what the log holds.
        if applied.is_ok() {
            self.names_in_bytes = self.names_in_bytes + name_in_bytes(self) - before;
            self.log.push(change, now);
        }
    }
}

/// The size of a name on the wire, with its skeleton.
fn size_of_name(name: &Name) -> usize {
    const SKELETON_FIELD_IN_BYTES: usize = 10;
    let skeleton = name.skeleton().map(|skeleton| skeleton.len() + SKELETON_FIELD_IN_BYTES);
    name.as_str().len() + skeleton.unwrap_or_default()
}

#[cfg(test)]
mod tests;
