//! The list of a room as JSON.

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

/// `GET /api/rooms/{room}/users`: the list now, as one JSON body.
pub(crate) async fn users(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(fault) => return room_not_found(fault),
    };
    if state.hub.is_full(&room_name) {
        let sentence = "This room takes no more people: please try again later.\n";
        let retry_after = [(header::RETRY_AFTER, RETRY_AFTER)];
        return (StatusCode::SERVICE_UNAVAILABLE, retry_after, sentence).into_response();
    }
    let list = state.hub.snapshot(&room_name, None, usize::MAX);
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    (no_store, Json(ServerEvent::ExistingUsers(list))).into_response()
}

/// When to ask again while a room is full, in seconds.
const RETRY_AFTER: &str = "5";
