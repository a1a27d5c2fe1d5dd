//! What the visitor asks for.

use crate::client::intent::Intent;

/// What the visitor asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Something the server has to grant.
    Intent(Intent),
    /// A connection, at once.
    ReconnectNow,
    /// No more of what was missed.
    Dismiss,
    /// The list as the desk says by now.
    Rearrange,
    /// Who comes and goes said aloud, or no longer.
    Mute,
    /// Nothing of the person whose browser this was.
    SwitchPerson,
}
