//! The room in a request's path.

use app::presence::{RoomName, RoomNameError};
use axum::{
    extract::{Path, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// The room in a request's path; a path that is not UTF-8 contains none.
pub(crate) fn room_from_path(
    path: Result<Path<String>, PathRejection>,
) -> Result<RoomName, RoomNameError> {
    let Path(name) = path.map_err(|_| RoomNameError::Characters)?;
    name.parse()
}

/// The response to a program that requested an invalid room name.
pub(crate) fn room_not_found(error: RoomNameError) -> Response {
    (StatusCode::NOT_FOUND, format!("{error}\n")).into_response()
}
