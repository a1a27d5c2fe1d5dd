//! `GET /r/{room}/socket`: from an HTTP request to a WebSocket.

use app::presence::{RoomName, UserId};
use axum::{
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tungstenite::handshake::server::create_response_with_body;

use crate::{
    address::{no_room, room_of},
    app_state::AppState,
    connection,
    shutdown::Guest,
    web_socket::WebSocket,
};

/// Opens a socket for a room and serves it until it ends.
pub(crate) async fn open(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    mut request: Request,
) -> Response {
    let room_name = match room_of(path) {
        Ok(room_name) => room_name,
        Err(fault) => return no_room(fault),
    };
    let Ok(mut response) = create_response_with_body(&request, Body::empty) else {
        return no_handshake();
    };
    let Ok(person) = state.persons.recognise(request.headers()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Some(cookie) = state.persons.set_cookie(person) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    let who = state.persons.public_id(person, &room_name);
    // Counted from here on, so that a server that goes down meanwhile waits for its goodbye.
    let guest = state.shutdown.socket();
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(serve(upgrade, state, room_name, who, guest));
    response
}

/// Waits until the connection is the socket's, and hands it on: nothing of the request is kept after that.
async fn serve(
    upgrade: OnUpgrade,
    state: AppState,
    room_name: RoomName,
    who: UserId,
    guest: Guest,
) {
    match upgrade.await {
        Ok(upgraded) => {
            let socket = WebSocket::new(TokioIo::new(upgraded)).await;
            // Entered only now: an upgrade that fails leaves nothing behind.
            let membership = state.hub.enter(&room_name, who);
            connection::spawn(socket, membership, state.connection, guest);
        }
        Err(error) => tracing::debug!(%error, "a socket did not come to be"),
    }
}

/// The answer to a request that does not ask for a WebSocket, or not as RFC 6455, section 4.1 has it.
fn no_handshake() -> Response {
    let sentence = "This is the address of a WebSocket: please connect with a WebSocket client.\n";
    let upgrade = [
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
    ];
    (StatusCode::UPGRADE_REQUIRED, upgrade, sentence).into_response()
}
