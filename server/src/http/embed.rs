//! `GET /r/{room}/embed`: a room's view for frames on other sites.

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

/// How many people are here, and who. It is the same for all visitors: it reads and sets no cookie.
pub(crate) async fn embed(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Response {
    let requested = requested_name(&path);
    let room = match room_from_path(path) {
        Ok(room) => room,
        Err(error) => return no_such_room(&state, error, &requested, &uri),
    };
    let list = state.hub.snapshot(&room, None, MOST_FACES);
    let document = state.render(|| Html(embed_document(&state.leptos, &room, list)));
    let mut response = document.into_response();
    // The only page that other sites may frame. Its script is a file, so the nonce is used nowhere.
    set_page_policy(response.headers_mut(), &Nonce::new(), Framing::Allowed, state.header_policy);
    no_cache(response)
}
