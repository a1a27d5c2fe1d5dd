//! What the server knows of a room beside its list, for the parts of a page that only it draws.

use crate::presence::RoomName;

/// What the server knows beside the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRendered {
    /// The room.
    pub room: RoomName,
    /// The whole address of its page, as others reach it.
    pub address: String,
    /// How many were here in each of the last minutes, the oldest first.
    pub counts: Vec<u32>,
    /// Who looks at it.
    pub mode: DisplayMode,
}

/// Who looks at a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DisplayMode {
    /// A visitor, who can do all that can be done.
    #[default]
    Page,
    /// All who are in front of a screen on the wall: it only shows.
    Kiosk,
}
