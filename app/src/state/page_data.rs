//! The data that the server embeds in the page.

use serde::{Deserialize, Serialize};

use crate::presence::{ExistingUsers, RoomName};

/// The data from which both sides render a room's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomPage {
    /// The room.
    pub room: RoomName,
    /// The list: the full count, and the first rows of a long list.
    pub list: ExistingUsers,
}
