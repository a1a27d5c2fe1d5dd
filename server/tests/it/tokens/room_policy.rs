//! A room that needs a token tells no name at any address.

use std::collections::BTreeSet;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{NAME, Server, bearer, join_frame, status, token, watch_frame};
use crate::support::{Client, Site, body, header};

/// Where routes are added to the router.
const ROUTERS: [&str; 2] =
    [include_str!("../../../src/http/router.rs"), include_str!("../../../src/api/mod.rs")];

/// Every path of the router.
fn paths() -> BTreeSet<&'static str> {
    let of_router = ROUTERS.into_iter().flat_map(|source| {
        source.split(".route(").skip(1).filter_map(|route| route.trim_start().strip_prefix('"'))
    });
    of_router.map(|route| route.split('"').next().unwrap()).collect()
}

/// The same for a room, with what else the paths need.
fn addresses(room: &str) -> Vec<String> {
    let in_room = |path: &str| {
        path.replace("{room}", room)
            .replace("{action}", "open")
            .replace("{id}", "AAAAAAAAAAA")
            .replace("{*rest}", "x")
    };
    let mut addresses: Vec<String> = paths().into_iter().map(in_room).collect();
    addresses.push(format!("/api/events?rooms={room}"));
    for path in ["", "/parts.json"] {
        addresses.push(format!("/r/{room}{path}?wall"));
    }
    for extension in ["csv", "txt", "xlsx"] {
        addresses.push(format!("/api/rooms/{room}/roll.{extension}?session"));
    }
    // As proxies and people write them.
    addresses.extend([
        format!("/r/{}", room.replace('t', "%74")),
        format!("/r/{}/", room.to_uppercase()),
        format!("//r/{room}"),
    ]);
    addresses
}

