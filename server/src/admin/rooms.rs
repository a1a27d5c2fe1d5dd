//! Routes that list rooms, and remove people from them.

use std::sync::Arc;

use app::presence::{RoomName, User, UserId};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::http::{
    host::not_changed,
    room_path::{room_from_path, room_not_found},
};
use registry::{
    hub::{Hub, RoomStats},
    replication::handle::OpenMode,
};

/// `GET /rooms`: the statistics of every room, the largest first.
pub(super) async fn all(State(hub): State<Arc<Hub>>) -> Json<Vec<RoomStats>> {
    let mut rooms = hub.room_stats();
    rooms.sort_unstable_by(|one, other| {
        other.people.cmp(&one.people).then_with(|| one.room.as_str().cmp(other.room.as_str()))
    });
    Json(rooms)
}

/// `GET /rooms/{room}`: the statistics of a room, and the people listed in it.
pub(super) async fn one(
    State(hub): State<Arc<Hub>>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    #[derive(Serialize)]
    struct RoomDetails {
        #[serde(flatten)]
        stats: RoomStats,
        users: Vec<User>,
    }
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(error) => return room_not_found(error),
    };
    // Without the engine, what is known here.
    let _ = hub.open(&room_name, OpenMode::Look).await;
    let Some(stats) = hub.room_stats_of(&room_name) else { return room_is_empty(&room_name) };
    let users = hub.snapshot(&room_name, None, usize::MAX).users;
    Json(RoomDetails { stats, users }).into_response()
}

/// `DELETE /rooms/{room}/users/{id}`: removes a person from a room's list.
pub(super) async fn remove(
    State(hub): State<Arc<Hub>>,
    Path((room, id)): Path<(String, String)>,
) -> Response {
    let room_name = match room_from_path(Ok(Path(room))) {
        Ok(room_name) => room_name,
        Err(error) => return room_not_found(error),
    };
    let removed = match id.parse::<UserId>() {
        Ok(id) => hub.remove(&room_name, id).await,
        Err(_) => Ok(false),
    };
    match removed {
        Ok(true) => {
            tracing::info!("the operator removed a person");
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(false) => {
            (StatusCode::NOT_FOUND, "Nobody with this id is listed in this room.\n").into_response()
        }
        Err(error) => not_changed(error),
    }
}

/// `DELETE /rooms/{room}`: removes all people from a room's list, and closes all of its sockets and feeds.
pub(super) async fn close(
    State(hub): State<Arc<Hub>>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(error) => return room_not_found(error),
    };
    match hub.close_room(&room_name).await {
        Ok(Some(people)) => {
            tracing::info!(people, "the operator closed a room");
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(None) => room_is_empty(&room_name),
        Err(error) => not_changed(error),
    }
}

fn room_is_empty(room_name: &RoomName) -> Response {
    let sentence = format!("Nobody is in the room {}.\n", room_name.as_str());
    (StatusCode::NOT_FOUND, sentence).into_response()
}
