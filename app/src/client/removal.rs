//! Why somebody is not in the list who was, as all pages of a browser know it.

use crate::presence::{DepartureReason, Name, Since, UserId};

/// What became of a row that somebody took off the list.
///
/// While it [holds](Absence::holds), none of the person's pages lists them by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovalNote {
    /// They left, on one of their pages: only a visitor who joins takes that back.
    Left,
    /// The operator removed them. A page may hear of it late, even after the list began anew: one
    /// that knows a later row of theirs says that they joined again since.
    Removed(RowEnd),
    /// They were removed, and joined again since: to hear late of that removal is no news.
    Superseded(RowEnd),
}

/// Which row of a person came to its end, and where the list was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowEnd {
    /// When they had joined, in whole seconds since the Unix epoch.
    pub joined: u64,
    /// The first point of the list without it.
    pub at: Since,
}

const REMOVED: &str = "removed ";
const SUPERSEDED: &str = "back ";

impl RemovalNote {
    /// Whether it keeps the person off the list still.
    pub fn is_in_effect(&self) -> bool {
        !matches!(self, Self::Superseded(_))
    }

    /// What is left of it once they want to be listed again.
    pub fn superseded(self) -> Option<Self> {
        match self {
            Self::Left => None,
            Self::Removed(end) | Self::Superseded(end) => Some(Self::Superseded(end)),
        }
    }

    /// Whether a removal, with this end, is news to those who know of this `removal`.
    pub fn supersedes(end: &RowEnd, removal: Option<&Self>) -> bool {
        match removal {
            None => true,
            Some(Self::Left | Self::Removed(_)) => false,
            Some(Self::Superseded(known)) => end.is_after(known),
        }
    }

    /// As the browser keeps it: `left`, `removed JOINED EPOCH.SEQ` or `back JOINED EPOCH.SEQ`.
    pub fn to_text(&self) -> String {
        let (kind, end) = match self {
            Self::Left => return "left".to_owned(),
            Self::Removed(end) => (REMOVED, end),
            Self::Superseded(end) => (SUPERSEDED, end),
        };
        [kind, &end.joined.to_string(), " ", &end.at.to_string()].concat()
    }

    /// What the browser has kept. Whatever can't be read was kept for somebody who left.
    pub fn from_text(text: &str) -> Self {
        let end_after = |kind| RowEnd::from_text(text.strip_prefix(kind)?);
        let removed = || end_after(REMOVED).map(Self::Removed);
        let superseded = || end_after(SUPERSEDED).map(Self::Superseded);
        removed().or_else(superseded).unwrap_or(Self::Left)
    }
}

impl RowEnd {
    /// Two lives of a list can't be compared: of those, any is after any other.
    fn is_after(&self, other: &Self) -> bool {
        let is_later = self.at.epoch != other.at.epoch || self.at.seq > other.at.seq;
        self.joined > other.joined || self.joined == other.joined && is_later
    }

    fn from_text(text: &str) -> Option<Self> {
        let (joined, at) = text.split_once(' ')?;
        Some(Self { joined: joined.parse().ok()?, at: Since::from_text(at)? })
    }
}

/// Someone who went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departed {
    /// Who.
    pub id: UserId,
    /// What they were called.
    pub name: Name,
    /// Why, where that was heard.
    pub reason: Option<DepartureReason>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end(joined: u64, epoch: &str, seq: u64) -> RowEnd {
        RowEnd { joined, at: Since { epoch: epoch.parse().unwrap(), seq } }
    }

    /// The operator removed them, they joined again, and a page of theirs that slept hears of the first.
    #[test]
    fn a_removal_that_was_superseded_is_no_news() {
        let known = RemovalNote::Removed(end(100, "e1", 41)).superseded();
        assert_eq!(known, Some(RemovalNote::Superseded(end(100, "e1", 41))));
        for (heard, is_news) in [
            (end(100, "e1", 41), false),
            (end(99, "e2", 90), false),
            // They were removed again; it may be the same row, of a server that had forgotten.
            (end(100, "e1", 42), true),
            (end(100, "e2", 3), true),
            (end(101, "e1", 50), true),
        ] {
            assert_eq!(RemovalNote::supersedes(&heard, known.as_ref()), is_news, "{heard:?}");
        }
        assert_eq!(RemovalNote::Left.superseded(), None);
    }

    #[test]
    fn only_what_was_superseded_holds_no_longer() {
        let heard = end(100, "e1", 41);
        assert!(RemovalNote::supersedes(&heard, None));
        for removal in [RemovalNote::Left, RemovalNote::Removed(heard.clone())] {
            assert!(removal.is_in_effect());
            assert!(!RemovalNote::supersedes(&heard, Some(&removal)), "{removal:?}");
        }
        assert!(!RemovalNote::Superseded(heard).is_in_effect());
    }

    proptest! {
        #[test]
        fn it_is_read_as_it_was_kept(joined: u64, epoch in "[A-Za-z0-9_-]{1,32}", seq: u64) {
            let end = end(joined, &epoch, seq);
            for removal in [RemovalNote::Left, RemovalNote::Removed(end.clone()), RemovalNote::Superseded(end)] {
                prop_assert_eq!(RemovalNote::from_text(&removal.to_text()), removal);
            }
        }

        #[test]
        fn what_is_nothing_else_was_a_leave(
            text in "[0-9.]{0,9}|(removed|back) [a-z1 ]{0,5}|(removed|back) 1 a.-1|left",
        ) {
            prop_assert_eq!(RemovalNote::from_text(&text), RemovalNote::Left);
        }
    }
}