/// What comes within the first moments, as a stream never ends: until the end, or until this text.
async fn answer(site: &Site, path: &str, headers: &str, until: &str) -> String {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
        site.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let reading = async {
        loop {
            let read = stream.read_buf(&mut answer).await.unwrap();
            if read == 0 || String::from_utf8_lossy(&answer).contains(until) {
                return;
            }
        }
    };
    timeout(std::time::Duration::from_mins(1), reading).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// A server with somebody in this room.
async fn server_with_somebody_in(room: &str) -> (Server, Client) {
    let server = Server::start_with("keep-attendance = \"1h\"");
    let mut zoraya = server.connect(room).await;
    zoraya.send(&join_frame(NAME, &token(json!({})))).await;
    zoraya.list().await;
    (server, zoraya)
}

#[tokio::test]
async fn token_room_tells_no_name_at_any_address() {
    let (server, _zoraya) = server_with_somebody_in("team-1").await;
    assert!(paths().len() >= 26, "{:?}", paths());
    for path in addresses("team-1") {
        for headers in ["", "Accept: text/html\r\n", "Origin: null\r\n"] {
            let answer = server.get_bytes(&path, headers).await;
            let answer = String::from_utf8_lossy(&answer);
            assert!(!answer.contains(NAME), "{path}: {answer}");
            assert_ne!(status(&answer), "500", "{path}: {answer}");
        }
        for method in ["POST", "HEAD", "DELETE", "OPTIONS"] {
            let answer = server.request(method, &path, "Content-Length: 0\r\n").await;
            assert!(!answer.contains(NAME), "{method} {path}: {answer}");
        }
    }
    for path in
        ["/r/team-1", "/r/team-1/print", "/api/rooms/team-1/roll.xlsx?session", "/r/team-1/qr.svg"]
    {
        let refused = server.get(path).await;
        assert_eq!(status(&refused), "401", "{path}: {refused}");
        assert_eq!(header(&refused, "www-authenticate"), Some("Bearer"), "{path}: {refused}");
        assert!(body(&refused).contains("needs a token"), "{refused}");
    }
}

#[tokio::test]
async fn token_opens_every_address_of_its_room_and_of_no_other() {
    let (server, _zoraya) = server_with_somebody_in("team-1").await;
    let own = bearer(&token(json!({ "sub": "user-8", "rooms": ["team-1"] })));
    let other = bearer(&token(json!({ "sub": "user-8", "rooms": ["team-2"] })));
    let expired = bearer(&token(json!({ "exp": super::now() - 61 })));
    let mut told = 0;
    for path in [
        "/r/team-1",
        "/r/team-1?wall",
        "/r/team-1/parts.json",
        "/r/team-1/embed",
        "/r/team-1/print",
        "/api/rooms/team-1/users",
        "/api/rooms/team-1/roll.csv",
        "/api/rooms/team-1/roll.txt",
        "/api/rooms/team-1/roll.csv?session",
        "/api/rooms/team-1/events",
        "/api/events?rooms=team-1",
    ] {
        let answered = answer(&server, path, &own, NAME).await;
        assert!(answered.contains(NAME), "{path}: {answered}");
        told += 1;
        for (headers, code) in [(&other, "403"), (&expired, "401")] {
            let refused = answer(&server, path, headers, NAME).await;
            assert_eq!(status(&refused), code, "{path}: {refused}");
            assert!(!refused.contains(NAME), "{path}: {refused}");
        }
    }
    assert_eq!(told, 11);
    // Of several rooms, those that are permitted.
    let both = answer(&server, "/api/events?rooms=team-1,lobby", "", "existing_users").await;
    assert!(
        both.contains(r#""code":"token_missing""#) && both.contains(r#""room":"lobby""#),
        "{both}"
    );
    assert!(!both.contains(NAME), "{both}");
}

#[tokio::test]
async fn bad_token_of_a_stream_of_many_rooms_counts_once() {
    let server = Server::start();
    let rooms = (0..30).map(|number| format!("r{number}")).collect::<Vec<_>>().join(",");
    let path = format!("/api/events?rooms={rooms}");
    for _ in 0..20 {
        let refused = server.get_with(&path, &bearer("a.b.c")).await;
        assert_eq!(status(&refused), "401", "{refused}");
    }
    assert_eq!(status(&server.get_with(&path, &bearer("a.b.c")).await), "429");
}

#[tokio::test]
async fn check_of_a_token_rooms_socket_tells_strangers_nothing_of_the_room() {
    let server = Server::start_with("[limits]\nmax-sockets-per-room = 1");
    let mut zoraya = server.connect("team-1").await;
    zoraya.send(&join_frame(NAME, &token(json!({})))).await;
    zoraya.list().await;
    let [full, vacant] =
        [server.get("/r/team-1/socket").await, server.get("/r/team-2/socket").await];
    assert_eq!((status(&full), body(&full)), ("426", body(&vacant)), "{full}");
    let holder = server.get_with("/r/team-1/socket", &bearer(&token(json!({})))).await;
    assert_eq!(status(&holder), "503", "{holder}");
}

#[tokio::test]
async fn pages_of_allowed_origins_may_send_a_token() {
    let server = Server::start_with("[limits]\nallowed-origins = [\"https://app.example\"]");
    let ask = async |origin: &str| {
        let headers = format!("Origin: {origin}\r\nAccess-Control-Request-Method: GET\r\n");
        server.request("OPTIONS", "/api/rooms/team-1/users", &headers).await
    };
    let allowed = ask("https://app.example").await;
    assert_eq!(status(&allowed), "204");
    assert_eq!(header(&allowed, "access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(header(&allowed, "access-control-allow-headers"), Some("authorization"));
    assert_eq!(header(&ask("https://evil.example").await, "access-control-allow-origin"), None);
}

#[tokio::test]
async fn closed_room_is_for_nobody() {
    let server = Server::start();
    let holder = bearer(&token(json!({})));
    for headers in ["", &holder] {
        for path in ["/r/old-1", "/r/old-1/embed", "/api/rooms/old-1/users", "/r/old-1/socket"] {
            let refused = server.get_with(path, headers).await;
            assert_eq!(status(&refused), "403", "{path}: {refused}");
        }
    }
    assert!(server.try_connect("old-1", None).await.is_err());
}

#[tokio::test]
async fn room_that_everybody_may_watch_is_joined_with_a_token() {
    let server = Server::start();
    let mut ana = server.connect("stage").await;
    ana.send(r#"{"event":"got_a_new_user","name":"Ana"}"#).await;
    assert_eq!(ana.refusal().await["code"], "join_not_allowed");
    ana.watch().await;
    let mut bo = server.connect("stage").await;
    bo.send(&join_frame("Bo", &token(json!({})))).await;
    ana.wait_for_names(&["Bo"]).await;
    assert_eq!(status(&server.get("/r/stage").await), "200");
    // A token says all that its holder may do.
    let mut cy = server.connect("lobby").await;
    cy.send(&join_frame("Cy", &token(json!({ "can": ["watch"] })))).await;
    assert_eq!(cy.refusal().await["code"], "join_not_allowed");
    cy.send(&watch_frame(&token(json!({ "can": ["watch"] })))).await;
    cy.list().await;
}

#[tokio::test]
async fn token_that_says_host_permits_what_a_host_may_do() {
    let (server, mut zoraya) = server_with_somebody_in("team-1").await;
    let id = zoraya.replica.you().unwrap();
    let form = format!("id={id}");
    let path = "/r/team-1/host/remove";
    for claims in [json!({}), json!({ "can": ["host"], "rooms": ["team-2"] })] {
        let refused = server.post_from(path, &bearer(&token(claims)), &form).await;
        assert_eq!(status(&refused), "403", "{refused}");
    }
    let host = bearer(&token(json!({ "can": ["host"] })));
    assert_eq!(status(&server.post_from(path, &host, &form).await), "204");
    zoraya.wait_for_names(&[]).await;
}
