//! The ordered log of a room's changes, and the net difference of any range.

use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    time::Duration,
};

use app::presence::{DepartureReason, Difference, Name, PresenceState, Renamed, User, UserId};

use serde::{Deserialize, Serialize};

use super::{members::Moment, name_validation::with_skeleton, stored::milliseconds};

/// The last changes of a room. Each change moves `seq` by one.
///
/// The log is bounded: a client that is further behind gets the whole list.
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

/// A change of the log with its moment, to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedChange {
    #[serde(with = "milliseconds")]
    at: Moment,
    change: Change,
    /// That of a new name, which a change alone is stored without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    skeleton: Option<String>,
}

impl From<Logged> for LoggedChange {
    fn from(Logged { at, change }: Logged) -> Self {
        let skeleton = match &change {
            Change::Renamed { after, .. } => after.skeleton().map(str::to_owned),
            _ => None,
        };
        Self { at, change, skeleton }
    }
}

impl From<LoggedChange> for Logged {
    fn from(LoggedChange { at, change, skeleton }: LoggedChange) -> Self {
        let change = match change {
            Change::Renamed { id, before, after } => {
                Change::Renamed { id, before, after: after.with_skeleton(skeleton.as_deref()) }
            }
            other => other,
        };
        Self { at, change }
    }
}

/// The log is never cut below this many changes, unless all rooms of a server together remember too much.
pub const FEWEST_CHANGES: usize = 1_000;

/// Above [`FEWEST_CHANGES`] the log is cut to about this many bytes.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Above [`FEWEST_CHANGES`] older changes are dropped.
pub const RETENTION: Duration = Duration::from_mins(2);

/// One change of one row.
///
/// It has the old value as well, so that changes that cancel out leave no difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A row was added.
    Joined(User),
    /// A row was removed.
    Departed {
        /// The person of the row.
        id: UserId,
        /// The reason of the departure.
        reason: DepartureReason,
    },
    /// The name of a row was changed.
    Renamed {
        /// The person of the row.
        id: UserId,
        /// The old name.
        before: Name,
        /// The new name.
        after: Name,
    },
    /// The state of a row was changed.
    #[serde(rename = "stirred")]
    StateChanged {
        /// The person of the row.
        id: UserId,
        /// The old state.
        before: PresenceState,
        /// The new state.
        after: PresenceState,
    },
}

impl Log {
    /// The number of changes in this epoch.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Appends a change, and drops the oldest ones over the bounds.
    pub fn push(&mut self, change: Change, now: Moment) {
        self.bytes += change.size_in_bytes();
        self.changes.push_back(Logged { at: now, change });
        self.seq += 1;
        while self.changes.len() > FEWEST_CHANGES && self.is_over_bounds(now) {
            if let Some(dropped) = self.changes.pop_front() {
                self.bytes -= dropped.change.size_in_bytes();
            }
        }
    }

    /// At most so many of the last changes with their moments, the oldest first.
    pub fn last_changes(&self, most: usize) -> impl Iterator<Item = (Moment, &Change)> {
        let skipped = self.changes.len().saturating_sub(most);
        self.changes.range(skipped..).map(|logged| (logged.at, &logged.change))
    }

    /// Until when a client may resume from the last change; `None` without changes.
    pub fn resumable_until(&self) -> Option<Moment> {
        self.changes.back().map(|entry| entry.at + RETENTION)
    }

    /// About the size in memory.
    pub fn size_in_bytes(&self) -> usize {
        self.bytes
    }

    /// Drops the oldest changes until at most so many bytes are left, and frees their memory.
    pub fn trim(&mut self, most_bytes: usize) {
        while self.bytes > most_bytes
            && let Some(dropped) = self.changes.pop_front()
        {
            self.bytes -= dropped.change.size_in_bytes();
        }
        self.changes.shrink_to_fit();
    }

