//! The data of a room that only server-rendered parts of the page show.

use std::time::Duration;

use crate::presence::{RecentChange, RoomName};

/// The data of a room for the server-rendered parts of its page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRendered {
    /// The room.
    pub room: RoomName,
    /// The full URL of its page, as others reach it.
    pub address: String,
    /// How many people were here in each of the last minutes, oldest first.
    pub counts: Vec<u32>,
    /// The most that were here at once in these minutes.
    pub maximum: u32,
    /// What happened in the last hour, the oldest first, with the time of each in seconds since the Unix epoch.
    pub activity: Vec<(u64, RecentChange)>,
    /// How it is displayed.
    pub mode: DisplayMode,
    /// Whether the browser sent the cookie that identifies it: on a first visit it does not, nor if it refuses cookies.
    pub has_cookie: bool,
    /// For the room's host; none for anyone else.
    pub host: Option<HostPanel>,
    /// For how long the room remembers who came and went, after each of them has left; `None` if it does not.
    pub keep_attendance: Option<Duration>,
}

/// What only the host of a room is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPanel {
    /// The host's link.
    pub link: String,
    /// Whether the host has closed the room.
    pub is_closed: bool,
}

impl ServerRendered {
    /// Whether the address leads others to their own computer.
    #[cfg(feature = "ssr")]
    pub(crate) fn is_local(&self) -> bool {
        let host = self.address.split("//").nth(1).unwrap_or_default();
        ["127.", "localhost", "[::1]"].iter().any(|local| host.starts_with(local))
    }
}

/// How a page is displayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DisplayMode {
    /// The page of a visitor, with all controls.
    #[default]
    Page,
    /// A screen on a wall, without controls.
    Kiosk,
}
