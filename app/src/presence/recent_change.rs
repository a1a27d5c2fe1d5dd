//! What happened in a room, as a person would tell it.

use super::{DepartureReason, Name};

/// A change of a list that a person would tell others: states come and go too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecentChange {
    /// A person joined.
    Joined(Name),
    /// A person left the list, for this reason.
    Departed(Name, DepartureReason),
    /// A person changed their name.
    Renamed {
        /// The old name.
        before: Name,
        /// The new name.
        after: Name,
    },
}
