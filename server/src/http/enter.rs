//! `POST /r/{room}/enter`: a page of another application sends a visitor to a room, with a token in a form.

use axum::{
    body::Bytes,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};

use super::{
    app_state::AppState,
    new_room::field,
    room_path::{room_from_path, room_not_found},
    visit::Visit,
};
use crate::{admission::Rejection, room_access::AccessError};

/// Has the browser keep the token for this room, and leads to its page.
///
/// The form may come from pages of `allowed-origins`: any other site could let a visitor enter as somebody else.
pub(crate) async fn enter(
    State(state): State<AppState>,
    visit: Visit,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !state.access.knows_tokens() {
        return StatusCode::NOT_FOUND.into_response();
    }
    if let Err(refused) = state.require_allowed_page(&headers, &visit) {
        return *refused;
    }
    let room = match room_from_path(path) {
        Ok(room) => room,
        Err(error) => return room_not_found(error),
    };
    let token = field(&body, "token").filter(|token| !token.is_empty());
    let token = token.ok_or(AccessError::TokenMissing).and_then(|token| {
        state.access.permit(&room, Some(&token), visit.client)?;
        Ok(token)
    });
    let token = match token {
        Ok(token) => token,
        Err(error) => return Rejection::from(error).into_response(),
    };
    let mut response = Redirect::to(&state.base_path().room(&room)).into_response();
    for cookie in state.cookies.token_cookies(&token, &room, state.site_port(&visit)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
