//! The pages: a room, rendered with its list, privacy, and "not found".

use std::time::Duration;

use app::{
    presence::{ExistingUsers, RoomName, RoomNameError, UserId},
    ssr::{
        Language, MOST_ON_WALL, NotFound, RoomsKeptBy, UseOfNames, not_found_document,
        privacy_document, room_parts, shell,
    },
    state::{DisplayMode, RoomPage, ServerRendered},
};
use axum::{
    body::{Body, to_bytes},
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use leptos::{nonce::Nonce, prelude::provide_context};
use registry::hub::FirstRows;
use tokio::runtime::Handle;

use super::{
    app_state::AppState,
    compression::{Coding, Effort},
    near_miss::{is_embed, suggestion, without_extra_slashes},
    offload::{Offload, OffloadError},
    page_language::PageLanguage,
    room_path::{room_from_path, room_not_found},
    room_url::room_url,
    security_headers::{Framing, set_page_policy},
    visit::Visit,
};
use crate::{
    admission::{Account, Rejection},
    identity::person_cookie::PersonCookies,
    room_access::Permission,
};

/// How long a page waits to be rendered.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// `GET /`: the lobby's page.
pub(crate) async fn lobby(
    State(state): State<AppState>,
    visit: Visit,
    account: Account,
    permission: Permission,
    request: Request,
) -> Response {
    room_page(state, visit, account, permission, RoomName::lobby(), request).await
}

/// `GET /r/{room}`: a room's page.
pub(crate) async fn room(
    State(state): State<AppState>,
    visit: Visit,
    account: Account,
    path: Result<Path<String>, PathRejection>,
    permission: Result<Permission, StatusCode>,
    request: Request,
) -> Response {
    let requested = requested_name(&path);
    match room_from_path(path) {
        Ok(room_name) => match permission {
            Ok(permission) => {
                room_page(state, visit, account, permission, room_name, request).await
            }
            Err(status) => status.into_response(),
        },
        Err(error) => {
            let language = PageLanguage::of(request.uri(), request.headers());
            no_such_room(&state, language, error, &requested, request.uri(), Framing::Forbidden)
        }
    }
}

/// `POST /r/{room}/someone-else`: gives the browser a new identity, and redirects to the room's page. The token with
/// which it entered this room is forgotten: it is of who was here before.
///
/// Over plain HTTP another site that hides its origin can't be told from our own form, which hides it too, as our pages
/// send no referrer; all that such a request could do is to give the visitor a new identity.
pub(crate) async fn switch_person(
    State(state): State<AppState>,
    visit: Visit,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = state.refuse_other_pages(&headers, &visit) {
        return *refused;
    }
    let Ok(room) = room_from_path(path) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = Redirect::to(&state.base_path().room(&room)).into_response();
    if let Ok(person) = PersonCookies::new_person()
        && let Some(cookie) = state.cookies.set_cookie(person, state.site_port(&visit))
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    if state.access.knows_tokens() {
        for cookie in state.cookies.no_token_cookies(&room, state.site_port(&visit)) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
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
    language: PageLanguage,
    error: RoomNameError,
    requested: &str,
    uri: &Uri,
    framing: Framing,
) -> Response {
    if error == RoomNameError::UpperCase {
        return redirect_to_lower_case(state, requested, uri);
    }
    let suggestion = suggestion(requested);
    not_found_page(state, language, NotFound::Room(error), suggestion.as_ref(), framing)
}

/// A redirect from a path that is only written in another way, or the page for every unknown path.
pub(crate) async fn not_found(
    State(state): State<AppState>,
    language: PageLanguage,
    uri: Uri,
) -> Response {
    if let Some(path) = without_extra_slashes(uri.path()) {
        return permanent_redirect(&state, &path, &uri);
    }
    not_found_page(&state, language, NotFound::NoPage, None, Framing::Forbidden)
}

/// The page for a path that is known in part only: a redirect would lose the rest.
pub(crate) async fn no_such_file(
    State(state): State<AppState>,
    language: PageLanguage,
) -> Response {
    not_found_page(&state, language, NotFound::NoPage, None, Framing::Forbidden)
}

async fn room_page(
    state: AppState,
    visit: Visit,
    account: Account,
    permission: Permission,
    room: RoomName,
    request: Request,
) -> Response {
    let port = state.site_port(&visit);
    let known = state.cookies.known(request.headers(), port);
    let Ok(person) = known.map_or_else(PersonCookies::new_person, Ok) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // The cookie stays the browser's own: a token's person is nobody's cookie.
    let you = state.access.public_id(&permission, person, &room);
    state.look_up(&room).await;
    let mode = display_mode(request.uri());
    // The kiosk view does not join the room, so no row waits for it.
    if mode == DisplayMode::Page && is_visit(request.method(), request.headers()) {
        state.hub.note_page_load(&room, you);
    }
    let list = first_list(&state, account.clone(), &room, you, mode).await;
    let language = PageLanguage::of(request.uri(), request.headers());
    let rendered = render_in_turn(&state.offload, account, {
        let (state, runtime) = (state.clone(), Handle::current());
        let (language, has_cookie) = (language.language, known.is_some());
        move || {
            let rendered =
                rendered_room(&state, &visit, (room, list), has_cookie, language, request);
            // It waits for nothing, but what renders is written for an executor.
            runtime.block_on(rendered)
        }
    });
    let mut response = match rendered.await {
        Ok(Some(response)) => response,
        Ok(None) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Err(refused) => return *refused,
    };
    if let Some(cookie) = state.cookies.set_cookie(person, port) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    if let Some(cookie) = language.cookie(&state.base_path()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    no_cache(response)
}

/// Renders when it is the turn of this address, beside the threads that serve sockets.
///
/// # Errors
/// The answer to a client for whom nothing is rendered.
async fn render_in_turn<T: Send + 'static>(
    offload: &Offload,
    account: Account,
    render: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Box<Response>> {
    let turn = account.turn().await.map_err(|rejection| Box::new(rejection.into_response()))?;
    let rendered = offload.run(account, LONGEST_WAIT, move || {
        let rendered = render();
        drop(turn);
        rendered
    });
    rendered.await.map_err(|error| {
        Box::new(match error {
            OffloadError::Busy => Rejection::TooMuchWork.into_response(),
            OffloadError::Panicked => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        })
    })
}

/// A room's page, compressed; none if it can't be rendered.
async fn rendered_room(
    state: &AppState,
    visit: &Visit,
    (room, list): (RoomName, (ExistingUsers, usize)),
    has_cookie: bool,
    language: Language,
    request: Request,
) -> Option<Response> {
    let (page, server_rendered) = room_content(state, visit, room, list, &request);
    let server_rendered = ServerRendered { has_cookie, ..server_rendered };
    let coding = Coding::accepted_by(request.headers());
    let (options, base_path) = (state.leptos.clone(), state.base_path());
    let nonce = Nonce::new();
    let own_nonce = nonce.clone();
    let render = leptos_axum::render_app_async_with_context(
        move || {
            provide_context(page.clone());
            provide_context(server_rendered.clone());
            provide_context(base_path.clone());
            provide_context(language);
            // It replaces the nonce that leptos_axum provides and gives no access to.
            provide_context(own_nonce.clone());
        },
        move || shell(options.clone()),
    );
    let response: Response<Body> = render(request).await;
    let (mut parts, body) = response.into_parts();
    let document = to_bytes(body, usize::MAX).await.ok()?;
    let coded = coding.encode(document.into(), Effort::Little);
    coding.add_headers(&mut parts.headers);
    let mut response = Response::from_parts(parts, Body::from(coded));
    set_page_policy(response.headers_mut(), &nonce, Framing::Forbidden, state.header_policy);
    Some(response)
}

/// `GET /r/{room}/parts.json`: the hydrated parts of a room's page, for a page whose HTML was changed on its way.
pub(crate) async fn parts(
    State(state): State<AppState>,
    visit: Visit,
    account: Account,
    path: Result<Path<String>, PathRejection>,
    permission: Result<Permission, StatusCode>,
    request: Request,
) -> Response {
    let room = match room_from_path(path) {
        Ok(room) => room,
        Err(error) => return room_not_found(error),
    };
    let permission = match permission {
        Ok(permission) => permission,
        Err(status) => return status.into_response(),
    };
    let Ok(person) = state.cookies.identify(request.headers(), state.site_port(&visit)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let you = state.access.public_id(&permission, person, &room);
    state.look_up(&room).await;
    let mode = display_mode(request.uri());
    let list = first_list(&state, account.clone(), &room, you, mode).await;
    let offload = state.offload.clone();
    let rendered = render_in_turn(&offload, account, move || {
        let (page, server_rendered) = room_content(&state, &visit, room, list, &request);
        let language = PageLanguage::of(request.uri(), request.headers());
        let json = state.render(language, || {
            provide_context(page);
            provide_context(server_rendered);
            room_parts()
        });
        let coding = Coding::accepted_by(request.headers());
        (coding, coding.encode(json.into_bytes(), Effort::Little))
    });
    let (coding, coded) = match rendered.await {
        Ok(rendered) => rendered,
        Err(refused) => return *refused,
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "private, no-store, no-transform"),
    ];
    let mut response = (headers, coded).into_response();
    coding.add_headers(response.headers_mut());
    response
}

/// What a room's page shows to this person.
fn room_content(
    state: &AppState,
    visit: &Visit,
    room: RoomName,
    (list, away): (ExistingUsers, usize),
    request: &Request,
) -> (RoomPage, ServerRendered) {
    let mode = display_mode(request.uri());
    let host = match mode {
        DisplayMode::Page => state.host_panel(visit, request.headers(), &room),
        DisplayMode::Kiosk => None,
    };
    let past_hour = state.hub.past_hour(&room);
    let server_rendered = ServerRendered {
        room: room.clone(),
        address: room_url(state.public_url.as_ref(), visit, &room),
        counts: past_hour.counts,
        maximum: past_hour.maximum,
        activity: match mode {
            DisplayMode::Page => state.hub.recent_changes(&room),
            DisplayMode::Kiosk => Vec::new(),
        },
        mode,
        has_cookie: true,
        host,
        keep_attendance: state.hub.keeps_attendance_for(),
    };
    (RoomPage { room, list, away }, server_rendered)
}

/// The rows that a page has at first, and how many people of the whole list are away.
async fn first_list(
    state: &AppState,
    account: Account,
    room: &RoomName,
    you: UserId,
    mode: DisplayMode,
) -> (ExistingUsers, usize) {
    match mode {
        DisplayMode::Page => state.first_rows.read(&state.hub, account, room, you).await,
        // It is nobody's page.
        DisplayMode::Kiosk => state.hub.first_rows(room, None, FirstRows::Newest(MOST_ON_WALL)),
    }
}

/// `GET /privacy`: the privacy page.
pub(crate) async fn privacy(State(state): State<AppState>, language: PageLanguage) -> Response {
    let kept_by = match state.hub.server_id() {
        Some(_) => RoomsKeptBy::SeveralServers,
        None => RoomsKeptBy::OneServer,
    };
    let keep_attendance = state.hub.keeps_attendance_for();
    let names = UseOfNames { kept_by, keep_attendance, passed_on: state.names_passed_on };
    let document = state.render(language, || Html(privacy_document(&state.leptos, names)));
    let mut response = document.into_response();
    set_page_policy(response.headers_mut(), &Nonce::new(), Framing::Forbidden, state.header_policy);
    no_cache(response)
}

/// Whether somebody waits for the page that this request asks for.
///
/// Browsers fetch pages ahead of a visit that may never happen (`Sec-Purpose: prefetch;prerender`; `Purpose` and
/// `X-Moz` in older ones), and link checkers send `HEAD`.
fn is_visit(method: &Method, headers: &HeaderMap) -> bool {
    let is_ahead = |name| {
        let values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
        values.map(<[u8]>::to_ascii_lowercase).any(|value| {
            ["prefetch", "prerender", "preview"]
                .iter()
                .any(|purpose| value.windows(purpose.len()).any(|part| part == purpose.as_bytes()))
        })
    };
    *method == Method::GET
        && !["sec-purpose", "purpose", "x-purpose", "x-moz"].into_iter().any(is_ahead)
}

/// `?wall` requests the kiosk view.
fn display_mode(uri: &Uri) -> DisplayMode {
    let is_kiosk = |part: &str| part == "wall" || part.starts_with("wall=");
    match uri.query() {
        Some(query) if query.split('&').any(is_kiosk) => DisplayMode::Kiosk,
        _ => DisplayMode::Page,
    }
}

fn not_found_page(
    state: &AppState,
    language: PageLanguage,
    reason: NotFound,
    suggestion: Option<&RoomName>,
    framing: Framing,
) -> Response {
    let is_in_frame = framing == Framing::Allowed;
    let document = state.render(language, || {
        Html(not_found_document(&state.leptos, reason, suggestion, is_in_frame))
    });
    let mut response = (StatusCode::NOT_FOUND, document).into_response();
    // The page has no inline script, so the nonce is used nowhere.
    set_page_policy(response.headers_mut(), &Nonce::new(), framing, state.header_policy);
    no_cache(response)
}

/// Redirects to the same path with the room's name in lower case.
///
/// The name is the decoded one, as an escape like `%54` can contain an upper-case letter too.
fn redirect_to_lower_case(state: &AppState, requested: &str, uri: &Uri) -> Response {
    let rest: String = uri.path().split('/').skip(3).flat_map(|part| ["/", part]).collect();
    let room = requested.to_ascii_lowercase();
    permanent_redirect(state, &format!("/r/{room}{rest}"), uri)
}

/// To another path of the site, with the query of this request.
fn permanent_redirect(state: &AppState, path: &str, uri: &Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = state.base_path().below(&format!("{path}{query}"));
    let mut response = Redirect::permanent(&location).into_response();
    if is_embed(path) {
        // A cross-origin isolated page would block the redirect, and show an empty frame.
        let headers = response.headers_mut();
        set_page_policy(headers, &Nonce::new(), Framing::Allowed, state.header_policy);
    }
    response
}

/// Pages depend on the person and the time. `no-cache` rather than `no-store` keeps the browser's "back" instant;
/// `no-transform` keeps proxies from changing what is hydrated.
pub(crate) fn no_cache(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache, no-transform"));
    response
}
