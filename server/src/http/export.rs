//! `GET /api/rooms/{room}/roll.csv` and `…/roll.txt`: the list as a file.

use std::time::{Duration, UNIX_EPOCH};

use app::presence::{ExistingUsers, PresenceState, RoomName};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::header,
    response::{IntoResponse, Response},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    app_state::AppState,
    room_path::{room_from_path, room_not_found},
};

/// Spreadsheets run a cell that begins with one of these as a formula.
const FORMULA_PREFIXES: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// The list as CSV (RFC 4180).
pub(crate) async fn csv(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    export(&state, path, "csv", "text/csv; charset=utf-8; header=present", |_, list| as_csv(list))
}

/// The list as text.
pub(crate) async fn text(
    State(state): State<AppState>,
    path: Result<Path<String>, PathRejection>,
) -> Response {
    export(&state, path, "txt", "text/plain; charset=utf-8", as_text)
}

fn export(
    state: &AppState,
    path: Result<Path<String>, PathRejection>,
    extension: &str,
    content_type: &'static str,
    write: impl FnOnce(&RoomName, &ExistingUsers) -> String,
) -> Response {
    let room = match room_from_path(path) {
        Ok(room) => room,
        Err(error) => return room_not_found(error),
    };
    let list = state.hub.snapshot(&room, None, usize::MAX);
    // A room's name has no characters that need escaping.
    let attachment = format!(r#"attachment; filename="rollcall-{room}.{extension}""#);
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, attachment),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, write(&room, &list)).into_response()
}

/// A header and a line for each person.
///
/// It begins with a byte order mark: without one, Excel does not decode it as UTF-8.
fn as_csv(list: &ExistingUsers) -> String {
    let mut table = String::from("\u{feff}name,state,here since\r\n");
    for user in &list.users {
        let state = user.state.as_str();
        let line = [cell(user.name.as_str()), cell(state), cell(&date(user.joined))].join(",");
        table.push_str(&line);
        table.push_str("\r\n");
    }
    table
}

/// A cell, always quoted, which is valid for any text.
fn cell(text: &str) -> String {
    // Spreadsheets show a cell with an apostrophe as text, without the apostrophe.
    let mark = if text.starts_with(FORMULA_PREFIXES) { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

/// A line with room, count and time, then a line for each person.
fn as_text(room: &RoomName, list: &ExistingUsers) -> String {
    let count = match list.count {
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    };
    let mut text = format!("{room}: {count}, {}\n", date(list.now / 1_000));
    if !list.users.is_empty() {
        text.push('\n');
    }
    for user in &list.users {
        text.push_str(user.name.as_str());
        if user.state != PresenceState::Here {
            text.extend([" (", user.state.as_str(), ")"]);
        }
        text.push('\n');
    }
    text
}

/// A time in UTC, as RFC 3339 has it.
fn date(unix_seconds: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(unix_seconds);
    OffsetDateTime::from(time).format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use app::presence::{Name, User};
    use proptest::prelude::*;

    use super::*;

    fn list(names: &[String]) -> ExistingUsers {
        let users = names.iter().enumerate().map(|(number, name)| User {
            id: format!("user----{number:03}").parse().unwrap(),
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

    /// Parses CSV (RFC 4180, section 2).
    fn parse_csv(table: &str) -> Vec<Vec<String>> {
        let mut records = vec![vec![String::new()]];
        let mut characters = table.chars().peekable();
        let mut is_quoted = false;
        while let Some(character) = characters.next() {
            let record = records.last_mut().unwrap();
            match character {
                '"' if is_quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    record.last_mut().unwrap().push('"');
                }
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => record.push(String::new()),
                '\r' if !is_quoted => {
                    assert_eq!(characters.next(), Some('\n'));
                    records.push(vec![String::new()]);
                }
                other => record.last_mut().unwrap().push(other),
            }
        }
        assert!(!is_quoted);
        assert_eq!(records.pop(), Some(vec![String::new()]), "the last line is ended too");
        records
    }

    fn any_name() -> impl Strategy<Value = String> {
        let any = prop_oneof![any::<String>(), "[=+@＝-]?[a-c\",']{1,6}"];
        any.prop_filter("names only", |name| Name::parse(name).is_ok())
    }

    proptest! {
        /// For any names, a reader finds each in its place, and none is a formula.
        #[test]
        fn every_name_is_a_text_cell(names in prop::collection::vec(any_name(), 0..9)) {
            let list = list(&names);
            let table = as_csv(&list);
            let records = parse_csv(table.strip_prefix('\u{feff}').unwrap());
            prop_assert_eq!(&records[0], &["name", "state", "here since"]);
            prop_assert_eq!(records.len(), names.len() + 1);
            for (record, user) in records[1..].iter().zip(&list.users) {
                let [name, state, since] = &record[..] else { panic!("{record:?}") };
                let text = user.name.as_str();
                prop_assert!(name == text || *name == format!("'{text}"), "{}", name);
                prop_assert!(!name.starts_with(FORMULA_PREFIXES));
                prop_assert_eq!(name == text, !text.starts_with(FORMULA_PREFIXES));
                prop_assert_eq!(state, user.state.as_str());
                prop_assert!(since.ends_with('Z'));
            }
        }
    }

    #[test]
    fn a_name_like_a_formula_is_marked_as_text() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("@sum"), "\"'@sum\"");
        assert_eq!(cell("Ana \"the\" Sousa, PhD"), "\"Ana \"\"the\"\" Sousa, PhD\"");
    }

    #[test]
    fn the_text_begins_with_room_count_and_time() {
        let room = "team-7".parse().unwrap();
        let names = ["Ana".to_owned(), "Bo".to_owned()];
        let text = as_text(&room, &list(&names));
        assert_eq!(text, "team-7: 2 people, 2026-11-24T12:00:00Z\n\nAna\nBo (away)\n");
        assert_eq!(as_text(&room, &list(&[])), "team-7: 0 people, 2026-11-24T12:00:00Z\n");
    }
}
