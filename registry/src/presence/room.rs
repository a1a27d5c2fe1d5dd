//! One room: who is listed, who is connected, and the log of what happened.

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

/// One room: a pure state machine.
///
/// Every change of the list goes through `record`: the log and the list can't disagree.
/// After everything that happens to a person, `reconcile` makes their row what it should be.
#[derive(Debug)]
pub struct Room {
    limits: RoomLimits,
    roster: Roster,
    people: Members,
    log: Log,
    /// The bytes of all names in the list.
    names_in_bytes: usize,
}

/// How many a room takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomLimits {
    /// The most people listed at the same time.
    pub most_people: usize,
    /// The most sockets of one person at the same time.
    pub most_connections_per_person: usize,
}

/// The time, on the two clocks that a room needs; the caller reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For what is due: it never goes back.
    pub moment: Moment,
    /// For people: whole seconds since the Unix epoch.
    pub unix_seconds: u64,
}

/// A room as it is kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRoom {
    /// The number of changes so far.
    pub seq: u64,
    /// The rows, in order of arrival.
    pub users: Vec<User>,
    /// Who stands behind them.
    pub people: Vec<SavedMember>,
    /// The last changes; empty where the next process begins a new epoch.
    pub changes: Vec<Change>,
}

/// What was kept does not make a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its rows and the people behind them do not match")]
pub struct InvalidSavedRoom;

impl Room {
    /// An empty room.
    pub fn new(limits: RoomLimits) -> Self {
        Self {
            limits,
            roster: Roster::default(),
            people: Members::default(),
            log: Log::default(),
            names_in_bytes: 0,
        }
    }

    /// The list.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// What happened.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// About how long the list is on the wire.
    pub fn list_size_in_bytes(&self) -> usize {
        // What stands around a name in a row, and around the rows in a frame.
        const AROUND_A_NAME: usize = 52;
        const AROUND_THE_ROWS: usize = 150;
        AROUND_THE_ROWS + self.roster.len() * AROUND_A_NAME + self.names_in_bytes
    }

    /// Whether the room takes no more people.
    pub fn is_full(&self) -> bool {
        self.roster.len() >= self.limits.most_people
    }

