//! What pages of other origins may load and read.

use std::fs;

use server::websocket::connection::ConnectionConfig;

use crate::support::{TestServer, body, header};

const ALLOW: &str = "access-control-allow-origin";
const FRIEND: &str = "Origin: https://friend.test\r\n";
const STRANGER: &str = "Origin: https://stranger.test\r\n";

fn server_with(settings: &str) -> TestServer {
    let server = TestServer::start_with(settings, ConnectionConfig::default());
    let site = server.state_directory().with_file_name("site");
    for name in ["client.js", "roll-call.js", "start.js"] {
        fs::write(site.join(name), "// a script").unwrap();
    }
    server
}

fn server_with_a_friend() -> TestServer {
    server_with("[limits]\nallowed-origins = [\"https://friend.test\"]")
}

#[tokio::test]
async fn any_page_may_load_the_client_and_revalidates_it() {
    let server = server_with("public-url = \"https://host.example/below\"");
    for path in ["/client.js", "/roll-call.js", "/below/client.js", "/below/roll-call.js"] {
        let file = server.get_with(path, STRANGER).await;
        assert!(file.starts_with("HTTP/1.1 200"), "{path}: {file}");
        assert_eq!(header(&file, ALLOW), Some("*"), "{path}");
        assert_eq!(header(&file, "cross-origin-resource-policy"), Some("cross-origin"), "{path}");
        assert_eq!(header(&file, "cache-control"), Some("no-cache"), "{path}");
        assert_eq!(header(&file, "content-type"), Some("text/javascript"), "{path}");
        let known = format!("If-None-Match: {}\r\n", header(&file, "etag").unwrap());
        let again = server.get_with(path, &known).await;
        assert!(again.starts_with("HTTP/1.1 304"), "{path}: {again}");
        assert_eq!(header(&again, ALLOW), Some("*"), "{path}");
        assert_eq!(header(&again, "cache-control"), Some("no-cache"), "{path}");
    }
    let own = server.get_with("/start.js", STRANGER).await;
    assert_eq!(header(&own, ALLOW), None, "{own}");
    assert_eq!(header(&own, "cache-control"), Some("public, max-age=3600"));
}

#[tokio::test]
async fn only_pages_of_allowed_origins_may_read_lists_exports_and_streams() {
    let server = server_with_a_friend();
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    for path in [
        "/api/rooms/team/users",
        "/api/rooms/team/roll.csv",
        "/api/rooms/team/roll.txt",
        "/api/rooms/team/roll.xlsx",
        "/api/rooms/team/events",
        "/api/events?rooms=team,lobby",
        // Why there is no list.
        "/api/rooms/a_b/users",
        "/api/events?rooms=",
        "/api/rooms/team/roll.csv?session",
    ] {
        for (origin, allowed) in [
            (FRIEND, Some("https://friend.test")),
            (STRANGER, None),
            ("Origin: null\r\n", None),
            ("", None),
        ] {
            let head = server.response_head_with(path, origin).await;
            assert_eq!(header(&head, ALLOW), allowed, "{path} {origin}");
            let policy = if allowed.is_some() { "cross-origin" } else { "same-origin" };
            assert_eq!(
                header(&head, "cross-origin-resource-policy"),
                Some(policy),
                "{path} {origin}"
            );
            assert_eq!(header(&head, "access-control-allow-credentials"), None);
            // A shared cache must not give one origin's answer to another.
            let vary: Vec<_> =
                head.lines().filter_map(|line| line.strip_prefix("vary: ")).collect();
            assert!(vary.iter().any(|vary| vary.contains("origin")), "{path}: {head}");
        }
    }
    // Pages are for their own origin alone.
    for path in ["/r/team", "/r/team/embed", "/r/team/print"] {
        assert_eq!(header(&server.get_with(path, FRIEND).await, ALLOW), None, "{path}");
    }
}

#[tokio::test]
async fn page_of_any_origin_can_read_why_its_socket_is_refused() {
    let server = server_with_a_friend();
    for (origin, status, code) in [
        ("https://friend.test", "426", "upgrade_required"),
        ("https://stranger.test", "403", "origin_not_allowed"),
    ] {
        let path = format!("/r/team/socket?origin={origin}");
        let from_page = format!("Origin: {origin}\r\nSec-Fetch-Site: cross-site\r\n");
        let answer = server.get_with(&path, &from_page).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert_eq!(header(&answer, ALLOW), Some("*"));
        assert!(body(&answer).contains(code), "{answer}");
    }
}
