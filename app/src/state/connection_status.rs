//! The status of this page's connection, and its text.

use crate::text::{elapsed::Elapsed, strings};

/// The status of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ConnectionStatus {
    /// Not connected yet: no status is shown.
    #[default]
    Starting,
    /// The list is live.
    Live,
    /// The list is live over the feed, but no socket gets through, so the visitor can't join.
    OnlyWatching,
    /// The list was found to be wrong and was requested again.
    Doubtful,
    /// The connection is lost; the list is old.
    Lost(Loss),
}

impl ConnectionStatus {
    /// Whether the list is live.
    pub(crate) fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::OnlyWatching)
    }

    /// Whether the list is known to be old.
    pub(crate) fn is_stale(self) -> bool {
        matches!(self, Self::Doubtful | Self::Lost(_))
    }
}

/// A lost connection; times are milliseconds on the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    /// When the list was last known to be right.
    pub(crate) list_as_of: u64,
    /// When the next attempt is due or was started; none while the old connection may still work.
    pub(crate) try_at: Option<u64>,
    /// The browser reports that it has no network.
    pub(crate) is_offline: bool,
}

impl Loss {
    /// The banner's text at this time.
    pub(crate) fn words(&self, now: u64) -> String {
        let seconds_since = now.saturating_sub(self.list_as_of) / 1_000;
        let mut words = String::from(self.headline());
        words.push_str(&strings::last_updated(Elapsed::of_seconds(seconds_since)));
        // Without a network the next attempt fails anyway.
        if let Some(try_at) = self.try_at.filter(|_| !self.is_offline) {
            let seconds_left = try_at.saturating_sub(now).div_ceil(1_000);
            words.push_str(&strings::retrying_in(seconds_left));
        }
        words
    }

    /// The sentence that is announced once.
    pub(crate) fn headline(&self) -> &'static str {
        if self.is_offline { strings::YOU_ARE_OFFLINE } else { strings::CONNECTION_LOST }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOSS: Loss = Loss { list_as_of: 100_000, try_at: Some(115_000), is_offline: false };

    #[test]
    fn the_text_has_the_age_of_the_list_and_the_time_to_the_next_attempt() {
        assert_eq!(LOSS.words(112_400), "Reconnecting… List from 12 s ago. Retrying in 3 s.");
        assert_eq!(LOSS.words(115_000), "Reconnecting… List from 15 s ago. Retrying now.");
        assert_eq!(LOSS.words(100_100), "Reconnecting… List from 0 s ago. Retrying in 15 s.");
    }

    #[test]
    fn the_text_says_that_there_is_no_network() {
        for try_at in [None, LOSS.try_at] {
            let loss = Loss { try_at, is_offline: true, ..LOSS };
            assert_eq!(loss.words(220_000), "You're offline. List from 2 min ago.");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_overflow() {
        assert_eq!(LOSS.words(0), "Reconnecting… List from 0 s ago. Retrying in 115 s.");
    }
}
