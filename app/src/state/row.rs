//! What a row shows.

use crate::{
    presence::{PresenceState, User},
    text::{elapsed::Elapsed, strings},
};

/// What a row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Who.
    pub(crate) user: User,
    /// Somebody else has the same name.
    pub(crate) has_lookalike: bool,
    /// Which row of how many it is, where not all of them are in the page.
    pub(crate) place: Option<(usize, usize)>,
    /// For how long they have been here, or why they can't be seen, in words.
    pub(crate) since: String,
}

/// For how long somebody has been here at this time of the server's clock, in milliseconds, or why they can't be seen.
pub(crate) fn since(user: &User, now: u64) -> String {
    match user.state {
        PresenceState::Here => strings::here_for(Elapsed::between(user.joined, now / 1_000)),
        PresenceState::Away => strings::AWAY.into(),
        PresenceState::Reconnecting => strings::RECONNECTING.into(),
    }
}
