//! `GET /r/{room}/past-hour`: the chart of a room's last hour, to refresh the one in the page.

use app::ssr::picture_of_the_past_hour;
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::header,
    response::{Html, IntoResponse, Response},
};

use super::{
    app_state::AppState,
    page_language::PageLanguage,
    room_path::{room_from_path, room_not_found},
};

/// The content of the page's `<figure>`.
pub(crate) async fn hour_chart(
    State(state): State<AppState>,
    language: PageLanguage,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    match room_from_path(path) {
        Ok(room) => {
            state.look_up(&room).await;
            let past_hour = state.hub.past_hour(&room);
            let chart = state.render(language, || {
                picture_of_the_past_hour(&past_hour.counts, past_hour.maximum)
            });
            ([(header::CACHE_CONTROL, "no-store")], Html(chart)).into_response()
        }
        Err(error) => room_not_found(error),
    }
}
