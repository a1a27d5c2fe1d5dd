//! `/r/{room}/host`: what only the host of a room may see and do.
//!
//! - `POST` with the `secret` of the host's link makes the browser a host, by a cookie.
//! - `GET` shows a host the room's links.
//! - `POST /r/{room}/host/{action}` with that cookie, or with a token that says so, removes a person (`remove`, by
//!   `id`), removes everybody (`clear`), and lets nobody new in (`close`) until `open`.

use app::{
    presence::{RoomName, UserId},
    ssr::{host_document, not_the_host_document},
    state::HostPanel,
};
use axum::{
    body::Bytes,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use super::{
    app_state::AppState,
    new_room::field,
    page::{no_such_room, requested_name},
    page_language::PageLanguage,
    room_action::RoomActionError,
    room_path::{room_from_path, room_not_found},
    room_url::room_url,
    security_headers::Framing,
    visit::Visit,
};
use crate::bearer;

const WRONG_SECRET: &str =
    "This host link is not valid for this room. Ask whoever made the room for the link again.\n";
const NOT_A_HOST: &str =
    "Only a host can do this. Open the room's host link in this browser first.\n";
const NOBODY_WITH_THIS_ID: &str = "They are not on the list any more.\n";
const NOBODY_HERE: &str = "Nobody is in this room.\n";

/// The page with the room's links.
pub(crate) async fn page(
    State(state): State<AppState>,
    visit: Visit,
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
    if let Some(host) = state.host_panel(&visit, &headers, &room) {
        let address = room_url(state.public_url.as_ref(), &visit, &room);
        let document = || host_document(&state.leptos, &room, address, host);
        state.page_with_forms(language, StatusCode::OK, document)
    } else {
        let document = || not_the_host_document(&state.leptos, &room);
        state.page_with_forms(language, StatusCode::FORBIDDEN, document)
    }
}

/// Makes the browser a host, if it sends the secret of the host's link.
pub(crate) async fn become_host(
    State(state): State<AppState>,
    visit: Visit,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refused) = state.require_own_page(&headers, &visit) {
        return *refused;
    }
    let room = match room_from_path(path) {
        Ok(room) => room,
        Err(error) => return room_not_found(error),
    };
    let secret = field(&body, "secret").unwrap_or_default();
    if !state.cookies.hosts().is_secret(&secret, &room) {
        return wrong_secret(&state, &visit);
    }
    let Some(cookie) = state.cookies.hosts().set_cookie(&room, state.site_port(&visit)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}

/// Does what a host asks for.
pub(crate) async fn act(
    State(state): State<AppState>,
    visit: Visit,
    Path((room, action)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // Another site's page has the visitor's cookies, and no token of its own.
    let own_page = state.require_own_page(&headers, &visit);
    let has_token = bearer::sent(&headers).is_some();
    let is_own_page = match own_page {
        Ok(()) => true,
        Err(_) if has_token => false,
        Err(refused) => return *refused,
    };
    let room = match room_from_path(Ok(Path(room))) {
        Ok(room) => room,
        Err(error) => return room_not_found(error),
    };
    let has_secret =
        is_own_page && state.cookies.hosts().is_host(&headers, state.site_port(&visit), &room);
    // By the token in the header alone, if there is one.
    let is_host = || {
        state.permit_request(&room, &headers, &visit).is_ok_and(|permission| permission.is_host())
    };
    if !has_secret && !is_host() {
        return (StatusCode::FORBIDDEN, NOT_A_HOST).into_response();
    }
    let (what, changed, nothing) = match &*action {
        "remove" => {
            let removed = match field(&body, "id").and_then(|id| id.parse::<UserId>().ok()) {
                Some(id) => state.hub.remove(&room, id).await,
                None => Ok(false),
            };
            ("a host removed a person", removed, NOBODY_WITH_THIS_ID)
        }
        "clear" => {
            let rows = state.hub.close_room(&room).await;
            ("a host cleared a room", rows.map(|rows| rows.is_some()), NOBODY_HERE)
        }
        "close" => {
            ("a host closed a room", state.hub.change_joining(&room, true).await, NOBODY_HERE)
        }
        "open" => {
            ("a host opened a room", state.hub.change_joining(&room, false).await, NOBODY_HERE)
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    match changed {
        Ok(true) => {
            tracing::info!("{what}");
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(false) => (StatusCode::NOT_FOUND, nothing).into_response(),
        Err(error) => RoomActionError::from(error).into_response(),
    }
}

impl AppState {
    /// What the room's page shows its host; none for a request of anybody else.
    pub(super) fn host_panel(
        &self,
        visit: &Visit,
        headers: &HeaderMap,
        room: &RoomName,
    ) -> Option<HostPanel> {
        let hosts = self.cookies.hosts();
        hosts.is_host(headers, self.site_port(visit), room).then(|| HostPanel {
            link: hosts.link(&room_url(self.public_url.as_ref(), visit, room), room),
            is_closed: self.hub.is_closed(room),
        })
    }
}

/// An answer for a person; the log names neither the room nor the visitor.
fn wrong_secret(state: &AppState, visit: &Visit) -> Response {
    if state.secret_warning.is_due(Instant::now()) {
        tracing::warn!(
            "a wrong secret of a room's host was sent: a host's link was copied incompletely, or is of the time before \
             the key in person.key was replaced, or somebody tries secrets"
        );
    }
    match state.admission.wrong_secret(visit.client) {
        Ok(()) => (StatusCode::FORBIDDEN, WRONG_SECRET).into_response(),
        Err(rejection) => rejection.into_response(),
    }
}
