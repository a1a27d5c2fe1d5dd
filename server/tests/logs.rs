//! The logs of the real program: visitors are not identifiable.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "it/support/mod.rs"]
mod support;

use support::process::ServerProcess;

#[tokio::test]
async fn logs_contain_no_names_or_secrets_and_a_span_per_connection() {
    let server = ServerProcess::start_with("log = \"trace\"");
    let mut ana = server.connect("the-secret-room").await;
    ana.announce("Anastasia", "the-secret-tab").await;
    ana.send(r#"{"event":"rename","name":"Annabella"}"#).await;
    ana.send("no JSON, says Anastasia").await;
    server.get_with("/r/the-secret-room", &format!("Cookie: {}\r\n", ana.cookie)).await;
    let cookie = ana.cookie.clone();
    let id = ana.replica.you().unwrap();
    drop(ana);
    server.wait_until_logged("the socket ends").await;
    let log = server.log();
    let value = cookie.split_once('=').unwrap().1;
    for secret in [
        "Anastasia",
        "Annabella",
        "the-secret-room",
        "the-secret-tab",
        value,
        id.as_str(),
        "person.key",
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
    let line = log.lines().find(|line| line.contains("the socket ends")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["span"]["name"], "connection", "{line}");
    assert!(line["span"]["number"].is_number(), "{line}");
}
