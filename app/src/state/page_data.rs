//! What the server passes to the page.

use serde::{Deserialize, Serialize};

use crate::presence::{ExistingUsers, RoomName};

/// What the page of a room is made of, on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomPage {
    /// The room.
    pub room: RoomName,
    /// Who is here: the true count, and the first rows where there are many.
    pub list: ExistingUsers,
}
