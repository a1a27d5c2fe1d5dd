//! Tokens in frames: whose row it is, under which name, and until when.

use app::presence::ServerEvent;
use serde_json::json;
use server::websocket::connection::ConnectionConfig;

use super::{NAME, Server, join_frame, now, signed, token, watch_frame};
use crate::support::header;

#[tokio::test]
async fn first_frame_needs_a_valid_token_for_the_room() {
    let server = Server::start();
    let other_secret = "0b1c9a37f2a8d0b7139c5e64a1f08b3c7d92e654";
    for (frame, code) in [
        (r#"{"event":"watch"}"#.to_owned(), 4401),
        (r#"{"event":"got_a_new_user","name":"Ana"}"#.to_owned(), 4401),
        (watch_frame("a.b.c"), 4401),
        (watch_frame(&signed(json!({}), other_secret)), 4401),
        (watch_frame(&token(json!({ "exp": now() - 61 }))), 4401),
        (watch_frame(&token(json!({ "rooms": ["team-2", "lobby"] }))), 4403),
        (watch_frame(&token(json!({ "can": [] }))), 4403),
    ] {
        let mut ana = server.connect("team-1").await;
        ana.send(&frame).await;
        assert_eq!(ana.close_code().await, Some(code), "{frame}");
    }
    let mut ana = server.connect("team-1").await;
    ana.send(&watch_frame(&token(json!({})))).await;
    assert_eq!(ana.list().await.count, 0);
}

#[tokio::test]
async fn user_of_a_token_is_one_row_on_two_devices_and_nobodys_cookie() {
    let server = Server::start();
    let claims = json!({ "iss": "https://app.example", "name": NAME });
    let mut laptop = server.connect("team-1").await;
    laptop.send(&join_frame("", &token(claims.clone()))).await;
    assert_eq!(laptop.list().await.count, 1);
    let mut phone = server.connect("team-1").await;
    phone.send(&join_frame("Mallory", &token(claims)).replace("t1", "t2")).await;
    let list = phone.list().await;
    assert_eq!((list.count, list.users[0].name.as_str()), (1, NAME));
    assert!(list.users[0].id.is_verified());
    let users = server.get_with("/api/rooms/team-1/users", &super::bearer(&token(json!({})))).await;
    assert!(users.contains(r#""verified":true"#), "{users}");
    assert_eq!(laptop.replica.you(), phone.replica.you());
    assert_ne!(laptop.cookie, phone.cookie);
    // Another user, and the same one of another issuer, are others.
    for claims in [json!({ "sub": "user-8", "iss": "https://app.example" }), json!({})] {
        let mut other = server.connect("team-1").await;
        other.send(&watch_frame(&token(claims))).await;
        assert_ne!(other.list().await.you, phone.replica.you());
    }
    // What the browser keeps is its own person, who is not the user.
    let mut browser = server.connect_as("lobby", Some(&laptop.cookie)).await;
    let own = browser.watch().await.you;
    assert!(!own.unwrap().is_verified());
    let mut user = server.connect("lobby").await;
    user.send(&watch_frame(&token(json!({ "iss": "https://app.example" })))).await;
    assert_ne!(user.list().await.you, own);
}

#[tokio::test]
async fn name_of_a_token_is_fixed() {
    let server = Server::start();
    let mut ana = server.connect("team-1").await;
    ana.send(&join_frame("Mallory", &token(json!({ "name": NAME })))).await;
    assert_eq!(ana.list().await.users[0].name.as_str(), NAME);
    ana.send(r#"{"event":"rename","name":"Mallory"}"#).await;
    assert_eq!(ana.refusal().await["code"], "name_fixed");
    ana.send(r#"{"event":"got_a_new_user","name":"Mallory"}"#).await;
    ana.event().await;
    assert_eq!(ana.names(), [NAME]);
    // Whoever was listed under another name before is so no longer.
    let mut free = server.connect("team-1").await;
    free.send(&join_frame("Boss", &token(json!({ "sub": "user-8" })))).await;
    free.wait_for_names(&[NAME, "Boss"]).await;
    let mut fixed = server.connect("team-1").await;
    fixed.send(&join_frame("Boss", &token(json!({ "sub": "user-8", "name": "Bo" })))).await;
    fixed.wait_for_names(&[NAME, "Bo"]).await;
}

#[tokio::test]
async fn expiry_closes_with_4401_and_nobody_sees_it() {
    let server = Server::start();
    let mut watcher = server.connect("team-1").await;
    watcher.send(&watch_frame(&token(json!({ "sub": "user-8" })))).await;
    watcher.list().await;
    let mut ana = server.connect("team-1").await;
    // It is accepted for 60 s longer.
    ana.send(&join_frame("Ana", &token(json!({ "exp": now() - 57 })))).await;
    ana.list().await;
    watcher.wait_for_names(&["Ana"]).await;
    let seq = watcher.replica.position().unwrap().seq;
    assert_eq!(ana.close_code().await, Some(4401));
    let mut back = server.connect("team-1").await;
    back.send(&join_frame("Ana", &token(json!({})))).await;
    assert_eq!(back.list().await.seq, seq, "nothing has changed");
    back.send(r#"{"event":"leave"}"#).await;
    let changes = watcher.changes().await;
    assert_eq!(changes.difference.disconnect_user.left.len(), 1, "{changes:?}");
}

#[tokio::test]
async fn new_token_takes_the_place_of_one_that_expires() {
    let server = Server::start();
    let short = token(json!({ "exp": now() - 57 }));
    let mut refreshed = server.connect("team-1").await;
    refreshed.send(&join_frame("Ana", &short)).await;
    refreshed.list().await;
    let mut expiring = server.connect("team-1").await;
    expiring.send(&watch_frame(&short)).await;
    expiring.list().await;
    for refused in [
        "a.b.c".to_owned(),
        token(json!({ "sub": "user-8" })),
        token(json!({ "rooms": ["team-2"] })),
    ] {
        refreshed.send(&refresh_frame(&refused)).await;
        let refusal = refreshed.refusal().await;
        assert_eq!((&refusal["of"], &refusal["code"]), (&json!("token"), &json!("token_refused")));
    }
    refreshed.send(&refresh_frame(&token(json!({ "name": NAME })))).await;
    refreshed.wait_for_names(&[NAME]).await;
    assert_eq!(expiring.close_code().await, Some(4401));
    refreshed.send(r#"{"event":"resync"}"#).await;
    loop {
        if let ServerEvent::ExistingUsers(list) = refreshed.event().await {
            assert_eq!(list.users[0].name.as_str(), NAME);
            break;
        }
    }
}

#[tokio::test]
async fn address_may_send_twenty_invalid_tokens_a_minute_and_any_number_of_valid_ones() {
    let server = Server::start();
    let get =
        async |token: &str| server.get_with("/api/rooms/team-1/users", &super::bearer(token)).await;
    for _ in 0..20 {
        assert_eq!(super::status(&get("a.b.c").await), "401");
    }
    let limited = get("a.b.c").await;
    assert_eq!(super::status(&limited), "429");
    assert!(header(&limited, "retry-after").is_some(), "{limited}");
    let mut ana = server.connect("team-1").await;
    ana.send(&watch_frame("a.b.c")).await;
    assert_eq!(ana.close_code().await, Some(4429));
    // One that has expired was valid.
    assert_eq!(super::status(&get(&token(json!({ "exp": now() - 61 }))).await), "401");
    assert_eq!(super::status(&get(&token(json!({}))).await), "200");
}

#[tokio::test]
async fn server_without_keys_ignores_tokens() {
    let server = crate::support::TestServer::start();
    let mut ana = server.connect("lobby").await;
    ana.send(&join_frame("Ana", "a.b.c")).await;
    ana.wait_for_names(&["Ana"]).await;
    ana.send(r#"{"event":"token","token":"a.b.c"}"#).await;
    assert_eq!(ana.refusal().await["code"], "bad_frame");
    let users = server.get_with("/api/rooms/lobby/users", &super::bearer("a.b.c")).await;
    assert!(users.contains("Ana"), "{users}");
}

#[tokio::test]
async fn token_that_may_only_watch_changes_nothing_of_its_users_row() {
    let server = Server::start();
    let mut laptop = server.connect("team-1").await;
    laptop.send(&join_frame("", &token(json!({ "name": NAME })))).await;
    laptop.list().await;
    let mut watcher = server.connect("team-1").await;
    watcher.send(&watch_frame(&token(json!({ "can": ["watch"] })))).await;
    assert_eq!(watcher.list().await.you, laptop.replica.you());
    for frame in [
        r#"{"event":"rename","name":"Mallory"}"#,
        r#"{"event":"leave"}"#,
        r#"{"event":"visible","visible":false}"#,
        r#"{"event":"got_a_new_user","name":"Mallory"}"#,
    ] {
        watcher.send(frame).await;
        assert_eq!(watcher.refusal().await["code"], "join_not_allowed", "{frame}");
    }
    assert_eq!(watcher.names(), [NAME]);
}

#[tokio::test]
async fn new_token_that_may_only_watch_takes_its_user_off_the_list() {
    let server = Server::start();
    let mut ana = server.connect("team-1").await;
    ana.send(&join_frame("Ana", &token(json!({})))).await;
    assert_eq!(ana.list().await.count, 1);
    ana.send(&refresh_frame(&token(json!({ "can": ["watch"] })))).await;
    ana.wait_for_names(&[]).await;
    ana.send(r#"{"event":"got_a_new_user","name":"Ana"}"#).await;
    assert_eq!(ana.refusal().await["code"], "join_not_allowed");
}

#[tokio::test]
async fn token_that_is_no_text_is_a_bad_one() {
    let server = Server::start();
    for token in ["5", "{}", "[\"a.b.c\"]", "true", "\"\"", "\"a\",\"token\":null"] {
        let mut ana = server.connect("lobby").await;
        ana.send_raw(&format!(r#"{{"event":"watch","token":{token}}}"#)).await;
        assert_eq!(ana.close_code().await, Some(4401), "{token}");
    }
    let mut ana = server.connect("lobby").await;
    ana.send_raw(r#"{"event":"watch","token":null}"#).await;
    ana.list().await;
}

#[tokio::test]
async fn invalid_new_tokens_close_the_socket_in_the_end() {
    let server = Server::start();
    let mut ana = server.connect("team-1").await;
    ana.send(&watch_frame(&token(json!({})))).await;
    ana.list().await;
    for _ in 0..20 {
        ana.send(&refresh_frame("a.b.c")).await;
        assert_eq!(ana.refusal().await["code"], "token_refused");
    }
    ana.send(&refresh_frame("a.b.c")).await;
    assert_eq!(ana.close_code().await, Some(4429));
}

#[tokio::test]
async fn token_frames_are_bad_frames_where_no_token_counts() {
    let unrestricted = crate::support::TestServer::start();
    let rules = "[[rooms]]\nmatch = \"old-*\"\nwatch = \"closed\"";
    let without_keys = crate::support::TestServer::start_with(rules, ConnectionConfig::default());
    for server in [unrestricted, without_keys] {
        let mut ana = server.connect("lobby").await;
        ana.watch().await;
        for _ in 0..2 {
            ana.send(&refresh_frame("")).await;
            assert_eq!(ana.refusal().await["code"], "bad_frame");
        }
        ana.send(&refresh_frame("")).await;
        assert_eq!(ana.close_code().await, Some(4400));
    }
}

fn refresh_frame(token: &str) -> String {
    json!({ "event": "token", "token": token }).to_string()
}
