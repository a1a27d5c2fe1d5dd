//! Waiting for sockets.

use std::{io::ErrorKind, time::Duration};

use mio::{Events, Poll};

use crate::error::LoadError;

/// Waits for events on sockets, for at most so long; false if a signal interrupted it.
pub(super) fn wait_for_events(
    poll: &mut Poll,
    events: &mut Events,
    longest: Duration,
) -> Result<bool, LoadError> {
    match poll.poll(events, Some(longest)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(false),
        Err(source) => Err(LoadError::Io { what: "could not poll the sockets", source }),
    }
}
