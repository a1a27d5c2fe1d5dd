//! `GET /r/{room}/socket`: from an HTTP request to a WebSocket.

use axum::{
    extract::{
        Path, State, WebSocketUpgrade,
        rejection::PathRejection,
        ws::{WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    address::{no_room, room_of},
    app_state::AppState,
    connection,
    presence::frames::LONGEST_FRAME_IN_BYTES,
};

/// What is read at a time: frames are short, and this much is kept for every socket
/// (128 KiB by default, which is most of what an idle socket costs).
const READ_BUFFER_IN_BYTES: usize = 4 * 1024;

/// What may wait to be written before the socket counts as broken; by default there is no bound.
const MOST_WRITE_BUFFER_IN_BYTES: usize = 64 * 1024;

/// Opens a socket for a room and serves it until it ends.
pub(crate) async fn open(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let room_name = match room_of(path) {
        Ok(room_name) => room_name,
        Err(fault) => return no_room(fault),
    };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let Ok(person) = state.persons.recognise(&headers) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let cookie = state.persons.set_cookie(person);
    let who = state.persons.public_id(person, &room_name);
    // Counted from here on, so that a server that goes down meanwhile waits for its goodbye.
    let guest = state.shutdown.socket();
    let serve = async move |socket: WebSocket| {
        // Entered only now: an upgrade that fails leaves nothing behind.
        let membership = state.hub.enter(&room_name, who);
        connection::serve(socket, membership, state.connection, guest).await;
    };
    let mut response = upgrade
        .read_buffer_size(READ_BUFFER_IN_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MOST_WRITE_BUFFER_IN_BYTES)
        .max_message_size(LONGEST_FRAME_IN_BYTES)
        .max_frame_size(LONGEST_FRAME_IN_BYTES)
        .on_upgrade(serve);
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
