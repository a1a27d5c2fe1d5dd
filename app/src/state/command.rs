//! The visitor's commands.

use crate::client::intent::Intent;

/// A command of the visitor, for the browser to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Join, rename or leave.
    Intent(Intent),
    /// Say whether somebody in the list already has this name, which is being typed.
    CheckName(String),
    /// Reconnect at once.
    ReconnectNow,
    /// Dismiss the "while you were offline" line.
    Dismiss,
    /// Apply the current list options.
    Rearrange,
    /// Mute or unmute announcements.
    Mute,
    /// Continue as another person.
    SwitchPerson,
}
