//! The room that an address names.

use app::presence::{RoomName, RoomNameError};
use axum::{
    extract::{Path, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// The room that an address names. A path that is not even UTF-8 names none either.
pub(crate) fn room_from_path(
    path: Result<Path<String>, PathRejection>,
) -> Result<RoomName, RoomNameError> {
    let Path(name) = path.map_err(|_| RoomNameError::Characters)?;
    name.parse()
}

/// The answer to a program that asked for what is no room: it says why.
pub(crate) fn room_not_found(fault: RoomNameError) -> Response {
    (StatusCode::NOT_FOUND, format!("{fault}\n")).into_response()
}
