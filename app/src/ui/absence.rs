//! Why somebody is not in the list who was, as all pages of a browser know it.

/// Why none of a person's pages is to list them by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// They left, on one of their pages: only a visitor who joins takes that back.
    Left,
    /// The operator removed them. A page may hear of it late, even after the list began anew: one
    /// that knows a younger row of theirs says that they joined again since.
    Removed {
        /// When the row that was removed had joined, in seconds since the Unix epoch.
        joined: u64,
    },
}

impl Absence {
    /// As the browser keeps it: `left`, or `removed` and when the row had joined.
    pub fn to_text(&self) -> String {
        match self {
            Self::Left => "left".to_owned(),
            Self::Removed { joined } => [REMOVED, &joined.to_string()].concat(),
        }
    }

    /// What the browser has kept. Whatever can't be read was kept for somebody who left.
    pub fn from_text(text: &str) -> Self {
        let joined = text.strip_prefix(REMOVED).and_then(|joined| joined.parse().ok());
        joined.map_or(Self::Left, |joined| Self::Removed { joined })
    }
}

const REMOVED: &str = "removed ";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_read_as_it_was_kept(joined: u64) {
            for absence in [Absence::Left, Absence::Removed { joined }] {
                prop_assert_eq!(Absence::from_text(&absence.to_text()), absence);
            }
        }

        #[test]
        fn what_is_no_removal_was_a_leave(text in "[0-9.]{0,9}|removed [a-z]{0,3}|removed -1|left") {
            prop_assert_eq!(Absence::from_text(&text), Absence::Left);
        }
    }
}
