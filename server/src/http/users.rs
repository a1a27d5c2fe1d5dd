//! `GET /api/rooms/{room}/users`: the list of a room as JSON.

use std::sync::Arc;

use app::presence::ServerEvent;
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use super::{
    app_state::AppState,
    compression::Coding,
    documents::DocumentKind,
    export::ExportError,
    room_path::{room_from_path, room_not_found},
};
use crate::admission::Account;

/// The current list, as one JSON body. Limits of a room are those of joining and of opening it: reading is never refused
/// for them, and opens no room.
pub(crate) async fn users(
    State(state): State<AppState>,
    account: Account,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(error) => return room_not_found(error),
    };
    state.look_up(&room_name).await;
    let hub = Arc::clone(&state.hub);
    let document = state.documents.get(
        &state.hub,
        account,
        (room_name, DocumentKind::Users),
        Coding::accepted_by(&headers),
        move |room| {
            let list = hub.snapshot(room, None, usize::MAX);
            serde_json::to_vec(&ServerEvent::ExistingUsers(list)).map_err(ExportError::from)
        },
    );
    let document = match document.await {
        Ok(document) => document,
        Err(error) => return error.into_response(),
    };
    let own_headers =
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (document.headers(), own_headers, document.content).into_response()
}
