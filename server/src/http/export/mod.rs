//! `GET /api/rooms/{room}/roll.csv`, `…/roll.txt` and `…/roll.xlsx`: the list as a file, or with `?session` who came
//! and went.

mod csv;
pub(crate) mod local_time;
pub(crate) mod options;
mod session;
mod text;
mod xlsx;

use std::sync::Arc;

use app::presence::{ExistingUsers, RoomName};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use registry::hub::attendance::AttendanceReport;

use self::options::ExportOptions;
use super::{
    app_state::AppState,
    compression::Coding,
    documents::DocumentKind,
    room_path::{room_from_path, room_not_found},
};
use crate::admission::Account;

/// The type of a workbook, which is a compressed file.
pub(crate) const XLSX_TYPE: &str =
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// For requests whose turn did not come, in seconds.
const RETRY_AFTER: &str = "10";

/// The list as CSV.
pub(crate) async fn csv(
    State(state): State<AppState>,
    account: Account,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let content_type = "text/csv; charset=utf-8; header=present";
    let write = |_: &RoomName, subject: &Subject, options: ExportOptions| {
        let table = match subject {
            Subject::List(list) => csv::as_csv(list, options),
            Subject::Session(report) => session::as_csv(report, options),
        };
        Ok(table.into_bytes())
    };
    let coding = Coding::accepted_by(&headers);
    let format = Format { extension: "csv", content_type, kind: DocumentKind::Csv, coding };
    export(&state, account, path, &uri, format, write).await
}

/// The list as text.
pub(crate) async fn text(
    State(state): State<AppState>,
    account: Account,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let write = |room: &RoomName, subject: &Subject, options: ExportOptions| {
        let text = match subject {
            Subject::List(list) => text::as_text(room, list, options),
            Subject::Session(report) => session::as_text(room, report, options),
        };
        Ok(text.into_bytes())
    };
    let content_type = "text/plain; charset=utf-8";
    let coding = Coding::accepted_by(&headers);
    let format = Format { extension: "txt", content_type, kind: DocumentKind::Text, coding };
    export(&state, account, path, &uri, format, write).await
}

/// The list as a workbook.
pub(crate) async fn xlsx(
    State(state): State<AppState>,
    account: Account,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Response {
    let write = |_: &RoomName, subject: &Subject, options: ExportOptions| {
        let workbook = match subject {
            Subject::List(list) => xlsx::as_xlsx(list, options),
            Subject::Session(report) => session::as_xlsx(report, options),
        };
        workbook.map_err(ExportError::from)
    };
    let format = Format {
        extension: "xlsx",
        content_type: XLSX_TYPE,
        kind: DocumentKind::Workbook,
        // It is compressed already.
        coding: Coding::Identity,
    };
    export(&state, account, path, &uri, format, write).await
}

/// What is exported.
enum Subject {
    /// Who is here now.
    List(ExistingUsers),
    /// Who came and went.
    Session(AttendanceReport),
}

/// Why a list is not exported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Options(#[from] options::ExportOptionsError),
    #[error(
        "This server does not keep who came and went. Whoever runs it can set keep-attendance, for example to 12h."
    )]
    NoAttendance,
    #[error("Others are reading long lists right now. Try again in some seconds.")]
    Busy,
    #[error("The list can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("The workbook can't be written: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    #[error("The list can't be written.")]
    Panicked,
}

impl IntoResponse for ExportError {
    fn into_response(self) -> Response {
        let sentence = format!("{self}\n");
        match self {
            Self::Options(_) => (StatusCode::BAD_REQUEST, sentence).into_response(),
            Self::NoAttendance => (StatusCode::NOT_FOUND, sentence).into_response(),
            Self::Busy => {
                let retry_after = [(header::RETRY_AFTER, RETRY_AFTER)];
                (StatusCode::SERVICE_UNAVAILABLE, retry_after, sentence).into_response()
            }
            Self::Json(_) | Self::Workbook(_) | Self::Panicked => {
                tracing::error!(error = %self, "a list could not be exported");
                (StatusCode::INTERNAL_SERVER_ERROR, sentence).into_response()
            }
        }
    }
}

/// A file that a list can be exported as.
struct Format {
    extension: &'static str,
    content_type: &'static str,
    kind: fn(ExportOptions) -> DocumentKind,
    coding: Coding,
}

async fn export(
    state: &AppState,
    account: Account,
    path: Result<Path<String>, PathRejection>,
    uri: &Uri,
    format: Format,
    write: impl FnOnce(&RoomName, &Subject, ExportOptions) -> Result<Vec<u8>, ExportError>
    + Send
    + 'static,
) -> Response {
    let room = match room_from_path(path) {
        Ok(room) => room,
        Err(error) => return room_not_found(error),
    };
    let options = match ExportOptions::parse(uri.query().unwrap_or_default()) {
        Ok(options) => options,
        Err(error) => return ExportError::from(error).into_response(),
    };
    let Format { extension, content_type, kind, coding } = format;
    let suffix = if options.is_session { "-session" } else { "" };
    // A room's name has no characters that need escaping.
    let attachment = format!(r#"attachment; filename="rollcall-{room}{suffix}.{extension}""#);
    state.look_up(&room).await;
    let hub = Arc::clone(&state.hub);
    let document = (room, kind(options));
    let written = state.documents.get(&state.hub, account, document, coding, move |room| {
        let subject = if options.is_session {
            Subject::Session(hub.attendance(room).ok_or(ExportError::NoAttendance)?)
        } else {
            Subject::List(hub.snapshot(room, None, usize::MAX))
        };
        write(room, &subject, options)
    });
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, attachment),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let written = written.await;
    written.map(|document| (document.headers(), headers, document.content)).into_response()
}

#[cfg(test)]
mod tests {
    use app::presence::{Name, PresenceState, User};

    use super::*;

    /// People of these names, of whom the second is away.
    pub(super) fn list(names: &[String]) -> ExistingUsers {
        let users = names.iter().enumerate().map(|(number, name)| User {
            id: format!("user---{number:04}").parse().unwrap(),
            name: Name::parse(name).unwrap(),
            joined: 1_700_000_000 + u64::try_from(number).unwrap(),
            state: if number == 1 { PresenceState::Away } else { PresenceState::Here },
        });
        ExistingUsers {
            epoch: "e1".parse().unwrap(),
            seq: 1,
            you: None,
            now: 1_795_521_600_123,
            count: names.len(),
            users: users.collect(),
        }
    }

    /// The largest room that the default settings allow.
    #[test]
    fn list_of_ten_thousand_is_exported_in_every_format() {
        let list = list(&vec!["Ana".to_owned(); 10_000]);
        let options = ExportOptions::parse("").unwrap();
        assert_eq!(csv::as_csv(&list, options).lines().count(), 10_001);
        assert!(xlsx::as_xlsx(&list, options).unwrap().len() > 100_000);
    }

    #[test]
    fn turn_that_does_not_come_is_a_503() {
        let response = ExportError::Busy.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], RETRY_AFTER);
    }
}
