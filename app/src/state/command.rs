//! What the visitor asks for.

use crate::client::intent::Wish;

/// What the visitor asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Something the server has to grant.
    Wish(Wish),
    /// A connection, at once.
    TryNow,
    /// No more of what was missed.
    Dismiss,
    /// The list as the desk says by now.
    Rearrange,
    /// Who comes and goes said aloud, or no longer.
    Mute,
    /// Nothing of the person whose browser this was.
    BeSomeoneElse,
}
