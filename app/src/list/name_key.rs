//! The key by which names are compared for equality and likeness.

use super::text_folding::to_lower_case;
use crate::presence::{Name, fnv1a};

/// The hashes that a name shares with names that are the same or look the same. A collision only causes a
/// needless mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameKey {
    own: u64,
    /// The hash of its skeleton, which the server computes, where that differs.
    skeleton: Option<u64>,
}

impl NameKey {
    /// The key of this name.
    pub(crate) fn of(name: &Name) -> Self {
        let own = folded_hash(name.as_str());
        let skeleton = name.skeleton().map(folded_hash).filter(|skeleton| *skeleton != own);
        Self { own, skeleton }
    }

    /// Whether this is one of its hashes.
    pub(crate) fn has(self, hash: u64) -> bool {
        self.hashes().any(|own| own == hash)
    }

    pub(crate) fn hashes(self) -> impl Iterator<Item = u64> {
        [Some(self.own), self.skeleton].into_iter().flatten()
    }
}

/// The hash of a name in lower case, with one step for each letter.
fn folded_hash(name: &str) -> u64 {
    fnv1a(name.chars().map(to_lower_case).map(u64::from))
}
