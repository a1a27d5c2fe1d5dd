//! The ordered log of a room's changes, and the net of any stretch of it.

use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    time::Duration,
};

use app::presence::{DepartureReason, Difference, Name, PresenceState, Renamed, User, UserId};

use serde::{Deserialize, Serialize};

use super::{members::Moment, name_validation::with_skeleton};

/// The last changes of a room; each moved its count, `seq`, by one.
///
/// It is bounded: who asks for more than it holds takes the whole list instead.
#[derive(Clone, Debug, Default)]
pub struct Log {
    seq: u64,
    changes: VecDeque<Logged>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Logged {
    at: Moment,
    change: Change,
}

/// The log is never cut below this many changes.
pub const FEWEST_CHANGES: usize = 1_000;

/// Above [`FEWEST_CHANGES`] the log is cut to about this many bytes.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Above [`FEWEST_CHANGES`] what is older than this is forgotten.
pub const RETENTION: Duration = Duration::from_mins(2);

/// One change of one row.
///
/// A change carries what was there before, so that a stretch of changes can say "nothing after all".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A row came.
    Joined(User),
    /// A row went.
    Departed {
        /// Whose.
        id: UserId,
        /// Why.
        reason: DepartureReason,
    },
    /// A row got a new name.
    Renamed {
        /// Whose.
        id: UserId,
        /// The name until now.
        before: Name,
        /// The name from now on.
        after: Name,
    },
    /// A row got a new state.
    #[serde(rename = "stirred")]
    StateChanged {
        /// Whose.
        id: UserId,
        /// The state until now.
        before: PresenceState,
        /// The state from now on.
        after: PresenceState,
    },
}

impl Log {
    /// The number of changes so far.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Appends a change that happened `now`, and forgets the oldest ones over the bounds.
    pub fn push(&mut self, change: Change, now: Moment) {
        self.bytes += change.size_in_bytes();
        self.changes.push_back(Logged { at: now, change });
        self.seq += 1;
        while self.changes.len() > FEWEST_CHANGES && self.has_too_old_or_too_much(now) {
            if let Some(forgotten) = self.changes.pop_front() {
                self.bytes -= forgotten.change.size_in_bytes();
            }
        }
    }

    /// Until when a client may come back to what the log last said.
    pub fn resumable_until(&self) -> Option<Moment> {
        self.changes.back().map(|entry| entry.at + RETENTION)
    }

    fn has_too_old_or_too_much(&self, now: Moment) -> bool {
        let is_too_old = self.changes.front().is_some_and(|entry| entry.at + RETENTION < now);
        is_too_old || self.bytes > MOST_BYTES
    }

    /// A log that goes on after a restart: the last of these changes moved the count to `seq`.
    ///
    /// None if there were never so many.
    pub fn restore(seq: u64, changes: Vec<Change>, now: Moment) -> Option<Self> {
        let before = seq.checked_sub(u64::try_from(changes.len()).ok()?)?;
        let mut log = Self { seq: before, ..Self::default() };
        for change in changes {
            log.push(change.with_looks(), now);
        }
        Some(log)
    }

    /// The changes that it holds, the oldest first.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().map(|entry| &entry.change)
    }

    /// Whether a list at `seq` can be brought forward.
    pub fn covers(&self, seq: u64) -> bool {
        let behind = self.seq.checked_sub(seq).map(usize::try_from);
        matches!(behind, Some(Ok(behind)) if behind <= self.changes.len())
    }

    /// The net of what happened after `from` and up to `to`.
    ///
    /// None when the log does not reach back to `from`, or never gave one of the two numbers.
    pub fn difference(&self, from: u64, to: u64) -> Option<Difference> {
        if from > to || to > self.seq {
            return None;
        }
        let behind = usize::try_from(self.seq - from).ok()?;
        let ahead = usize::try_from(self.seq - to).ok()?;
        let start = self.changes.len().checked_sub(behind)?;
        let stretch = self.changes.range(start..self.changes.len() - ahead);
        Some(net(stretch.map(|entry| &entry.change)))
    }
}

impl Change {
    /// What names look like is not kept over a restart where it follows from them.
    fn with_looks(self) -> Self {
        match self {
            Self::Renamed { id, before, after } => {
                Self::Renamed { id, before, after: with_skeleton(after) }
            }
            other => other,
        }
    }

    /// The same as a difference that spans this one change.
    pub fn as_difference(&self) -> Difference {
        net([self])
    }

    /// Whose row it is.
    pub fn id(&self) -> UserId {
        match self {
            Self::Joined(user) => user.id,
            Self::Departed { id, .. }
            | Self::Renamed { id, .. }
            | Self::StateChanged { id, .. } => *id,
        }
    }

