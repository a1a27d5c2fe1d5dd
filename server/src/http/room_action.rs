//! What the operator, a host or an API key does to a room, and the sentence about what came of it.

use app::presence::{RoomName, RoomNameError, UserId};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use registry::hub::{Hub, RoomChangeError};

/// Why nothing was changed in a room, or why that is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RoomActionError {
    /// No room can have this name.
    #[error("{0}")]
    Name(RoomNameError),
    /// The list has no such person.
    #[error("Nobody with this id is listed in this room.")]
    NotListed,
    /// There is nobody to remove.
    #[error("Nobody is in the room {0}.")]
    Vacant(RoomName),
    /// What the servers of a cluster share does not answer.
    #[error("{}", sentence(*.0))]
    NotChanged(#[from] RoomChangeError),
}

impl RoomActionError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Name(_) | Self::NotListed | Self::Vacant(_) => StatusCode::NOT_FOUND,
            Self::NotChanged(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for RoomActionError {
    fn into_response(self) -> Response {
        (self.status(), format!("{self}\n")).into_response()
    }
}

fn sentence(error: RoomChangeError) -> String {
    match error {
        RoomChangeError::NotOpened(error) => {
            format!("Nothing was changed, because {error}. Try again in a moment.")
        }
        RoomChangeError::OlderServer => {
            format!("Nothing was changed, because {error}. Try again when all servers are updated.")
        }
        RoomChangeError::Unanswered => {
            format!("It may still happen: {error}. Look at the room in a moment.")
        }
    }
}

/// Removes a person, whose id is a text of a request, from a room's list.
pub(crate) async fn remove_person(hub: &Hub, room: &str, id: &str) -> Result<(), RoomActionError> {
    let room: RoomName = room.parse().map_err(RoomActionError::Name)?;
    let Ok(id) = id.parse::<UserId>() else { return Err(RoomActionError::NotListed) };
    if hub.remove(&room, id).await? { Ok(()) } else { Err(RoomActionError::NotListed) }
}

/// Removes all people from a room's list, and closes all of its sockets and feeds. Returns how many were listed.
pub(crate) async fn close_room(hub: &Hub, room: &RoomName) -> Result<usize, RoomActionError> {
    hub.close_room(room).await?.ok_or_else(|| RoomActionError::Vacant(room.clone()))
}
