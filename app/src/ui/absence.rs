//! Why somebody is not in the list who was, as all pages of a browser know it.

use crate::presence::Since;

/// Why none of a person's pages is to list them by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// They left, on one of their pages: only a visitor who joins takes that back.
    Left,
    /// The operator removed them. A page may hear of it late, even after the list began anew: one
    /// that knows a later row of theirs says that they joined again since.
    Removed(EndOfRow),
}

/// Which row of a person came to its end, and where the list was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndOfRow {
    /// When they had joined, in whole seconds since the Unix epoch.
    pub joined: u64,
    /// The first point of the list without it.
    pub at: Since,
}

const REMOVED: &str = "removed ";

impl Absence {
    /// As the browser keeps it: `left`, or `removed JOINED EPOCH.SEQ`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Left => "left".to_owned(),
            Self::Removed(EndOfRow { joined, at }) => {
                [REMOVED, &joined.to_string(), " ", &at.to_string()].concat()
            }
        }
    }

    /// What the browser has kept. Whatever can't be read was kept for somebody who left.
    pub fn from_text(text: &str) -> Self {
        let end = text.strip_prefix(REMOVED).and_then(|end| {
            let (joined, at) = end.split_once(' ')?;
            Some(EndOfRow { joined: joined.parse().ok()?, at: Since::from_text(at)? })
        });
        end.map_or(Self::Left, Self::Removed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_read_as_it_was_kept(joined: u64, epoch in "[A-Za-z0-9_-]{1,32}", seq: u64) {
            let at = Since { epoch: epoch.parse().unwrap(), seq };
            for absence in [Absence::Left, Absence::Removed(EndOfRow { joined, at })] {
                prop_assert_eq!(Absence::from_text(&absence.to_text()), absence);
            }
        }

        #[test]
        fn what_is_no_removal_was_a_leave(text in "[0-9.]{0,9}|removed [a-z1 ]{0,5}|removed 1 a.-1|left") {
            prop_assert_eq!(Absence::from_text(&text), Absence::Left);
        }
    }
}