    fn is_over_bounds(&self, now: Moment) -> bool {
        let is_too_old = self.changes.front().is_some_and(|entry| entry.at + RETENTION < now);
        is_too_old || self.bytes > MOST_BYTES
    }

    /// A log that goes on after a restart, whose last change led to `seq`.
    ///
    /// `None` if there are more changes than `seq`.
    pub fn restore(seq: u64, changes: Vec<Change>, now: Moment) -> Option<Self> {
        let before = seq.checked_sub(u64::try_from(changes.len()).ok()?)?;
        let mut log = Self { seq: before, ..Self::default() };
        for change in changes {
            log.push(change.with_skeletons(), now);
        }
        Some(log)
    }

    /// The newest changes, at most about this many bytes of them, the oldest first.
    pub fn newest(&self, most_bytes: usize) -> Vec<LoggedChange> {
        let mut bytes = 0;
        let newest = self.changes.iter().rev().take_while(|entry| {
            bytes += entry.change.size_in_bytes();
            bytes <= most_bytes
        });
        let mut newest: Vec<LoggedChange> = newest.cloned().map(LoggedChange::from).collect();
        newest.reverse();
        newest
    }

    /// A log with these changes, whose last one led to `seq`. `None` if there are more changes than `seq`.
    pub fn from_newest(seq: u64, changes: Vec<LoggedChange>) -> Option<Self> {
        seq.checked_sub(u64::try_from(changes.len()).ok()?)?;
        let changes: VecDeque<Logged> = changes.into_iter().map(Logged::from).collect();
        let bytes = changes.iter().map(|entry| entry.change.size_in_bytes()).sum();
        Some(Self { seq, changes, bytes })
    }

    /// The changes in the log, the oldest first.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().map(|entry| &entry.change)
    }

    /// Whether the log has all changes since `seq`.
    pub fn covers(&self, seq: u64) -> bool {
        let behind = self.seq.checked_sub(seq).map(usize::try_from);
        matches!(behind, Some(Ok(behind)) if behind <= self.changes.len())
    }

    /// The changes after `seq`, the oldest first; `None` if the log does not reach back to it.
    pub fn changes_since(&self, seq: u64) -> Option<impl Iterator<Item = &Change>> {
        let behind = usize::try_from(self.seq.checked_sub(seq)?).ok()?;
        let start = self.changes.len().checked_sub(behind)?;
        Some(self.changes.range(start..).map(|logged| &logged.change))
    }

    /// The net difference of the changes after `from` and up to `to`.
    ///
    /// `None` if the log does not reach back to `from`, or has not reached `to` yet.
    pub fn difference(&self, from: u64, to: u64) -> Option<Difference> {
        if from > to || to > self.seq {
            return None;
        }
        let behind = usize::try_from(self.seq - from).ok()?;
        let ahead = usize::try_from(self.seq - to).ok()?;
        let start = self.changes.len().checked_sub(behind)?;
        let range = self.changes.range(start..self.changes.len() - ahead);
        Some(net(range.map(|entry| &entry.change)))
    }
}

impl Change {
    /// A saved new name has no skeleton, because it follows from the name.
    fn with_skeletons(self) -> Self {
        match self {
            Self::Renamed { id, before, after } => {
                Self::Renamed { id, before, after: with_skeleton(after) }
            }
            other => other,
        }
    }

    /// The difference that this change alone makes.
    pub fn as_difference(&self) -> Difference {
        net([self])
    }

    /// The person of the row.
    pub fn id(&self) -> UserId {
        match self {
            Self::Joined(user) => user.id,
            Self::Departed { id, .. }
            | Self::Renamed { id, .. }
            | Self::StateChanged { id, .. } => *id,
        }
    }

    /// About the size in memory.
    fn size_in_bytes(&self) -> usize {
        let text = match self {
            Self::Joined(user) => user.name.as_str().len(),
            Self::Renamed { before, after, .. } => before.as_str().len() + after.as_str().len(),
            Self::Departed { .. } | Self::StateChanged { .. } => 0,
        };
        size_of::<Self>() + text
    }
}

