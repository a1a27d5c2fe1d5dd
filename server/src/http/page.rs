//! The pages: a room, rendered with its list, privacy, and "not found".

use app::{
    presence::{RoomName, RoomNameError},
    ssr::{not_found_document, privacy_document, shell},
    state::{DisplayMode, RoomPage, ServerRendered},
};
use axum::{
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use leptos::{nonce::Nonce, prelude::provide_context};

use super::{
    app_state::AppState,
    room_path::room_from_path,
    room_url::room_url,
    security_headers::{Framing, set_page_policy},
};

/// The number of rows in the first HTML; the rest arrives through the socket.
const MOST_ROWS: usize = 200;

/// `GET /`: the lobby's page.
pub(crate) async fn lobby(State(state): State<AppState>, request: Request) -> Response {
    room_page(state, RoomName::lobby(), request).await
}

/// `GET /r/{room}`: a room's page.
pub(crate) async fn room(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let requested = requested_name(&path);
    match room_from_path(path) {
        Ok(room_name) => room_page(state, room_name, request).await,
        Err(error) => no_such_room(&state, error, &requested, request.uri()),
    }
}

/// `POST /r/{room}/someone-else`: gives the browser a new identity, and redirects to the room's page.
///
/// Requests from other sites are ignored where the browser marks them with `Sec-Fetch-Site`. Over plain HTTP
/// it does not, and `Origin` is null in our own forms too, as our pages send no referrer; all that such a
/// request could do is to give the visitor a new identity.
pub(crate) async fn switch_person(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(room) = room_from_path(path) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = Redirect::to(&format!("/r/{room}")).into_response();
    let is_cross_site =
        headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() != b"same-origin");
    // Without a cookie: a new person.
    let person = state.cookies.identify(&HeaderMap::new());
    if let (false, Ok(person)) = (is_cross_site, person)
        && let Some(cookie) = state.cookies.set_cookie(person)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The text in the place of the room's name in the path.
pub(crate) fn requested_name(path: &Result<Path<String>, PathRejection>) -> String {
    path.as_ref().map(|Path(name)| name.clone()).unwrap_or_default()
}

/// A redirect to the intended room, or a page that explains why the name is invalid.
pub(crate) fn no_such_room(
    state: &AppState,
    error: RoomNameError,
    requested: &str,
    uri: &Uri,
) -> Response {
    if error == RoomNameError::UpperCase {
        return redirect_to_lower_case(requested, uri);
    }
    let suggestion = RoomName::suggest(requested);
    not_found_page(state, &error.to_string(), suggestion.as_ref())
}

/// The page for every unknown path.
pub(crate) async fn not_found(State(state): State<AppState>) -> Response {
    not_found_page(&state, "There is no page at this address.", None)
}

async fn room_page(state: AppState, room: RoomName, request: Request) -> Response {
    let Ok(person) = state.cookies.identify(request.headers()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mode = display_mode(request.uri());
    let you = state.cookies.public_id(person, &room);
    // The kiosk view does not join the room, so no row waits for it.
    if mode == DisplayMode::Page {
        state.hub.note_page_load(&room, you);
    }
    let (list, away) = state.hub.first_rows(&room, Some(you), MOST_ROWS);
    let server_rendered = ServerRendered {
        room: room.clone(),
        address: room_url(state.public_url.as_deref(), state.spoken, request.headers(), &room),
        counts: state.hub.count_history(&room),
        mode,
    };
    let page = RoomPage { room, list, away };
    let options = state.leptos.clone();
    let nonce = Nonce::new();
    let own_nonce = nonce.clone();
    let render = leptos_axum::render_app_async_with_context(
        move || {
            provide_context(page.clone());
            provide_context(server_rendered.clone());
            // It replaces the nonce that leptos_axum provides and gives no access to.
            provide_context(own_nonce.clone());
        },
        move || shell(options.clone()),
    );
    let mut response: Response<Body> = render(request).await;
    set_page_policy(response.headers_mut(), &nonce, Framing::Forbidden, state.header_policy);
    if let Some(cookie) = state.cookies.set_cookie(person) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    no_cache(response)
}

/// `GET /privacy`: the privacy page.
pub(crate) async fn privacy(State(state): State<AppState>) -> Response {
    let mut response = Html(privacy_document(&state.leptos)).into_response();
    set_page_policy(response.headers_mut(), &Nonce::new(), Framing::Forbidden, state.header_policy);
    no_cache(response)
}

/// `?wall` requests the kiosk view.
fn display_mode(uri: &Uri) -> DisplayMode {
    let is_kiosk = |part: &str| part == "wall" || part.starts_with("wall=");
    match uri.query() {
        Some(query) if query.split('&').any(is_kiosk) => DisplayMode::Kiosk,
        _ => DisplayMode::Page,
    }
}

fn not_found_page(state: &AppState, reason: &str, suggestion: Option<&RoomName>) -> Response {
    let document = Html(not_found_document(&state.leptos, reason, suggestion));
    let mut response = (StatusCode::NOT_FOUND, document).into_response();
    // The page has no inline script, so the nonce is used nowhere.
    set_page_policy(response.headers_mut(), &Nonce::new(), Framing::Forbidden, state.header_policy);
    no_cache(response)
}

/// Redirects to the same path with the room's name in lower case.
///
/// The name is the decoded one, as an escape like `%54` can contain an upper-case letter too.
fn redirect_to_lower_case(requested: &str, uri: &Uri) -> Response {
    let rest: String = uri.path().split('/').skip(3).flat_map(|part| ["/", part]).collect();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let room = requested.to_ascii_lowercase();
    Redirect::permanent(&format!("/r/{room}{rest}{query}")).into_response()
}

/// Pages depend on the person and the time. `no-cache` rather than `no-store` keeps the browser's "back" instant.
pub(crate) fn no_cache(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}
