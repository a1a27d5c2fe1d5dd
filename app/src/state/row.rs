//! The content of a row.

use crate::{
    presence::{PresenceState, User},
    text::{elapsed::Elapsed, strings},
};

/// The content of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The person.
    pub(crate) user: User,
    /// Another person has the same name, or one that looks like it.
    pub(crate) has_lookalike: bool,
    /// The row's number and the number of rows, where not all of them are in the page.
    pub(crate) place: Option<(usize, usize)>,
    /// How long they have been here, or their state, as text.
    pub(crate) since: String,
}

/// How long a person has been here at `now`, in milliseconds on the server's clock, or their state.
pub(crate) fn since(user: &User, now: u64) -> String {
    match user.state {
        PresenceState::Here => strings::here_for(Elapsed::between(user.joined, now / 1_000)),
        PresenceState::Away => strings::AWAY.into(),
        PresenceState::Reconnecting => strings::RECONNECTING.into(),
    }
}