    /// About what it takes in memory.
    fn size_in_bytes(&self) -> usize {
        let text = match self {
            Self::Joined(user) => user.name.as_str().len(),
            Self::Renamed { before, after, .. } => before.as_str().len() + after.as_str().len(),
            Self::Departed { .. } | Self::StateChanged { .. } => 0,
        };
        size_of::<Self>() + text
    }
}

/// What a stretch of changes did to one person's row.
enum NetChange {
    /// Was there before and still is, perhaps altered.
    Stays { name: Option<(Name, Name)>, state: Option<(PresenceState, PresenceState)> },
    /// Was there before and is gone.
    Gone(DepartureReason),
    /// Was there before, went, and came again.
    Returned { reason: DepartureReason, arrival: usize, user: User },
    /// Was not there before, and came.
    Came { arrival: usize, user: User },
    /// Was not there before, came and went.
    Passed,
}

impl NetChange {
    fn begin(arrival: usize, change: &Change) -> Self {
        match change {
            Change::Joined(user) => Self::Came { arrival, user: user.clone() },
            Change::Departed { reason, .. } => Self::Gone(*reason),
            Change::Renamed { before, after, .. } => {
                Self::Stays { name: Some((before.clone(), after.clone())), state: None }
            }
            Change::StateChanged { before, after, .. } => {
                Self::Stays { name: None, state: Some((*before, *after)) }
            }
        }
    }

    fn fold(self, arrival: usize, change: &Change) -> Self {
        match (self, change) {
            (Self::Stays { .. }, Change::Departed { reason, .. }) => Self::Gone(*reason),
            (Self::Stays { name, state }, Change::Renamed { before, after, .. }) => {
                let original = name.map_or_else(|| before.clone(), |(original, _)| original);
                Self::Stays { name: Some((original, after.clone())), state }
            }
            (Self::Stays { name, state }, Change::StateChanged { before, after, .. }) => {
                let original = state.map_or(*before, |(original, _)| original);
                Self::Stays { name, state: Some((original, *after)) }
            }
            (Self::Gone(reason), Change::Joined(user)) => {
                Self::Returned { reason, arrival, user: user.clone() }
            }
            (Self::Passed, Change::Joined(user)) => Self::Came { arrival, user: user.clone() },
            (Self::Returned { reason, .. }, Change::Departed { .. }) => Self::Gone(reason),
            (Self::Came { .. }, Change::Departed { .. }) => Self::Passed,
            (Self::Returned { reason, arrival, user }, _) => {
                Self::Returned { reason, arrival, user: altered(user, change) }
            }
            (Self::Came { arrival, user }, _) => {
                Self::Came { arrival, user: altered(user, change) }
            }
            // A row that is there does not come, and one that is not does not change:
            // the room records no such change, and if it did, this row would stay as it was.
            (unchanged, _) => unchanged,
        }
    }
}

fn altered(mut user: User, change: &Change) -> User {
    match change {
        Change::Renamed { after, .. } => user.name = after.clone(),
        Change::StateChanged { after, .. } => user.state = *after,
        Change::Joined(_) | Change::Departed { .. } => {}
    }
    user
}

fn net<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Difference {
    let mut fates: BTreeMap<UserId, NetChange> = BTreeMap::new();
    for (arrival, change) in changes.into_iter().enumerate() {
        match fates.entry(change.id()) {
            Entry::Vacant(vacant) => {
                vacant.insert(NetChange::begin(arrival, change));
            }
            Entry::Occupied(mut occupied) => {
                let fate = std::mem::replace(occupied.get_mut(), NetChange::Passed);
                occupied.insert(fate.fold(arrival, change));
            }
        }
    }
    let mut difference = Difference::default();
    let mut arrivals: BTreeMap<usize, User> = BTreeMap::new();
    for (id, fate) in fates {
        match fate {
            NetChange::Passed => {}
            NetChange::Gone(reason) => difference.disconnect_user.group_mut(reason).push(id),
            NetChange::Came { arrival, user } => {
                arrivals.insert(arrival, user);
            }
            NetChange::Returned { reason, arrival, user } => {
                difference.disconnect_user.group_mut(reason).push(id);
                arrivals.insert(arrival, user);
            }
            NetChange::Stays { name, state } => {
                if let Some((before, after)) = name
                    && before != after
                {
                    difference.user_changed.renamed.push(Renamed { id, name: after });
                }
                if let Some((before, after)) = state
                    && before != after
                {
                    difference.user_changed.state_mut(after).push(id);
                }
            }
        }
    }
    difference.new_user = arrivals.into_values().collect();
    difference
}

#[cfg(test)]
mod tests;
