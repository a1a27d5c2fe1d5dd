//! Who was removed on purpose lately, so that an older socket does not list them again.
//!
//! A server that was cut off tells the room again of its sockets. A person who left or was removed meanwhile
//! through another server stays removed.

use std::collections::{BTreeMap, BTreeSet};

use app::presence::UserId;
use serde::{Deserialize, Serialize};

use super::{
    members::Moment,
    servers::MEMORY,
    stored::{milliseconds, some_milliseconds},
};

/// Who was removed on purpose lately. Moments are those of the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub(super) struct Removals {
    people: BTreeMap<UserId, Moment>,
    /// The same, the oldest first.
    oldest: BTreeSet<(Moment, UserId)>,
    /// When all rows were removed last.
    cleared_at: Option<Moment>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    people: BTreeMap<UserId, Removal>,
    #[serde(with = "some_milliseconds")]
    cleared_at: Option<Moment>,
}

#[derive(Serialize, Deserialize)]
struct Removal(#[serde(with = "milliseconds")] Moment);

impl Removals {
    /// A person was removed.
    pub(super) fn note(&mut self, user_id: UserId, at: Moment) {
        if let Some(before) = self.people.insert(user_id, at) {
            self.oldest.remove(&(before, user_id));
        }
        self.oldest.insert((at, user_id));
    }

    /// All rows were removed. One moment stands for all people, listed or not.
    pub(super) fn note_all(&mut self, at: Moment) {
        *self = Self { cleared_at: Some(at), ..Self::default() };
    }

    /// Whether a person who asked to be listed at this moment was removed since. A removal in the same
    /// millisecond counts, because whoever is removed has to stay so.
    pub(super) fn is_removed_since(&self, user_id: UserId, announced_at: Moment) -> bool {
        let removed_at = self.people.get(&user_id).copied();
        removed_at.max(self.cleared_at).is_some_and(|at| announced_at <= at)
    }

    /// Forgets what was long ago.
    pub(super) fn forget(&mut self, now: Moment) {
        self.cleared_at = self.cleared_at.filter(|at| now < *at + MEMORY);
        while let Some((at, user_id)) = self.oldest.first().copied()
            && at + MEMORY <= now
        {
            self.oldest.pop_first();
            self.people.remove(&user_id);
        }
    }
}

impl From<Written> for Removals {
    fn from(Written { people, cleared_at }: Written) -> Self {
        let mut removals = Self { cleared_at, ..Self::default() };
        for (user_id, Removal(at)) in people {
            removals.note(user_id, at);
        }
        removals
    }
}

impl From<Removals> for Written {
    fn from(Removals { people, cleared_at, .. }: Removals) -> Self {
        let people = people.into_iter().map(|(user_id, at)| (user_id, Removal(at)));
        Self { people: people.collect(), cleared_at }
    }
}
