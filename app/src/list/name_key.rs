//! What names are compared by.

use super::text_folding::to_lower_case;
use crate::presence::Name;

/// What a name shares with those that are the same or look the same: hashes, so that two that share one
/// by accident only get a needless mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameKey {
    own: u64,
    /// Of what it looks like, where that is something else: the server knows that, and says so.
    look: Option<u64>,
}

impl NameKey {
    /// The likeness of this name.
    pub(crate) fn of(name: &Name) -> Self {
        let own = folded_hash(name.as_str());
        Self { own, look: name.skeleton().map(folded_hash).filter(|look| *look != own) }
    }

    pub(crate) fn hashes(self) -> impl Iterator<Item = u64> {
        [Some(self.own), self.look].into_iter().flatten()
    }
}

/// 64-bit FNV-1a over the letters of a name in lower case.
fn folded_hash(name: &str) -> u64 {
    let letters = name.chars().map(to_lower_case);
    letters.fold(0xcbf2_9ce4_8422_2325, |hash, letter| {
        (hash ^ u64::from(letter)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
