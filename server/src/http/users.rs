//! `GET /api/rooms/{room}/users`: the list of a room as JSON.

use app::presence::ServerEvent;
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::header,
    response::{IntoResponse, Response},
};

use super::{
    app_state::AppState,
    room_path::{room_from_path, room_not_found},
};

/// The current list, as one JSON body. Limits of a room are those of joining and of opening it: reading is never refused
/// for them, and opens no room.
pub(crate) async fn users(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(error) => return room_not_found(error),
    };
    state.look_up(&room_name).await;
    let list = state.hub.snapshot(&room_name, None, usize::MAX);
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    (no_store, Json(ServerEvent::ExistingUsers(list))).into_response()
}
