//! Why somebody is not in the list who was, as all pages of a browser know it.

use crate::presence::Since;

/// Why none of a person's pages is to list them by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// They left, on one of their pages: only a visitor who joins takes that back.
    Left,
    /// The operator removed them, and this is where the list was then. A page may hear of it late:
    /// a later list that holds them says that they joined again since.
    Removed(Since),
}

impl Absence {
    /// As the browser keeps it: `1`, or `EPOCH.SEQ`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Left => "1".to_owned(),
            Self::Removed(Since { epoch, seq }) => [epoch.as_str(), ".", &seq.to_string()].concat(),
        }
    }

    /// What the browser has kept. Whatever can't be read was kept for somebody who left.
    pub fn from_text(text: &str) -> Self {
        let point = text.split_once('.').and_then(|(epoch, seq)| {
            Some(Since { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? })
        });
        point.map_or(Self::Left, Self::Removed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_read_as_it_was_kept(epoch in "[A-Za-z0-9_-]{1,32}", seq: u64) {
            for absence in [Absence::Left, Absence::Removed(Since { epoch: epoch.parse().unwrap(), seq })] {
                prop_assert_eq!(Absence::from_text(&absence.to_text()), absence);
            }
        }

        #[test]
        fn what_is_no_point_was_a_leave(text in "[^.]{0,9}|\\.|a\\.|\\.1|a\\.-1|a b\\.1") {
            prop_assert_eq!(Absence::from_text(&text), Absence::Left);
        }
    }
}
