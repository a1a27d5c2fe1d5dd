//! Why a person was taken off the list, as all tabs of their browser share it.

use crate::presence::{DepartureReason, Name, Since, UserId};

/// A note that this person left or was removed.
///
/// While it is [in effect](RemovalNote::is_in_effect), none of their tabs joins again by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovalNote {
    /// They left, in one of their tabs; only joining again ends it.
    Left,
    /// The operator removed them. A tab may learn of it late, even in a list with a new epoch: a tab
    /// that knows a later row of theirs marks the note as superseded.
    Removed(RowEnd),
    /// They were removed and have joined again since: learning of that removal late has no effect.
    Superseded(RowEnd),
}

/// Which row of a person ended, and where the list was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowEnd {
    /// When the row was added, in whole seconds since the Unix epoch.
    pub joined: u64,
    /// The first position of the list without the row.
    pub at: Since,
}

const REMOVED: &str = "removed ";
const SUPERSEDED: &str = "back ";

impl RemovalNote {
    /// Whether it still keeps this person's tabs from joining.
    pub fn is_in_effect(&self) -> bool {
        !matches!(self, Self::Superseded(_))
    }

    /// What remains of the note once this person joins again.
    pub fn superseded(self) -> Option<Self> {
        match self {
            Self::Left => None,
            Self::Removed(end) | Self::Superseded(end) => Some(Self::Superseded(end)),
        }
    }

    /// Whether a removal with this end is newer than the known note.
    pub fn supersedes(end: &RowEnd, known: Option<&Self>) -> bool {
        match known {
            None => true,
            Some(Self::Left | Self::Removed(_)) => false,
            Some(Self::Superseded(earlier)) => end.is_after(earlier),
        }
    }

    /// The stored form: `left`, `removed JOINED EPOCH.SEQ` or `back JOINED EPOCH.SEQ`.
    pub fn to_text(&self) -> String {
        let (kind, end) = match self {
            Self::Left => return "left".to_owned(),
            Self::Removed(end) => (REMOVED, end),
            Self::Superseded(end) => (SUPERSEDED, end),
        };
        [kind, &end.joined.to_string(), " ", &end.at.to_string()].concat()
    }

    /// Reads the stored form. Unknown text counts as [`RemovalNote::Left`], which keeps the person off the list.
    pub fn from_text(text: &str) -> Self {
        let end_after = |kind| RowEnd::from_text(text.strip_prefix(kind)?);
        let removed = || end_after(REMOVED).map(Self::Removed);
        let superseded = || end_after(SUPERSEDED).map(Self::Superseded);
        removed().or_else(superseded).unwrap_or(Self::Left)
    }
}

impl RowEnd {
    /// Positions of different epochs can't be compared: any end counts as after one of another epoch.
    fn is_after(&self, other: &Self) -> bool {
        let is_later = self.at.epoch != other.at.epoch || self.at.seq > other.at.seq;
        self.joined > other.joined || self.joined == other.joined && is_later
    }

    fn from_text(text: &str) -> Option<Self> {
        let (joined, at) = text.split_once(' ')?;
        Some(Self { joined: joined.parse().ok()?, at: Since::from_text(at)? })
    }
}

/// A person whose row was removed from the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departed {
    /// The id of their row.
    pub id: UserId,
    /// Their last name on the list.
    pub name: Name,
    /// Why the row was removed, if the server said so.
    pub reason: Option<DepartureReason>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end(joined: u64, epoch: &str, seq: u64) -> RowEnd {
        RowEnd { joined, at: Since { epoch: epoch.parse().unwrap(), seq } }
    }

    /// The operator removed them, they joined again, and a frozen tab then learns of the first removal.
    #[test]
    fn a_superseded_removal_has_no_effect() {
        let known = RemovalNote::Removed(end(100, "e1", 41)).superseded();
        assert_eq!(known, Some(RemovalNote::Superseded(end(100, "e1", 41))));
        for (end, is_newer) in [
            (end(100, "e1", 41), false),
            (end(99, "e2", 90), false),
            // They were removed again; the row may look the same where the server lost its state.
            (end(100, "e1", 42), true),
            (end(100, "e2", 3), true),
            (end(101, "e1", 50), true),
        ] {
            assert_eq!(RemovalNote::supersedes(&end, known.as_ref()), is_newer, "{end:?}");
        }
        assert_eq!(RemovalNote::Left.superseded(), None);
    }

    #[test]
    fn only_a_superseded_note_is_not_in_effect() {
        let end_of_row = end(100, "e1", 41);
        assert!(RemovalNote::supersedes(&end_of_row, None));
        for removal in [RemovalNote::Left, RemovalNote::Removed(end_of_row.clone())] {
            assert!(removal.is_in_effect());
            assert!(!RemovalNote::supersedes(&end_of_row, Some(&removal)), "{removal:?}");
        }
        assert!(!RemovalNote::Superseded(end_of_row).is_in_effect());
    }

    proptest! {
        #[test]
        fn a_note_is_read_as_it_was_stored(joined: u64, epoch in "[A-Za-z0-9_-]{1,32}", seq: u64) {
            let end = end(joined, &epoch, seq);
            for removal in [RemovalNote::Left, RemovalNote::Removed(end.clone()), RemovalNote::Superseded(end)] {
                prop_assert_eq!(RemovalNote::from_text(&removal.to_text()), removal);
            }
        }

        #[test]
        fn unknown_text_counts_as_a_leave(
            text in "[0-9.]{0,9}|(removed|back) [a-z1 ]{0,5}|(removed|back) 1 a.-1|left",
        ) {
            prop_assert_eq!(RemovalNote::from_text(&text), RemovalNote::Left);
        }
    }
}
