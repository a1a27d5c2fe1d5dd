//! All public routes.

use std::sync::Arc;

use app::ssr::{COOKIE_CHECK, NEW_ROOM};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::Response,
    routing::{get, post},
};
use tower::{ServiceBuilder, util::MapResponseLayer};
use tower_http::set_header::SetResponseHeaderLayer;

#[cfg(feature = "socketio")]
use super::visit::Visit;
use super::{
    app_state::AppState,
    compression::compress,
    cookie_check, embed, enter,
    entry::{HEALTH_CHECK, with_entry},
    etag::conditional_get,
    event_stream, events_of_rooms, export, host, hour_chart, new_room,
    other_origins::{allow_files, allow_listed_origins},
    page,
    pricing::{self, Prices},
    print, qr_code,
    robots::{noindex, robots},
    room_guard::require_permission,
    security_headers::apply_security_headers,
    users, websocket_upgrade,
};
#[cfg(feature = "socketio")]
use crate::socketio::handshake::{self, SocketIo};
use crate::{api, telemetry::metrics::METRICS};
#[cfg(feature = "socketio")]
use axum::{extract::Request, routing::any};

/// For files whose name stays when they change: icon, manifest.
const CACHE_FOR_AN_HOUR: &str = "public, max-age=3600";

/// A form's longest field is a title.
const MOST_BODY_BYTES: usize = 8 * 1024;

/// The routes of pages, protocol and files.
pub(crate) fn router(state: AppState) -> Router {
    let not_found = get(page::not_found).with_state(state.clone());
    let no_such_file = get(page::no_such_file).with_state(state.clone());
    // The content behind a hashed name never changes; any other name is revalidated.
    let cache_control = if state.site.has_hashed_names(&state.leptos) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let package = ServiceBuilder::new()
        .layer(set_cache_control(cache_control))
        .layer(vary_by_encoding())
        .layer(middleware::from_fn(allow_files))
        .layer(middleware::from_fn(conditional_get))
        .service(state.site.package_service(&state.leptos.site_pkg_dir, no_such_file));
    let files = ServiceBuilder::new()
        .layer(set_cache_control(CACHE_FOR_AN_HOUR))
        .layer(vary_by_encoding())
        .layer(middleware::from_fn(allow_files))
        .layer(middleware::from_fn(conditional_get))
        .service(state.site.service(not_found));
    let header_policy = state.header_policy;
    let finish = move |mut response: Response| {
        apply_security_headers(&mut response, header_policy);
        METRICS.responded(response.status());
        response
    };
    let entered = state.clone();
    let prices = Prices {
        admission: Arc::clone(&state.admission),
        base_path: state.base_path(),
        spoken: state.spoken,
    };
    // They tell who is in a room.
    let rooms = Router::new()
        .route("/", get(page::lobby))
        .route("/r/{room}", get(page::room))
        .route("/r/{room}/parts.json", get(page::parts))
        .route("/r/{room}/someone-else", post(page::switch_person))
        .route("/r/{room}/embed", get(embed::embed))
        .route("/r/{room}/past-hour", get(hour_chart::hour_chart))
        .route("/r/{room}/print", get(print::print))
        .route("/r/{room}/qr.svg", get(qr_code::qr_code))
        .route("/api/rooms/{room}/users", get(users::users))
        .route("/api/rooms/{room}/roll.csv", get(export::csv))
        .route("/api/rooms/{room}/roll.txt", get(export::text))
        .route("/api/rooms/{room}/roll.xlsx", get(export::xlsx));
    // Not compressed: a compressor would delay events.
    let live_room = Router::new().route("/api/rooms/{room}/events", get(event_stream::events));
    let [rooms, live_room] = [rooms, live_room].map(|routes| guarded(routes, &state));
    // They tell no names, and know a host by other means.
    let doors = Router::new()
        .route("/r/{room}/enter", post(enter::enter))
        .route("/r/{room}/host", get(host::page).post(host::become_host))
        .route("/r/{room}/host/{action}", post(host::act));
    // They ask for the permission themselves: for several rooms, or later on.
    let live_rooms = live_room
        .route("/api/events", get(events_of_rooms::events_of_rooms))
        .route("/r/{room}/socket", get(websocket_upgrade::open));
    let live_rooms = with_socketio(live_rooms, &state);
    // Nor is this: its long lists come compressed already.
    let for_backends = api::routes(&state);
    let routes = Router::new()
        .route("/privacy", get(page::privacy))
        .route(NEW_ROOM, get(new_room::page).post(new_room::create))
        .route("/robots.txt", get(robots))
        .route(COOKIE_CHECK, get(cookie_check::answer))
        .merge(rooms)
        .merge(doors)
        .nest_service(&format!("/{}", state.leptos.site_pkg_dir), package)
        .fallback_service(files)
        .layer(middleware::from_fn_with_state(state.offload.clone(), compress))
        .merge(live_rooms)
        .merge(for_backends)
        .route(HEALTH_CHECK, get(async || "ok\n"))
        .layer(middleware::from_fn_with_state(state.clone(), allow_listed_origins))
        .layer(middleware::from_fn(noindex))
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .with_state(state);
    with_entry(routes, entered)
        .layer(middleware::from_fn_with_state(prices, pricing::charge))
        .layer(MapResponseLayer::new(finish))
}

/// Has routes of a room ask for permission. Where every room is open, nothing is asked.
fn guarded(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    if state.access.is_unrestricted() {
        return routes;
    }
    routes.route_layer(middleware::from_fn_with_state(state.clone(), require_permission))
}

/// Adds the addresses of Socket.IO, if its clients are served.
#[cfg(feature = "socketio")]
fn with_socketio(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    let Some(transports) = state.socketio else { return routes };
    let socket_io = SocketIo::new(state.clone(), transports);
    let answer =
        move |visit: Visit, request: Request| handshake::answer(socket_io.clone(), visit, request);
    routes
        .route("/socket.io/", any(answer))
        .route("/socket.io/{*rest}", any(handshake::no_such_address))
}

/// Without Socket.IO.
#[cfg(not(feature = "socketio"))]
fn with_socketio(routes: Router<AppState>, _: &AppState) -> Router<AppState> {
    routes
}

/// Adds `Cache-Control` to files.
fn set_cache_control(
    cache_control: &'static str,
) -> SetResponseHeaderLayer<impl Fn(&Response) -> Option<HeaderValue> + Clone> {
    SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, move |response: &Response| {
        // A 404 must not be cached for a year.
        let is_found =
            response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
        is_found.then(|| HeaderValue::from_static(cache_control))
    })
}

/// Adds `Vary`, so that shared caches keep the encodings of a file apart.
fn vary_by_encoding() -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(
        header::VARY,
        HeaderValue::from_static("accept-encoding"),
    )
}
