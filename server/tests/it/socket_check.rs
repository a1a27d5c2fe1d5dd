//! Why a socket would be refused, as a page can ask with a plain GET.

use serde_json::Value;
use server::websocket::connection::ConnectionConfig;

use crate::support::{TestServer, body, header};

/// The status and the body's code; the message must be a sentence.
async fn check(server: &TestServer, room: &str, origin: &str) -> (String, String) {
    let answer = server.get(&format!("/r/{room}/socket?origin={origin}")).await;
    assert_eq!(header(&answer, "content-type"), Some("application/json"), "{answer}");
    assert_eq!(header(&answer, "cache-control"), Some("no-store"), "{answer}");
    let reason: Value = serde_json::from_str(body(&answer)).unwrap();
    assert!(reason["message"].as_str().unwrap().ends_with('.'), "{answer}");
    (answer[9..12].to_owned(), reason["code"].as_str().unwrap().to_owned())
}

fn is(found: &(String, String), status: &str, code: &str) -> bool {
    (&*found.0, &*found.1) == (status, code)
}

#[tokio::test]
async fn accepted_socket_would_need_an_upgrade() {
    let server = TestServer::start();
    let own = format!("http%3A%2F%2F{}", server.address);
    let found = check(&server, "team", &own).await;
    assert!(is(&found, "426", "upgrade_required"), "{found:?}");
    let answer = server.get("/r/team/socket").await;
    assert_eq!(header(&answer, "upgrade"), Some("websocket"));
    assert_eq!(header(&answer, "sec-websocket-version"), Some("13"));
    let found = check(&server, "a_b", &own).await;
    assert!(is(&found, "404", "room_name_invalid"), "{found:?}");
}

#[tokio::test]
async fn foreign_origin_is_named_as_the_reason() {
    let server = TestServer::start();
    for origin in ["https%3A%2F%2Fevil.test", "http://127.0.0.1", "null", ""] {
        let found = check(&server, "team", origin).await;
        assert!(is(&found, "403", "origin_not_allowed"), "{origin}: {found:?}");
    }
    let settings = "[limits]\nrequire-origin = true";
    let strict = TestServer::start_with(settings, ConnectionConfig::default());
    let answer = strict.get("/r/team/socket").await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("origin_missing"), "{answer}");
}

#[tokio::test]
async fn exceeded_limit_is_named_as_the_reason_and_a_check_takes_no_permit() {
    let settings = "[limits]\nmax-sockets-per-address = 1";
    let server = TestServer::start_with(settings, ConnectionConfig::default());
    let own = format!("http://{}", server.address);
    for _ in 0..3 {
        let found = check(&server, "team", &own).await;
        assert!(is(&found, "426", "upgrade_required"), "{found:?}");
    }
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let found = check(&server, "team", &own).await;
    assert!(is(&found, "429", "sockets_per_address"), "{found:?}");

    let settings = "[limits]\nmax-sockets = 1";
    let full = TestServer::start_with(settings, ConnectionConfig::default());
    let mut ana = full.connect("team").await;
    ana.join("Ana").await;
    let found = check(&full, "team", &format!("http://{}", full.address)).await;
    assert!(is(&found, "503", "sockets"), "{found:?}");

    let settings = "[limits]\nmax-sockets-per-person = 1";
    let server = TestServer::start_with(settings, ConnectionConfig::default());
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let cookie = format!("Cookie: {}\r\n", ana.cookie);
    let answer = server.get_with("/r/team/socket", &cookie).await;
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert!(answer.contains("sockets_per_person") && header(&answer, "retry-after").is_some());
}
