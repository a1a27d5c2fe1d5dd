//! `GET /r/{room}/past-hour`: the picture of a room's last hour, drawn anew for a page that has it already.

use app::ssr::picture_of_the_past_hour;
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::header,
    response::{Html, IntoResponse, Response},
};

use super::{
    app_state::AppState,
    room_path::{room_from_path, room_not_found},
};

/// What stands within the page's `<figure>`.
pub(crate) async fn hour_chart(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    match room_from_path(path) {
        Ok(room) => {
            let picture = picture_of_the_past_hour(&state.hub.count_history(&room));
            ([(header::CACHE_CONTROL, "no-store")], Html(picture)).into_response()
        }
        Err(fault) => room_not_found(fault),
    }
}
