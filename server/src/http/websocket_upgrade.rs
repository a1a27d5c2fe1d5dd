//! `GET /r/{room}/socket`: the upgrade of a request to a WebSocket.

use std::sync::Arc;

use app::presence::{RoomName, UserId};
use axum::{
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use tokio::io::{AsyncRead, AsyncWrite};
use tungstenite::handshake::server::create_response_with_body;

use super::{
    app_state::AppState,
    room_path::{room_from_path, room_not_found},
    socket_check::{self, upgrade_headers},
    visit::Visit,
};
use crate::{
    admission::{Rejection, SocketPermit},
    bearer,
    lifecycle::graceful_shutdown::DrainGuard,
    listener::{InFlight, SystemBuffer, UpgradedStream},
    room_access::{AccessError, Permission},
    websocket::{
        access::SocketAccess,
        connection::{self, ConnectionConfig},
        stream::WebSocket,
    },
};
use registry::hub::RoomPermit;

/// Opens a socket for a room and serves it until it ends.
pub(crate) async fn open(
    State(state): State<AppState>,
    visit: Visit,
    path: Result<Path<String>, PathRejection>,
    mut request: Request,
) -> Response {
    if !is_upgrade(request.headers()) {
        return socket_check::answer(&state, &visit, path, request.uri(), request.headers());
    }
    if let Err(refused) = state.require_allowed_page(request.headers(), &visit) {
        return *refused;
    }
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(error) => return room_not_found(error),
    };
    if !has_key(request.headers()) {
        return handshake_required();
    }
    let Ok(mut response) = create_response_with_body(&request, Body::empty) else {
        return handshake_required();
    };
    let permission = match state.permit_upgrade(&room_name, request.headers(), &visit) {
        Ok(permission) => permission,
        Err(error) => return Rejection::from(error).into_response(),
    };
    let occupancy = state.hub.occupancy(&room_name);
    let permit = match state.admission.socket(visit.client, occupancy) {
        Ok(permit) => permit,
        Err(rejection) => return rejection.into_response(),
    };
    let port = state.site_port(&visit);
    let Ok(person) = state.cookies.identify(request.headers(), port) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let permit = match permit.with_person(person) {
        Ok(permit) => permit,
        Err(rejection) => return rejection.into_response(),
    };
    // After the other limits: for a client that exceeds one of them, no room gives way.
    let room_permit = match state.admit_to(&room_name, visit.client) {
        Ok(room_permit) => room_permit,
        Err(rejection) => return rejection.into_response(),
    };
    if let Err(rejection) = state.open_room(&room_name).await {
        return rejection.into_response();
    }
    if let Some(cookie) = state.cookies.set_cookie(person, port) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    let user_id = match &permission {
        Some(permission) => state.access.public_id(permission, person, &room_name),
        None => state.cookies.public_id(person, &room_name),
    };
    let access = (!state.access.is_unrestricted()).then(|| {
        Box::new(SocketAccess::new(
            Arc::clone(&state.access),
            room_name.clone(),
            visit.client,
            permission,
        ))
    });
    // Tracked from here on, so that a shutdown during the upgrade waits for its close frame.
    let guard = state.drain.socket();
    let upgrade = hyper::upgrade::on(&mut request);
    let entrant = Entrant { room_permit, user_id, access };
    tokio::spawn(serve(upgrade, entrant, state.connection, guard, permit));
    response
}

/// Who enters which room.
struct Entrant {
    room_permit: RoomPermit,
    user_id: UserId,
    /// None where every room is open.
    access: Option<Box<SocketAccess>>,
}

impl AppState {
    /// The permission of a socket from its request; none if its first frame has to have a token.
    fn permit_upgrade(
        &self,
        room: &RoomName,
        headers: &HeaderMap,
        visit: &Visit,
    ) -> Result<Option<Permission>, AccessError> {
        match self.permit_request(room, headers, visit) {
            Ok(permission) => Ok(Some(permission)),
            Err(AccessError::Closed) => Err(AccessError::Closed),
            // Browsers can't send a header with the request, and their cookies may be those of the time before.
            Err(_) if bearer::sent(headers).is_none() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Waits for the upgrade and serves the socket in a task of its own, which keeps nothing of the request.
async fn serve(
    upgrade: OnUpgrade,
    entrant: Entrant,
    config: Arc<ConnectionConfig>,
    guard: DrainGuard,
    permit: SocketPermit,
) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "WebSocket upgrade failed");
            return;
        }
    };
    match UpgradedStream::of(upgraded) {
        Ok((UpgradedStream::Plain(stream), read)) => {
            serve_over(stream, &read, entrant, config, guard, permit).await;
        }
        Ok((UpgradedStream::Tls(stream), read)) => {
            serve_over(*stream, &read, entrant, config, guard, permit).await;
        }
        Err(upgraded) => {
            tracing::error!(?upgraded, "unknown type of an upgraded stream");
        }
    }
}

/// Serves the socket on its stream, of which something was read with the request.
async fn serve_over<S>(
    stream: InFlight<S>,
    already_read: &[u8],
    entrant: Entrant,
    config: Arc<ConnectionConfig>,
    guard: DrainGuard,
    permit: SocketPermit,
) where
    S: SystemBuffer + AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let stream = stream.of_shared_frames();
    let direct = stream.direct_socket();
    let socket = WebSocket::new(stream, already_read, config.frames).await;
    // The room is entered only now, so that a failed upgrade leaves no trace.
    let membership = entrant.room_permit.enter(entrant.user_id);
    if let Some(direct) = direct {
        membership.subscription().allow_direct_writes(direct);
    }
    let access = entrant.access;
    connection::spawn(socket, membership, access, config, guard, permit);
}

/// Whether the request asks for a WebSocket, perhaps in a wrong way.
fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE) || headers.contains_key(header::SEC_WEBSOCKET_KEY)
}

/// Whether there is exactly one key, of 16 bytes in base64 (RFC 6455, section 4.1): tungstenite does not check it.
pub(crate) fn has_key(headers: &HeaderMap) -> bool {
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return false };
    let Some((digits, b"==")) = key.as_bytes().split_last_chunk() else { return false };
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    digits.len() == 22 && digits.iter().all(is_digit)
}

/// The response to a request without a valid WebSocket handshake (RFC 6455, section 4.1).
fn handshake_required() -> Response {
    let sentence = "This is the URL of a WebSocket: connect with a WebSocket client.\n";
    (StatusCode::UPGRADE_REQUIRED, upgrade_headers(), sentence).into_response()
}
