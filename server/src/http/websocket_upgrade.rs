//! `GET /r/{room}/socket`: from an HTTP request to a WebSocket.

use app::presence::{RoomName, UserId};
use axum::{
    body::Body,
    extract::{Extension, Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;
use tungstenite::handshake::server::create_response_with_body;

use super::{
    app_state::AppState,
    room_path::{room_from_path, room_not_found},
};
use crate::{
    admission::{PeerAddr, SocketPermit},
    lifecycle::drain::DrainGuard,
    listener::WriteTimeout,
    websocket::{
        connection::{self, ConnectionConfig},
        stream::WebSocket,
    },
};
use registry::hub::Membership;

/// Opens a socket for a room and serves it until it ends.
pub(crate) async fn open(
    State(state): State<AppState>,
    Extension(PeerAddr(peer)): Extension<PeerAddr>,
    path: Result<Path<String>, PathRejection>,
    mut request: Request,
) -> Response {
    if let Err(foreign) = state.admission.config().origins.admit(request.headers()) {
        return (StatusCode::FORBIDDEN, format!("{foreign}\n")).into_response();
    }
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(fault) => return room_not_found(fault),
    };
    if !has_key(request.headers()) {
        return no_handshake();
    }
    let Ok(mut response) = create_response_with_body(&request, Body::empty) else {
        return no_handshake();
    };
    let occupancy = state.hub.occupancy(&room_name);
    let permit = match state.admission.socket(peer, request.headers(), occupancy) {
        Ok(permit) => permit,
        Err(rejection) => return rejection.into_response(),
    };
    let Ok(person) = state.cookies.identify(request.headers()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let permit = match permit.of(person) {
        Ok(permit) => permit,
        Err(rejection) => return rejection.into_response(),
    };
    if let Some(cookie) = state.cookies.set_cookie(person) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    let who = state.cookies.public_id(person, &room_name);
    // Counted from here on, so that a server that goes down meanwhile waits for its goodbye.
    let guard = state.drain.socket();
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(serve(upgrade, state, room_name, who, guard, permit));
    response
}

/// Waits until the connection is the socket's, and hands it on: nothing of the request is kept after that.
async fn serve(
    upgrade: OnUpgrade,
    state: AppState,
    room_name: RoomName,
    who: UserId,
    guard: DrainGuard,
    permit: SocketPermit,
) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "a socket did not come to be");
            return;
        }
    };
    // Entered only now: an upgrade that fails leaves nothing behind.
    let enter = || state.hub.enter(&room_name, who);
    // The very stream that was accepted: what hyper had around it is not kept.
    let upgraded = match upgraded.downcast() {
        Ok(parts) => {
            return serve_over::<TcpStream>(parts, enter, state.connection, guard, permit).await;
        }
        Err(upgraded) => upgraded,
    };
    match upgraded.downcast() {
        Ok(parts) => {
            serve_over::<TlsStream<TcpStream>>(parts, enter, state.connection, guard, permit).await;
        }
        Err(upgraded) => {
            tracing::error!(?upgraded, "a socket's stream is not one that was accepted");
        }
    }
}

/// How long a socket may take to read what it is told is seen to by its connection, and by its stream no more.
async fn serve_over<S>(
    Parts { io, read_buf, .. }: Parts<TokioIo<WriteTimeout<S>>>,
    enter: impl FnOnce() -> Membership,
    config: ConnectionConfig,
    guard: DrainGuard,
    permit: SocketPermit,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let socket = WebSocket::new(io.into_inner().into_inner(), &read_buf, config.frames).await;
    connection::spawn(socket, enter(), config, guard, permit);
}

/// Whether there is one key of 16 bytes in base64 (RFC 6455, section 4.1), which the library takes as it is.
fn has_key(headers: &HeaderMap) -> bool {
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return false };
    let Some((digits, b"==")) = key.as_bytes().split_last_chunk() else { return false };
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    digits.len() == 22 && digits.iter().all(is_digit)
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
