//! What the operator sees of rooms, and does in them.

use std::sync::Arc;

use app::presence::{RoomName, User, UserId};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::http::room_path::{room_from_path, room_not_found};
use registry::hub::{Hub, RoomStats};

/// `GET /rooms`: every room, and how many are in it.
pub(super) async fn all(State(hub): State<Arc<Hub>>) -> Json<Vec<RoomStats>> {
    let mut rooms = hub.room_stats();
    rooms.sort_unstable_by(|one, other| {
        other.people.cmp(&one.people).then_with(|| one.room.as_str().cmp(other.room.as_str()))
    });
    Json(rooms)
}

/// `GET /rooms/{room}`: who is listed in it.
pub(super) async fn one(
    State(hub): State<Arc<Hub>>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    #[derive(Serialize)]
    struct RoomInFull {
        #[serde(flatten)]
        numbers: RoomStats,
        users: Vec<User>,
    }
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(fault) => return room_not_found(fault),
    };
    let Some(numbers) = hub.room_stats_of(&room_name) else { return not_there(&room_name) };
    let users = hub.snapshot(&room_name, None, usize::MAX).users;
    Json(RoomInFull { numbers, users }).into_response()
}

/// `DELETE /rooms/{room}/users/{id}`: takes somebody off a room's list.
pub(super) async fn remove(
    State(hub): State<Arc<Hub>>,
    Path((room, id)): Path<(String, String)>,
) -> Response {
    let room_name = match room_from_path(Ok(Path(room))) {
        Ok(room_name) => room_name,
        Err(fault) => return room_not_found(fault),
    };
    let is_removed = id.parse::<UserId>().is_ok_and(|id| hub.remove(&room_name, id));
    if is_removed {
        tracing::info!("the operator removed somebody");
        StatusCode::NO_CONTENT.into_response()
    } else {
        (StatusCode::NOT_FOUND, "Nobody with this id is listed in this room.\n").into_response()
    }
}

/// `DELETE /rooms/{room}`: takes everybody off its list, and ends all that look at it.
pub(super) async fn close(
    State(hub): State<Arc<Hub>>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(fault) => return room_not_found(fault),
    };
    match hub.close_room(&room_name) {
        Some(people) => {
            tracing::info!(people, "the operator closed a room");
            StatusCode::NO_CONTENT.into_response()
        }
        None => not_there(&room_name),
    }
}

fn not_there(room_name: &RoomName) -> Response {
    let sentence = format!("Nobody is in the room {}.\n", room_name.as_str());
    (StatusCode::NOT_FOUND, sentence).into_response()
}
