//! `GET /r/{room}/embed`: the view of a room for a frame on somebody else's page.

use app::ui::{MOST_FACES, embed_document};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderValue, Uri, header},
    response::{Html, IntoResponse, Response},
};

use crate::{
    address::room_of,
    app_state::AppState,
    page::{never_stale, no_such_room, wanted_name},
};

/// Who may show it in a frame: everybody. No other page says so.
const FRAMABLE_BY_ANYBODY: HeaderValue = HeaderValue::from_static("frame-ancestors *");

/// How many are here, and who. It is nobody's in particular: it knows no person, and sets no cookie.
pub(crate) async fn embed(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Response {
    let wanted = wanted_name(&path);
    let room = match room_of(path) {
        Ok(room) => room,
        Err(fault) => return no_such_room(&state, fault, &wanted, &uri),
    };
    let list = state.hub.snapshot(&room, None, MOST_FACES);
    let document = Html(embed_document(&state.leptos, &room, list));
    framable_by_anybody(never_stale(document.into_response()))
}

/// The one place where a response may be shown in somebody else's page.
fn framable_by_anybody(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, FRAMABLE_BY_ANYBODY);
    response
}
