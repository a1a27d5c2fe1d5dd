//! The content of a row.

use crate::{
    presence::{PresenceState, User},
    text::{format::clock_time, texts::Text},
};

/// The content of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The person.
    pub(crate) user: User,
    /// Their place among those with the same name, or one that looks like it; none for the first.
    pub(crate) namesake: Option<usize>,
    /// The row's number and the number of rows, where not all of them are in the page.
    pub(crate) place: Option<(usize, usize)>,
    /// When they came, or their state, as text.
    pub(crate) since: String,
}

/// When a person who is here came; the state of others.
pub(crate) fn since(user: &User) -> String {
    match user.state {
        PresenceState::Here => clock_time(user.joined),
        PresenceState::Away => Text::Away.get().into(),
        PresenceState::Reconnecting => Text::Reconnecting.get().into(),
    }
}
