//! Routes that list rooms, and remove people from them.

use std::sync::Arc;

use app::presence::User;
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::http::{
    room_action::{RoomActionError, close_room, remove_person},
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
    let Some(stats) = hub.room_stats_of(&room_name) else {
        return RoomActionError::Vacant(room_name).into_response();
    };
    let users = hub.snapshot(&room_name, None, usize::MAX).users;
    Json(RoomDetails { stats, users }).into_response()
}

/// `DELETE /rooms/{room}/users/{id}`: removes a person from a room's list.
pub(super) async fn remove(
    State(hub): State<Arc<Hub>>,
    Path((room, id)): Path<(String, String)>,
) -> Response {
    match remove_person(&hub, &room, &id).await {
        Ok(()) => {
            tracing::info!("the operator removed a person");
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => error.into_response(),
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
    match close_room(&hub, &room_name).await {
        Ok(people) => {
            tracing::info!(people, "the operator closed a room");
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => error.into_response(),
    }
}
