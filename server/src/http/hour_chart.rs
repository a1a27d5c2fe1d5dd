//! `GET /r/{room}/past-hour`: the picture of a room's last hour, drawn anew for a page that has it already.

use app::ssr::picture_of_the_past_hour;
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::header,
    response::{Html, IntoResponse, Response},
};

use super::{
    app_state::AppState,
    room_path::{no_room, room_of},
};

/// What stands within the page's `<figure>`.
pub(crate) async fn past_hour(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    match room_of(path) {
        Ok(room) => {
            let picture = picture_of_the_past_hour(&state.hub.counts(&room));
            ([(header::CACHE_CONTROL, "no-store")], Html(picture)).into_response()
        }
        Err(fault) => no_room(fault),
    }
}
