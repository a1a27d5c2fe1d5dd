//! `docs/protocol.md` is the contract: every frame in it is parsed by the wire types.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests fail by panicking, and print what they measured"
)]

use app::presence::{
    ClientEvent, CloseCode, Difference, PresenceState, RefusalCode, ServerEvent, User,
};
use serde_json::Value;

const PAGE: &str = include_str!("../../docs/protocol.md");

/// Turns a frame of the page (`{"event":"beat","seq":N,…`) into one with sample values.
fn sample(shape: &str) -> String {
    let mut json = String::new();
    let mut rest = shape;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => rest[1..].find('"').unwrap() + 2,
            'A'..='Z' => rest.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        match token {
            "E" => json.push_str(r#""e1""#),
            "N" | "M" | "T" | "C" => json.push('1'),
            "ID" => json.push_str(r#""AAAAAAAAAAA""#),
            "NAME" | "TEXT" => json.push_str(r#""Ana""#),
            "D" => json.push_str(r#""0123456789abcdef""#),
            "CODE" => json.push_str(r#""bad_frame""#),
            "EVENT" => json.push_str(r#""rename""#),
            "USER" => json.push_str(&sample(&shape_of_a_user())),
            "DIFFERENCE" => json.push_str(&sample(&shape_of_a_difference())),
            "?" => {}
            // More elements of a list, or an object that is defined elsewhere on the page.
            "…" if json.ends_with(',') => {
                json.pop();
            }
            "…" => json.push_str(r#""epoch":"e1","seq":1"#),
            _ => json.push_str(token),
        }
        rest = rest.strip_prefix(" or null").unwrap_or(rest);
    }
    json
}

/// The first inline code after `heading`.
fn inline_code_after(heading: &str) -> String {
    let start = PAGE.find(heading).unwrap() + heading.len();
    let code = PAGE[start..].split('`').nth(1).unwrap();
    code.to_owned()
}

fn shape_of_a_user() -> String {
    inline_code_after("\nUSER is ")
}

/// Its three fields, which are on a line each.
fn shape_of_a_difference() -> String {
    let start = PAGE.find("\nDIFFERENCE is ").unwrap();
    PAGE[start..].split('`').skip(1).step_by(2).take(3).collect::<Vec<_>>().join(",")
}

/// The frames in the table under `heading`, with sample values.
fn frames_under(heading: &str) -> Vec<String> {
    let section = PAGE.split(heading).nth(1).unwrap().split("\n### ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `{"));
    rows.map(|row| format!("{{{}", row.split(" |").next().unwrap().replace('`', "")))
        .map(|shape| sample(&shape))
        .collect()
}

fn event_of(frame: &Value) -> &str {
    frame["event"].as_str().unwrap()
}

#[test]
fn every_client_frame_is_parsed_without_loss() {
    let frames = frames_under("### From the client");
    let mut events = Vec::new();
    for text in &frames {
        let shape: Value = serde_json::from_str(text).unwrap();
        let event: ClientEvent = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), shape, "a field of {text} is lost");
        events.push(event_of(&shape).to_owned());
    }
    assert_eq!(events, ["watch", "got_a_new_user", "rename", "visible", "leave", "resync"]);
}

#[test]
fn every_server_frame_is_parsed_without_loss() {
    let frames = frames_under("### From the server");
    let mut events = Vec::new();
    for text in &frames {
        let shape: Value = serde_json::from_str(text).unwrap();
        let event: ServerEvent = serde_json::from_str(text).unwrap();
        assert_ne!(event, ServerEvent::Unknown, "{text}");
        assert_eq!(serde_json::to_value(&event).unwrap(), shape, "a field of {text} is lost");
        events.push(event_of(&shape).to_owned());
    }
    let expected = ["existing_users", "more_users", "resumed", "changes", "beat", "refused"];
    assert_eq!(events, expected);
}

#[test]
fn rows_and_differences_are_parsed_without_loss() {
    let user: User = serde_json::from_str(&sample(&shape_of_a_user())).unwrap();
    assert_eq!(user.state, PresenceState::Here);
    let text = format!("{{{}}}", sample(&shape_of_a_difference()));
    let difference: Difference = serde_json::from_str(&text).unwrap();
    assert_eq!(
        serde_json::to_value(difference).unwrap(),
        serde_json::from_str::<Value>(&text).unwrap()
    );
}

#[test]
fn every_refusal_code_and_close_code_is_on_the_page() {
    let line = PAGE.split("`refused` codes: ").nth(1).unwrap().lines().next().unwrap();
    let codes: Vec<&str> =
        line.split('`').skip(1).step_by(2).filter(|code| code.contains('_')).collect();
    assert!(codes.len() >= 8);
    for code in codes {
        let known: RefusalCode = serde_json::from_value(Value::from(code)).unwrap();
        assert_ne!(known, RefusalCode::Unknown, "{code}");
        assert_eq!(serde_json::to_value(known).unwrap(), code);
    }
    let line = PAGE.split("Close codes: ").nth(1).unwrap().lines().next().unwrap();
    for (code, meaning) in [
        (CloseCode::Normal, "/1001 as usual"),
        (CloseCode::Binary, " binary frame"),
        (CloseCode::TooBig, " frame over 4 KiB"),
        (CloseCode::Restart, " the server is restarting"),
        (CloseCode::BadFrames, " three `bad_frame` in a row"),
        (CloseCode::Unauthorized, " the room needs a valid"),
        (CloseCode::Forbidden, " the room is not for this client"),
        (CloseCode::NoFirstFrame, " no first frame"),
        (CloseCode::Replaced, " replaced by a newer socket"),
        (CloseCode::TooFast, " went on after `too_fast`"),
    ] {
        let entry = format!("{}{meaning}", code.number());
        assert!(line.split(" · ").any(|of_page| of_page.starts_with(&entry)), "{entry}");
    }
}
