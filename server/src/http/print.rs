//! `GET /r/{room}/print`: the whole list of a room for paper.

use app::ssr::{PrintedList, PrintedPerson, print_document};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::Uri,
    response::{Html, IntoResponse, Response},
};
use leptos::nonce::Nonce;

use super::{
    app_state::AppState,
    export::{ExportError, local_time::LocalTime, options::ExportOptions, write_in_turn},
    page::{no_cache, no_such_room, requested_name},
    page_language::PageLanguage,
    room_path::room_from_path,
    security_headers::{Framing, set_page_policy},
};

/// All people as a table, the same for all visitors but for the language; it sets no cookie.
pub(crate) async fn print(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    language: PageLanguage,
    uri: Uri,
) -> Response {
    let requested = requested_name(&path);
    let room = match room_from_path(path) {
        Ok(room) => room,
        Err(error) => {
            return no_such_room(&state, language, error, &requested, &uri, Framing::Forbidden);
        }
    };
    let options = match ExportOptions::parse(uri.query().unwrap_or_default()) {
        Ok(options) => options,
        Err(error) => return ExportError::from(error).into_response(),
    };
    state.look_up(&room).await;
    let header_policy = state.header_policy;
    let written = write_in_turn(move || {
        let list = state.hub.snapshot(&room, None, usize::MAX);
        let now = LocalTime::new(list.now / 1_000, options.offset);
        let people = list.users.into_iter().map(|user| {
            let since = LocalTime::new(user.joined, options.offset);
            let since = format!("{} {}", since.date(), since.clock());
            PrintedPerson { name: user.name, state: user.state, since }
        });
        let now = format!("{} {} UTC{}", now.date(), now.clock(), now.offset());
        let list = PrintedList { room, now, people: people.collect() };
        Ok(state.render(language, || print_document(&state.leptos, list)))
    });
    let mut response = match written.await {
        Ok(document) => Html(document).into_response(),
        Err(error) => return error.into_response(),
    };
    let headers = response.headers_mut();
    // Its script is a file, so the nonce is used nowhere.
    set_page_policy(headers, &Nonce::new(), Framing::Forbidden, header_policy);
    no_cache(response)
}
