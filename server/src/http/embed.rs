//! `GET /r/{room}/embed`: a room's view for frames on other sites.

use app::ssr::{EmbedData, MOST_FACES, embed_document};
use axum::{
    extract::{Path, Query, State, rejection::PathRejection},
    http::Uri,
    response::{Html, IntoResponse, Response},
};
use leptos::nonce::Nonce;
use registry::hub::FirstRows;
use serde::Deserialize;

use super::{
    app_state::AppState,
    page::{no_cache, no_such_room, requested_name},
    page_language::PageLanguage,
    room_path::room_from_path,
    security_headers::{Framing, allow_any_origin, set_page_policy},
};

/// The query of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EmbedQuery {
    key: String,
}

/// How many people are here, and who. It is the same for all visitors but for the language, and sets no cookie.
pub(crate) async fn embed(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    Query(query): Query<EmbedQuery>,
    language: PageLanguage,
    uri: Uri,
) -> Response {
    let requested = requested_name(&path);
    let room = match room_from_path(path) {
        Ok(room) => room,
        // The page around it shows why there is no list.
        Err(error) => {
            return no_such_room(&state, language, error, &requested, &uri, Framing::Allowed);
        }
    };
    state.look_up(&room).await;
    let (list, away) = state.hub.first_rows(&room, None, FirstRows::InOrderOfArrival(MOST_FACES));
    let is_readable_by_any_origin = state.cookies.is_embed_key(&query.key, &room);
    let key = state.cookies.embed_key(&room);
    let nonce = Nonce::new();
    let data = EmbedData { room, key, list, away, nonce: nonce.to_string() };
    let document = state.render(language, || Html(embed_document(&state.leptos, data)));
    let mut response = document.into_response();
    // Other sites may frame only this page and its "not found".
    set_page_policy(response.headers_mut(), &nonce, Framing::Allowed, state.header_policy);
    if is_readable_by_any_origin {
        allow_any_origin(response.headers_mut());
    }
    no_cache(response)
}