    /// Whether there is neither a socket nor a row in it.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.roster.is_empty()
    }

    /// A socket follows the room without being listed.
    pub fn watch(&mut self, who: UserId, connection: ConnectionId) -> Result<(), RequestError> {
        self.people.watch(who, connection, self.limits.most_connections_per_person)
    }

    /// A tab joins: its person is listed, or is listed already and, perhaps, renamed.
    ///
    /// Returns the socket that had the tab until now, which is replaced.
    pub fn join(
        &mut self,
        who: UserId,
        join: Join,
        now: Now,
    ) -> Result<Option<ConnectionId>, RequestError> {
        let is_listed = self.roster.contains(&who);
        if !is_listed && self.is_full() {
            return Err(RequestError::RoomFull);
        }
        let most_connections = self.limits.most_connections_per_person;
        let (name, kind) = (join.name.clone(), join.kind);
        let replaced = self.people.join(who, join, most_connections, now.moment)?;
        match (is_listed, kind) {
            (false, _) => {
                let joined = now.unix_seconds;
                let state = PresenceState::Here;
                self.record(Change::Joined(User { id: who, name, joined, state }), now.moment);
            }
            (true, JoinKind::Opening) => {}
            (true, JoinKind::Repeat) => self.set_name(who, name, now.moment),
        }
        self.reconcile(who, now.moment);
        Ok(replaced)
    }

    /// A listed person changes their name and keeps their row.
    pub fn rename(&mut self, who: UserId, name: Name, now: Moment) -> Result<(), RequestError> {
        if !self.roster.contains(&who) {
            return Err(RequestError::NotListed);
        }
        self.set_name(who, name, now);
        Ok(())
    }

    /// A tab was hidden, or shown again.
    pub fn set_visible(
        &mut self,
        who: UserId,
        connection: ConnectionId,
        is_visible: bool,
        now: Moment,
    ) {
        self.people.set_visible(who, connection, is_visible, now);
        self.reconcile(who, now);
    }

    /// A person is no longer listed, because they said goodbye or were removed; their sockets go on watching.
    pub fn remove_row(&mut self, who: UserId, reason: DepartureReason, now: Moment) {
        self.people.remove_row(who);
        if self.roster.contains(&who) {
            self.record(Change::Departed { id: who, reason }, now);
        }
        self.reconcile(who, now);
    }

    /// Everybody is taken off the list; says how many they were.
    pub fn remove_all_rows(&mut self, now: Moment) -> usize {
        let everybody: Vec<_> = self.roster.users().map(|user| user.id).collect();
        for who in &everybody {
            self.remove_row(*who, DepartureReason::Removed, now);
        }
        everybody.len()
    }

    /// A socket is gone: cleanly ([`DepartureReason::Closed`]) or not ([`DepartureReason::Lost`]).
    pub fn disconnect(
        &mut self,
        who: UserId,
        connection: ConnectionId,
        reason: DepartureReason,
        now: Moment,
    ) {
        self.people.disconnect(who, connection, reason, now);
        self.reconcile(who, now);
    }

    /// The room's page is on its way to this person.
    pub fn note_page_load(&mut self, who: UserId, now: Moment) {
        self.people.note_page_load(who, now);
        self.reconcile(who, now);
    }

    /// When [`Room::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.people.next_deadline()
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Moment) {
        while let Some(who) = self.people.take_due(now) {
            self.reconcile(who, now);
        }
    }

    /// All that the next process needs to go on where this one stops.
    pub fn save(&self, now: Moment) -> SavedRoom {
        SavedRoom {
            seq: self.log.seq(),
            users: self.roster.users().cloned().collect(),
            people: self.people.save(now),
            changes: self.log.changes().cloned().collect(),
        }
    }

    /// The room as it was before a restart; every row is held for its owner to come back unseen.
    pub fn restore(
        saved: SavedRoom,
        limits: RoomLimits,
        now: Moment,
    ) -> Result<Self, InvalidSavedRoom> {
        let SavedRoom { seq, users, people, changes } = saved;
        let roster = Roster::from_users(users).map_err(|_| InvalidSavedRoom)?;
        // A row without anybody behind it would stay for ever.
        let behind: BTreeSet<UserId> = people
            .iter()
            .filter(|person| !person.tabs.is_empty())
            .map(|person| person.id)
            .collect();
        let listed: BTreeSet<UserId> = roster.users().map(|user| user.id).collect();
        if behind != listed {
            return Err(InvalidSavedRoom);
        }
        let log = Log::restore(seq, changes, now).ok_or(InvalidSavedRoom)?;
        let names_in_bytes = roster.users().map(|user| size_of_name(&user.name)).sum();
        Ok(Self { limits, roster, people: Members::restore(people, now), log, names_in_bytes })
    }

    /// Makes a person's row what it should be.
    fn reconcile(&mut self, who: UserId, now: Moment) {
        let state = self.roster.get(&who).map(|user| user.state);
        match (self.people.desired_state(who, state, now), state) {
            (DesiredState::Listed(after), Some(before)) if before != after => {
                self.record(Change::StateChanged { id: who, before, after }, now);
            }
            (DesiredState::Unlisted(reason), Some(_)) => {
                self.record(Change::Departed { id: who, reason }, now);
            }
            _ => {}
        }
        self.people.reconcile(who, now);
    }

    fn set_name(&mut self, who: UserId, after: Name, now: Moment) {
        let before = self.roster.get(&who).map(|user| user.name.clone());
        if let Some(before) = before
            && before != after
        {
            self.record(Change::Renamed { id: who, before, after }, now);
        }
    }

    fn record(&mut self, change: Change, now: Moment) {
        let id = change.id();
        let name_in_bytes =
            |room: &Self| room.roster.get(&id).map_or(0, |user| size_of_name(&user.name));
        let before = name_in_bytes(self);
        let applied = self.roster.apply(&change.as_difference());
        debug_assert_eq!(applied, Ok(()), "{change:?}");
        // What the list did not take did not happen: the log holds only what every replica can follow.
        if applied.is_ok() {
            self.names_in_bytes = self.names_in_bytes + name_in_bytes(self) - before;
            self.log.push(change, now);
        }
    }
}

/// What a name takes on the wire, together with what it looks like.
fn size_of_name(name: &Name) -> usize {
    const AROUND_A_LOOK: usize = 10;
    name.as_str().len() + name.skeleton().map_or(0, |look| look.len() + AROUND_A_LOOK)
}

#[cfg(test)]
mod tests;
