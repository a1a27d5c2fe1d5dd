//! docs/openapi.json and docs/asyncapi.json. Every frame, answer and webhook of the other tests is held to them as well.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    TestServer,
    described::{ASYNCAPI, OPENAPI, problem_of_message},
};

/// The frames that the JavaScript client is held to.
#[test]
fn every_recorded_frame_is_as_described() {
    let recorded = include_str!("../../../client/test/recorded-frames.jsonl");
    let mut seen = BTreeMap::new();
    for line in recorded.lines() {
        let step: Value = serde_json::from_str(line).unwrap();
        // Without one, the connection broke.
        let Some(event) = step[0]["event"].as_str() else { continue };
        // Of a later version, which a client has to ignore.
        if event == "something_new" {
            continue;
        }
        assert_eq!(problem_of_message(event, &step[0]), None, "{line}");
        *seen.entry(event.to_owned()).or_insert(0) += 1;
    }
    let events: Vec<&str> = seen.keys().map(String::as_str).collect();
    let expected = ["beat", "changes", "existing_users", "more_users", "refused", "resumed"];
    assert_eq!(events, expected, "{seen:?}");
}

#[test]
fn frame_that_is_not_as_described_is_found() {
    let valid =
        json!({ "event": "beat", "seq": 1, "count": 0, "digest": "0123456789abcdef", "now": 5 });
    assert_eq!(problem_of_message("beat", &valid), None);
    for (field, value) in [
        ("more", json!(1)),
        ("seq", json!("1")),
        ("seq", json!(-1)),
        ("digest", json!("0123456789ABCDEF")),
        ("as_of", Value::Null),
        ("event", json!("changes")),
    ] {
        let mut frame = valid.clone();
        frame[field] = value;
        assert!(problem_of_message("beat", &frame).is_some(), "{frame}");
    }
    let mut frame = valid;
    frame.as_object_mut().unwrap().remove("now");
    assert!(problem_of_message("beat", &frame).is_some(), "{frame}");
}

/// The frames of docs/protocol.md.
#[test]
fn every_event_of_the_protocol_is_described() {
    let messages = &ASYNCAPI["channels"]["socket"]["messages"];
    let described: Vec<&String> = messages.as_object().unwrap().keys().collect();
    let page = include_str!("../../../docs/protocol.md");
    let frames = page.split("\n## Frames\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = frames.lines().filter_map(|line| line.strip_prefix("| `{\"event\":\""));
    let mut events: Vec<_> = rows.map(|row| row.split('"').next().unwrap()).collect();
    events.sort_unstable();
    assert_eq!(described, events);
}

#[tokio::test]
async fn every_described_operation_is_answered_as_such() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.announce("Ana", "t1").await;
    for (path, operations) in OPENAPI["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            // Parameters of the address are no operation.
            let answers = &operation["responses"];
            if answers.is_null() {
                continue;
            }
            let target = path.replace("{room}", "team").replace("{id}", "AAAAAAAAAAA");
            let target = if path == "/api/events" { "/api/events?rooms=team" } else { &target };
            let method = method.to_uppercase();
            // A stream does not end, and a workbook is no text.
            let answer = if answers["200"]["content"].get("text/event-stream").is_some() {
                server.response_head(target).await
            } else if path.ends_with("xlsx") {
                String::from_utf8_lossy(&server.get_bytes(target, "").await).into_owned()
            } else {
                server.request(&method, target, "").await
            };
            // Without a key, a program of a backend is refused; without an upgrade, so is a socket.
            let expected = match operation["tags"][0].as_str() {
                Some("backend") => "401",
                _ if path.ends_with("/socket") => "426",
                _ => "200",
            };
            assert_eq!(answer.split(' ').nth(1), Some(expected), "{method} {target}: {answer}");
            assert!(answers.get(expected).is_some(), "{method} {target}");
            if expected == "200" {
                let media_types = answers["200"]["content"].as_object().unwrap();
                let content_type = crate::support::header(&answer, "content-type").unwrap();
                let media_type = content_type.split(';').next().unwrap();
                assert!(media_types.contains_key(media_type), "{target}: {content_type}");
            }
        }
    }
    server.stop().await;
}
