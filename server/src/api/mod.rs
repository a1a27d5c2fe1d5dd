//! The API for other people's backends, on the public listener. Everything needs a key.
//!
//! What pages may read as well, like a room's list and its event stream, needs none, and is not here.

pub(crate) mod authorization;
pub mod commands;
pub(crate) mod cursor;
pub mod key;
pub mod key_file;
mod keys;
pub(crate) mod problem;
pub(crate) mod rooms;
pub mod scope;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    middleware,
    routing::{MethodRouter, delete, get, post},
};

use self::{
    authorization::{require_key, require_scope},
    cursor::MOST_COUNTED,
    problem::Problem,
    scope::Scope,
};
use crate::http::app_state::AppState;
use app::presence::RoomName;

/// The longest body of a request for counts: names with quotes and commas, and spaces between them.
const MOST_BODY_BYTES: usize = MOST_COUNTED * (RoomName::LONGEST + 6) + 64;

/// All addresses of the API, each with the scope that it needs.
pub(crate) fn routes(state: &AppState) -> Router<AppState> {
    let body_limit = DefaultBodyLimit::max(MOST_BODY_BYTES);
    Router::new()
        .route("/api/rooms", with(Scope::RoomsRead, get(rooms::all)))
        .route("/api/rooms/-/counts", with(Scope::RoomsRead, post(rooms::counts.layer(body_limit))))
        .route(
            "/api/rooms/{room}",
            with(Scope::RoomsRead, get(rooms::one))
                .merge(with(Scope::RoomsClose, delete(rooms::close))),
        )
        .route("/api/rooms/{room}/users/{id}", with(Scope::UsersRemove, delete(rooms::remove)))
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .route_layer(middleware::from_fn_with_state(state.clone(), require_key))
}

fn with(scope: Scope, handlers: MethodRouter<AppState>) -> MethodRouter<AppState> {
    handlers.route_layer(middleware::from_fn_with_state(scope, require_scope))
}
