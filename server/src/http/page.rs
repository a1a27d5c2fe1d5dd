//! The pages: a room, rendered with its list, and the one that says why there is none.

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
    room_url::room_address,
    security_headers::{Framing, set_page_policy},
};

/// How many rows the first HTML holds; the socket brings the rest.
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
    let wanted = requested_name(&path);
    match room_from_path(path) {
        Ok(room_name) => room_page(state, room_name, request).await,
        Err(fault) => no_such_room(&state, fault, &wanted, request.uri()),
    }
}

/// `POST /r/{room}/someone-else`: the room's page anew, for somebody who was never here.
///
/// A form on another site could only make a visitor somebody new; where browsers say so, it does not. Over plain
/// HTTP they say nothing, and `Origin` is no help, as a page that names no referrer sends none of its own either.
pub(crate) async fn switch_person(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(room) = room_from_path(path) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = Redirect::to(&format!("/r/{room}")).into_response();
    let is_from_elsewhere =
        headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() != b"same-origin");
    // Whoever comes without a cookie is new.
    let person = state.cookies.identify(&HeaderMap::new());
    if let (false, Ok(person)) = (is_from_elsewhere, person)
        && let Some(cookie) = state.cookies.set_cookie(person)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// What stands in the address where a room's name should.
pub(crate) fn requested_name(path: &Result<Path<String>, PathRejection>) -> String {
    path.as_ref().map(|Path(name)| name.clone()).unwrap_or_default()
}

/// What names no room leads to the room that it means, or to the page that says why it means none.
pub(crate) fn no_such_room(
    state: &AppState,
    fault: RoomNameError,
    wanted: &str,
    uri: &Uri,
) -> Response {
    if fault == RoomNameError::UpperCase {
        return to_lower_case(wanted, uri);
    }
    let nearest = RoomName::suggest(wanted);
    not_found_page(state, &fault.to_string(), nearest.as_ref())
}

/// Everything else: the page that says that there is nothing.
pub(crate) async fn not_found(State(state): State<AppState>) -> Response {
    not_found_page(&state, "There is no page at this address.", None)
}

async fn room_page(state: AppState, room: RoomName, request: Request) -> Response {
    let Ok(person) = state.cookies.identify(request.headers()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mode = look_of(request.uri());
    let you = state.cookies.public_id(person, &room);
    // A screen on the wall lists nobody: no row waits for it.
    if mode == DisplayMode::Page {
        state.hub.note_page_load(&room, you);
    }
    let list = state.hub.snapshot(&room, Some(you), MOST_ROWS);
    let drawn = ServerRendered {
        room: room.clone(),
        address: room_address(state.public_url.as_deref(), state.spoken, request.headers(), &room),
        counts: state.hub.count_history(&room),
        mode,
    };
    let page = RoomPage { room, list };
    let options = state.leptos.clone();
    let nonce = Nonce::new();
    let own_nonce = nonce.clone();
    let render = leptos_axum::render_app_async_with_context(
        move || {
            provide_context(page.clone());
            provide_context(drawn.clone());
            // In the place of the one that was made for this page already, which nobody is told.
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

/// `GET /privacy`: what is kept, where and how long.
pub(crate) async fn privacy(State(state): State<AppState>) -> Response {
    let mut response = Html(privacy_document(&state.leptos)).into_response();
    set_page_policy(response.headers_mut(), &Nonce::new(), Framing::Forbidden, state.header_policy);
    no_cache(response)
}

/// `?wall` asks for the page as a screen on the wall shows it.
fn look_of(uri: &Uri) -> DisplayMode {
    let is_wall = |part: &str| part == "wall" || part.starts_with("wall=");
    match uri.query() {
        Some(query) if query.split('&').any(is_wall) => DisplayMode::Kiosk,
        _ => DisplayMode::Page,
    }
}

fn not_found_page(state: &AppState, why: &str, nearest: Option<&RoomName>) -> Response {
    let document = Html(not_found_document(&state.leptos, why, nearest));
    let mut response = (StatusCode::NOT_FOUND, document).into_response();
    // Nothing in it is a script, so nobody is told the nonce.
    set_page_policy(response.headers_mut(), &Nonce::new(), Framing::Forbidden, state.header_policy);
    no_cache(response)
}

/// To the room of that name in lower case, which is one; what follows the name stays as it is.
///
/// The name is taken as it was read, since an escape like `%54` has an upper-case letter in it too.
fn to_lower_case(wanted: &str, uri: &Uri) -> Response {
    let rest: String = uri.path().split('/').skip(3).flat_map(|part| ["/", part]).collect();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let room = wanted.to_ascii_lowercase();
    Redirect::permanent(&format!("/r/{room}{rest}{query}")).into_response()
}

/// A page is one person's and one moment's. `no-cache` and not `no-store`, so that "back" is instant.
pub(crate) fn no_cache(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}
