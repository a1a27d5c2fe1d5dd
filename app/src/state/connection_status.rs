//! The status of this page's connection, and its text.

use crate::text::texts::Text;
#[cfg(not(feature = "ssr"))]
use crate::text::{format::ago, strings};

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
    #[cfg(not(feature = "ssr"))]
    pub(crate) fn words(&self, now: u64) -> String {
        let seconds_since = now.saturating_sub(self.list_as_of) / 1_000;
        let mut sentences =
            vec![self.headline().into(), Text::ListFrom.fill(&[&ago(seconds_since)])];
        // Without a network the next attempt fails anyway.
        if let Some(try_at) = self.try_at.filter(|_| !self.is_offline) {
            let seconds_left = try_at.saturating_sub(now).div_ceil(1_000);
            sentences.push(strings::retrying_in(usize::try_from(seconds_left).unwrap_or_default()));
        }
        sentences.join(" ")
    }

    /// Nothing: the server renders no page whose connection is lost.
    #[cfg(feature = "ssr")]
    #[expect(clippy::unused_self, reason = "the browser's function needs it")]
    pub(crate) fn words(&self, _now: u64) -> String {
        String::new()
    }

    /// The sentence that is announced once.
    pub(crate) fn headline(&self) -> &'static str {
        if self.is_offline { Text::YouAreOffline.get() } else { Text::ConnectionLost.get() }
    }
}
