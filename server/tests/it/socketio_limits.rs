//! What clients of Socket.IO may not do: other sites, other versions, too much, nonsense.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use server::websocket::connection::ConnectionConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{
    TestServer, body, header,
    socketio::{IoClient, TRANSPORTS, Transport, upgrade},
};

const OPEN: &str = "/socket.io/?EIO=4&transport=polling";
const ALLOW: &str = "access-control-allow-origin";

fn error(answer: &str) -> (String, Value) {
    let status = answer.strip_prefix("HTTP/1.1 ").unwrap().get(..3).unwrap().to_owned();
    (status, serde_json::from_str(body(answer)).unwrap())
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_with_every_request() {
    let settings = "[limits]\nallowed-origins = [\"https://friend.test\"]";
    let server = TestServer::start_with(settings, ConnectionConfig::default());
    let session = IoClient::connect(&server, Transport::Polling).await;
    let poll = format!("{OPEN}&sid={}", session.sid);
    let stranger = "Origin: https://stranger.test\r\n";
    for path in [OPEN, &poll] {
        for method in ["GET", "POST", "OPTIONS"] {
            let answer = server.request(method, path, stranger).await;
            let (status, error) = error(&answer);
            assert_eq!((status.as_str(), &error["code"]), ("403", &json!("origin_not_allowed")));
            assert_eq!(header(&answer, ALLOW), None);
        }
        let cross_site = server.get_with(path, "Sec-Fetch-Site: cross-site\r\n").await;
        assert!(cross_site.starts_with("HTTP/1.1 403 "), "{cross_site}");
    }
    let friend = server.get_with(OPEN, "Origin: https://friend.test\r\n").await;
    assert!(friend.starts_with("HTTP/1.1 200 "), "{friend}");
    assert_eq!(header(&friend, ALLOW), Some("https://friend.test"));
    assert_eq!(header(&friend, "access-control-allow-credentials"), Some("true"));
    let asked = server.request("OPTIONS", OPEN, "Origin: https://friend.test\r\n").await;
    assert!(asked.starts_with("HTTP/1.1 204 "), "{asked}");
    assert_eq!(header(&asked, "access-control-allow-methods"), Some("GET, POST"));
    let own = format!("Origin: http://{}\r\n", server.address);
    let own = server.get_with(OPEN, &own).await;
    assert!(own.starts_with("HTTP/1.1 200 "), "{own}");
    assert_eq!(header(&own, ALLOW), None);
    assert_eq!(header(&own, "vary"), Some("origin"));
}

#[tokio::test]
async fn requests_of_other_protocols_get_the_codes_of_engine_io() {
    let server = TestServer::start();
    for (method, query, code) in [
        ("GET", "?EIO=3&transport=polling", 5),
        ("GET", "?transport=polling", 5),
        ("GET", "", 5),
        ("GET", "?EIO=4&transport=carrier-pigeon", 0),
        ("POST", "?EIO=4&transport=polling", 2),
        ("GET", "?EIO=4&transport=websocket", 3),
    ] {
        let answer = server.request(method, &format!("/socket.io/{query}"), "").await;
        let (status, error) = error(&answer);
        assert_eq!((status.as_str(), &error["code"]), ("400", &json!(code)), "{query}");
        assert!(error["message"].as_str().unwrap().len() > 20, "{error}");
    }
    let unknown = server.get(&format!("{OPEN}&sid=AAAAAAAAAAAAAAAA")).await;
    let (status, error) = error(&unknown);
    assert_eq!((status.as_str(), &error["code"]), ("400", &json!("1")));
    for path in ["/socket.io/1/", "/socket.io/1/?t=1", "/socket.io/socket.io.js"] {
        let answer = server.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
        assert!(body(&answer).contains("3.x or 4.x"), "{answer}");
    }
}

#[tokio::test]
async fn oversized_packets_end_the_session() {
    let server = TestServer::start();
    let name = "x".repeat(5_000);
    let polling = IoClient::connect(&server, Transport::Polling).await;
    let answer = polling.post(&format!(r#"42["got_a_new_user",{{"name":"{name}"}}]"#)).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(polling.poll().await.starts_with("HTTP/1.1 400 "));
    let mut websocket = IoClient::connect(&server, Transport::WebSocket).await;
    websocket.emit("got_a_new_user", json!({ "name": name })).await;
    assert_eq!(websocket.packet().await, None);
    assert!(!server.get("/api/rooms/lobby/users").await.contains("xxx"));
}

#[tokio::test]
async fn nonsense_is_refused_and_the_third_time_in_a_row_ends_the_session() {
    for transport in TRANSPORTS {
        let server = TestServer::start();
        let mut ana = IoClient::connect(&server, transport).await;
        for (packet, of) in [
            (r#"2["dance"]"#, Value::Null),
            (r#"2["got_a_new_user",{"name":5}]"#, json!("got_a_new_user")),
        ] {
            ana.send(packet).await;
            let (event, refusal) = ana.event().await;
            assert_eq!(event, "refused", "{refusal}");
            assert_eq!((&refusal["code"], &refusal["of"]), (&json!("bad_frame"), &of));
        }
        ana.ask("watch", json!({})).await;
        for packet in ["2[]", "2{}", "2[5]"] {
            ana.send(packet).await;
        }
        let mut refusals = 0;
        while let Some(packet) = ana.packet().await {
            assert!(packet.starts_with(r#"2["refused","#), "{packet}");
            refusals += 1;
        }
        // A session that polls has ended before it is told.
        assert_eq!(refusals, if transport == Transport::WebSocket { 2 } else { 0 });
    }
}

#[tokio::test]
async fn packets_that_are_none_end_the_session() {
    let server = TestServer::start();
    for packet in ["4hello", "49", "451-[\"a\",{\"_placeholder\":true,\"num\":0}]", "hello", ""] {
        let mut ana = IoClient::connect(&server, Transport::WebSocket).await;
        ana.send_raw(packet).await;
        assert_eq!(ana.packet().await, None, "{packet}");
        let polling = IoClient::connect(&server, Transport::Polling).await;
        polling.post(packet).await;
        assert!(!polling.poll().await.starts_with("HTTP/1.1 200 OK\r\n\r\n4"), "{packet}");
    }
    let (mut socket, _) = upgrade(&server, "EIO=4&transport=websocket", None).await.unwrap();
    socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        assert!(!message.is_binary(), "{message:?}");
    }
}

#[tokio::test]
async fn client_that_sends_too_much_at_once_is_closed() {
    let settings = "[limits]\nframe-burst = 5\nframe-rate = 1";
    for transport in TRANSPORTS {
        let server = TestServer::start_with(settings, ConnectionConfig::default());
        let mut ana = IoClient::connect(&server, transport).await;
        ana.send_all(&[r#"42["leave"]"#; 20]).await;
        while ana.packet().await.is_some() {}
    }
}

#[tokio::test]
async fn session_without_a_namespace_ends() {
    let config = ConnectionConfig {
        first_frame_within: Some(Duration::from_millis(300)),
        ..ConnectionConfig::default()
    };
    let server = TestServer::start_with("[limits]\nfirst-frame-timeout = \"1s\"", config);
    for transport in TRANSPORTS {
        let mut silent = IoClient::open(&server, transport, None).await;
        assert_eq!(silent.packet().await, None);
    }
    let mut ana = IoClient::connect(&server, Transport::WebSocket).await;
    ana.join("Ana").await;
    ana.wait_for_names(&["Ana"]).await;
}

#[tokio::test]
async fn limits_of_sockets_are_those_of_all_others() {
    let settings = "[limits]\nmax-sockets-per-person = 2\nmax-sockets-per-room = 4";
    let server = TestServer::start_with(settings, ConnectionConfig::default());
    for transport in TRANSPORTS {
        let ana = IoClient::connect(&server, transport).await;
        let cookie = Some(ana.cookie.as_str());
        let _second = IoClient::enter(&server, transport, "/r/other", cookie).await;
        let line = format!("Cookie: {}\r\n", ana.cookie);
        let refused = server.get_with(OPEN, &line).await;
        assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
        let refused = upgrade(&server, "EIO=4&transport=websocket", cookie).await.unwrap_err();
        assert!(matches!(refused, Error::Http(response) if response.status() == 429));
        // So is a second room of one session.
        let mut session = ana;
        let refused = session.enter_namespace("/r/third").await;
        assert!(refused.contains("sockets_per_person"), "{refused}");
        session.send_raw("1").await;
    }
}

#[tokio::test]
async fn room_takes_no_more_sockets_than_it_may() {
    let settings = "[limits]\nmax-sockets-per-room = 3";
    let server = TestServer::start_with(settings, ConnectionConfig::default());
    // What all clients of a namespace share is a reader of the room as well.
    let _ana = IoClient::connect(&server, Transport::WebSocket).await;
    let _bo = IoClient::connect(&server, Transport::WebSocket).await;
    let mut cy = IoClient::open(&server, Transport::WebSocket, None).await;
    let refused = cy.enter_namespace("/").await;
    assert!(refused.contains("sockets_per_room"), "{refused}");
    // Its pass is free for another room.
    assert!(cy.enter_namespace("/r/other").await.starts_with('0'));
}

/// Nothing else counts a connection that upgrades a session.
#[tokio::test]
async fn session_is_upgraded_by_one_connection_at_a_time() {
    let server = TestServer::start();
    let session = IoClient::connect(&server, Transport::Polling).await;
    let query = format!("EIO=4&transport=websocket&sid={}", session.sid);
    let (first, _) = upgrade(&server, &query, None).await.unwrap();
    for _ in 0..3 {
        let refused = upgrade(&server, &query, None).await.unwrap_err();
        assert!(matches!(refused, Error::Http(response) if response.status() == 400));
    }
    drop(first);
}

#[tokio::test]
async fn metrics_count_clients_of_socket_io_as_sockets() {
    let server = TestServer::start();
    let mut ana = IoClient::connect(&server, Transport::WebSocket).await;
    ana.join("Ana").await;
    let metrics = server.operator.get("/metrics").await;
    assert!(
        metrics.contains("rollcall_sockets 1") || metrics.contains("rollcall_sockets{"),
        "{metrics}"
    );
}
