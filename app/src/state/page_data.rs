//! The data that the server embeds in the page.

use serde::{Deserialize, Serialize};

use crate::presence::{ExistingUsers, RoomName};
#[cfg(feature = "ssr")]
use crate::text::strings;

/// The data from which both sides render a room's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomPage {
    /// The room.
    pub room: RoomName,
    /// The list: the full count, and the first rows of a long list.
    pub list: ExistingUsers,
    /// How many people in the whole list are away.
    pub away: usize,
}

impl RoomPage {
    /// How many people are here, and not away.
    #[cfg(feature = "ssr")]
    pub(crate) fn here(&self) -> usize {
        self.list.count.saturating_sub(self.away)
    }

    /// The title of the page.
    #[cfg(feature = "ssr")]
    pub(crate) fn title(&self) -> String {
        strings::title(self.here(), self.room.as_str())
    }
}