/// The net of a range of changes for one person's row.
enum NetChange {
    /// Listed before and after, perhaps changed.
    Kept { name: Option<(Name, Name)>, state: Option<(PresenceState, PresenceState)> },
    /// Listed before and not after.
    Removed(DepartureReason),
    /// Listed before and after, and removed in between.
    Replaced { reason: DepartureReason, position: usize, user: User },
    /// Not listed before, and listed after.
    Added { position: usize, user: User },
    /// Listed neither before nor after.
    Absent,
}

impl NetChange {
    fn begin(position: usize, change: &Change) -> Self {
        match change {
            Change::Joined(user) => Self::Added { position, user: user.clone() },
            Change::Departed { reason, .. } => Self::Removed(*reason),
            Change::Renamed { before, after, .. } => {
                Self::Kept { name: Some((before.clone(), after.clone())), state: None }
            }
            Change::StateChanged { before, after, .. } => {
                Self::Kept { name: None, state: Some((*before, *after)) }
            }
        }
    }

    fn fold(self, position: usize, change: &Change) -> Self {
        match (self, change) {
            (Self::Kept { .. }, Change::Departed { reason, .. }) => Self::Removed(*reason),
            (Self::Kept { name, state }, Change::Renamed { before, after, .. }) => {
                let original = name.map_or_else(|| before.clone(), |(original, _)| original);
                Self::Kept { name: Some((original, after.clone())), state }
            }
            (Self::Kept { name, state }, Change::StateChanged { before, after, .. }) => {
                let original = state.map_or(*before, |(original, _)| original);
                Self::Kept { name, state: Some((original, *after)) }
            }
            (Self::Removed(reason), Change::Joined(user)) => {
                Self::Replaced { reason, position, user: user.clone() }
            }
            (Self::Absent, Change::Joined(user)) => Self::Added { position, user: user.clone() },
            (Self::Replaced { reason, .. }, Change::Departed { .. }) => Self::Removed(reason),
            (Self::Added { .. }, Change::Departed { .. }) => Self::Absent,
            (Self::Replaced { reason, position, user }, _) => {
                Self::Replaced { reason, position, user: with_change(user, change) }
            }
            (Self::Added { position, user }, _) => {
                Self::Added { position, user: with_change(user, change) }
            }
            // The room never adds a row that is listed or changes one that is not. If it did, the row
            // would stay as it was.
            (unchanged, _) => unchanged,
        }
    }
}

fn with_change(mut user: User, change: &Change) -> User {
    match change {
        Change::Renamed { after, .. } => user.name = after.clone(),
        Change::StateChanged { after, .. } => user.state = *after,
        Change::Joined(_) | Change::Departed { .. } => {}
    }
    user
}

fn net<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Difference {
    let mut net_changes: BTreeMap<UserId, NetChange> = BTreeMap::new();
    for (position, change) in changes.into_iter().enumerate() {
        match net_changes.entry(change.id()) {
            Entry::Vacant(vacant) => {
                vacant.insert(NetChange::begin(position, change));
            }
            Entry::Occupied(mut occupied) => {
                let net_change = std::mem::replace(occupied.get_mut(), NetChange::Absent);
                occupied.insert(net_change.fold(position, change));
            }
        }
    }
    let mut difference = Difference::default();
    let mut added: BTreeMap<usize, User> = BTreeMap::new();
    for (id, net_change) in net_changes {
        match net_change {
            NetChange::Absent => {}
            NetChange::Removed(reason) => difference.disconnect_user.group_mut(reason).push(id),
            NetChange::Added { position, user } => {
                added.insert(position, user);
            }
            NetChange::Replaced { reason, position, user } => {
                difference.disconnect_user.group_mut(reason).push(id);
                added.insert(position, user);
            }
            NetChange::Kept { name, state } => {
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
    difference.new_user = added.into_values().collect();
    difference
}

#[cfg(test)]
mod tests;
