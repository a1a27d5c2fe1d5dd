//! `GET /api/rooms/{room}/users`: the list of a room as JSON.

use app::presence::ServerEvent;
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    app_state::AppState,
    room_path::{room_from_path, room_not_found},
};

/// The current list, as one JSON body.
pub(crate) async fn users(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(error) => return room_not_found(error),
    };
    state.look_up(&room_name).await;
    if state.hub.is_full(&room_name) {
        let sentence = "This room is full. Try again later.\n";
        let retry_after = [(header::RETRY_AFTER, RETRY_AFTER)];
        return (StatusCode::SERVICE_UNAVAILABLE, retry_after, sentence).into_response();
    }
    let list = state.hub.snapshot(&room_name, None, usize::MAX);
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    (no_store, Json(ServerEvent::ExistingUsers(list))).into_response()
}

/// For a full room, in seconds.
const RETRY_AFTER: &str = "5";
