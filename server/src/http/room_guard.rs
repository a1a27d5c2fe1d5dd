//! Lets only those through to a room's addresses who may see who is there.
//!
//! Every route with a room goes through [`require_permission`], unless it tells no names or asks
//! [`AppState::permit_request`] itself: a new one is guarded without anybody's thinking of it.

use app::presence::RoomName;
use axum::{
    extract::{FromRequestParts, RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::{HeaderMap, StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{app_state::AppState, visit::Visit};
use crate::{
    admission::Rejection,
    bearer,
    room_access::{AccessError, Permission},
};

/// Refuses who may not watch the room in the path, and adds the permission of everybody else to the request.
pub(crate) async fn require_permission(
    State(state): State<AppState>,
    visit: Visit,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    // A path that is not UTF-8 contains no room.
    let Ok(parameters) = parameters else { return next.run(request).await };
    let named = parameters.iter().find(|(name, _)| *name == "room");
    let room = match named.map(|(_, room)| room.parse::<RoomName>()) {
        // `/` is the lobby.
        None => RoomName::lobby(),
        Some(Ok(room)) => room,
        // The handler says why there is no such room.
        Some(Err(_)) => return next.run(request).await,
    };
    match state.permit_request(&room, request.headers(), &visit) {
        Ok(permission) => {
            request.extensions_mut().insert(permission);
            next.run(request).await
        }
        Err(error) => Rejection::from(error).into_response(),
    }
}

impl AppState {
    /// Whether a request may watch a room: with the token in `Authorization`, or those that its browser keeps.
    pub(crate) fn permit_request(
        &self,
        room: &RoomName,
        headers: &HeaderMap,
        visit: &Visit,
    ) -> Result<Permission, AccessError> {
        if !self.access.knows_tokens() {
            return self.access.permit(room, None, visit.client);
        }
        if let Some(token) = bearer::sent(headers) {
            return self.access.permit(room, Some(token), visit.client);
        }
        let tokens = self.cookies.tokens_in(headers, self.site_port(visit));
        self.access.permit_browser(room, tokens.iter().map(String::as_str), visit.client)
    }
}

/// The permission that [`require_permission`] has added. A handler that it does not guard gets none.
impl FromRequestParts<AppState> for Permission {
    type Rejection = StatusCode;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let permission = parts.extensions.get().cloned();
        permission
            .or_else(|| Self::everything(&state.access))
            .ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
