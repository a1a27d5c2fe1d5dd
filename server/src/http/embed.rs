//! `GET /r/{room}/embed`: the view of a room for a frame on somebody else's page.

use app::ssr::{MOST_FACES, embed_document};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::Uri,
    response::{Html, IntoResponse, Response},
};
use leptos::nonce::Nonce;

use super::{
    app_state::AppState,
    page::{no_cache, no_such_room, requested_name},
    room_path::room_from_path,
    security_headers::{Framing, set_page_policy},
};

/// How many are here, and who. It is nobody's in particular: it knows no person, and sets no cookie.
pub(crate) async fn embed(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Response {
    let wanted = requested_name(&path);
    let room = match room_from_path(path) {
        Ok(room) => room,
        Err(fault) => return no_such_room(&state, fault, &wanted, &uri),
    };
    let list = state.hub.snapshot(&room, None, MOST_FACES);
    let document = Html(embed_document(&state.leptos, &room, list));
    let mut response = document.into_response();
    // It is the one page that others may show in a frame. Its script is a file: nobody is told the nonce.
    set_page_policy(response.headers_mut(), &Nonce::new(), Framing::Allowed, state.header_policy);
    no_cache(response)
}
