//! `GET /r/{room}/print`: the whole list of a room for paper.

use std::sync::Arc;

use app::ssr::{PrintedList, PrintedPerson, print_document};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};
use leptos::nonce::Nonce;

use super::{
    app_state::AppState,
    compression::Coding,
    documents::DocumentKind,
    export::{ExportError, local_time::LocalTime, options::ExportOptions},
    page::{no_cache, no_such_room, requested_name},
    page_language::PageLanguage,
    room_path::room_from_path,
    security_headers::{Framing, set_page_policy},
};
use crate::admission::Account;

/// All people as a table, the same for all visitors but for the language; it sets no cookie.
pub(crate) async fn print(
    State(state): State<AppState>,
    account: Account,
    path: Result<Path<String>, PathRejection>,
    language: PageLanguage,
    uri: Uri,
    headers: HeaderMap,
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
    let (hub, documents) = (Arc::clone(&state.hub), state.documents.clone());
    let kind = DocumentKind::Print(language.language.tag(), options);
    let coding = Coding::accepted_by(&headers);
    let written = documents.get(&hub, account, (room, kind), coding, move |room| {
        let list = state.hub.snapshot(room, None, usize::MAX);
        let now = LocalTime::new(list.now / 1_000, options.offset);
        let people = list.users.into_iter().map(|user| {
            let since = LocalTime::new(user.joined, options.offset);
            let since = format!("{} {}", since.date(), since.clock());
            PrintedPerson { name: user.name, state: user.state, since }
        });
        let now = format!("{} {} UTC{}", now.date(), now.clock(), now.offset());
        let list = PrintedList { room: room.clone(), now, people: people.collect() };
        Ok(state.render(language, || print_document(&state.leptos, list)).into_bytes())
    });
    let mut response = match written.await {
        Ok(document) => {
            let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (document.headers(), html, document.content).into_response()
        }
        Err(error) => return error.into_response(),
    };
    let headers = response.headers_mut();
    // Its script is a file, so the nonce is used nowhere.
    set_page_policy(headers, &Nonce::new(), Framing::Forbidden, header_policy);
    no_cache(response)
}
