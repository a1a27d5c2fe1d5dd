//! Tokens of clients of Socket.IO: in the `auth` with which they connect.

use serde_json::{Value, json};

use super::{NAME, Server, join_frame, now, token, watch_frame};
use crate::support::socketio::{IoClient, TRANSPORTS};

#[tokio::test]
async fn namespace_of_a_token_room_needs_a_token() {
    let server = Server::start();
    for transport in TRANSPORTS {
        let mut ana = IoClient::open(&server, transport, None).await;
        for (auth, code) in [
            (String::new(), "token_missing"),
            ("{}".to_owned(), "token_missing"),
            (auth("a.b.c"), "token_invalid"),
            (auth(&token(json!({ "exp": now() - 61 }))), "token_expired"),
            (auth(&token(json!({ "rooms": ["lobby"] }))), "token_for_other_rooms"),
        ] {
            let answer = ana.enter_namespace_with("/r/team-1", &auth).await;
            assert!(answer.starts_with('4') && answer.contains(code), "{auth}: {answer}");
        }
        let answer = ana.enter_namespace_with("/", r#"{"token":5}"#).await;
        assert!(answer.starts_with('4') && answer.contains("token_invalid"), "{answer}");
        let answer = ana.enter_namespace_with("/r/team-1", &auth(&token(json!({})))).await;
        assert!(answer.starts_with('0'), "{answer}");
    }
}

#[tokio::test]
async fn member_of_a_token_room_is_the_user_and_has_the_tokens_name() {
    let server = Server::start();
    let mut page = server.connect("team-1").await;
    page.send(&join_frame("", &token(json!({ "name": NAME })))).await;
    let you = page.list().await.you.unwrap();
    for transport in TRANSPORTS {
        let mut ana = IoClient::open(&server, transport, None).await;
        ana.enter_namespace_with("/r/team-1", &auth(&token(json!({ "name": NAME })))).await;
        ana.send(r#"2/r/team-1,1["got_a_new_user",{"name":"Mallory"}]"#).await;
        let joined = acknowledgement(&mut ana, 1).await;
        assert_eq!(joined["you"], json!(you));
        assert_eq!((&joined["name"], &joined["count"]), (&json!(NAME), &json!(1)));
        ana.send(r#"2/r/team-1,2["rename",{"name":"Mallory"}]"#).await;
        assert_eq!(acknowledgement(&mut ana, 2).await["code"], "name_fixed");
    }
    let mut bo = IoClient::open(&server, TRANSPORTS[1], None).await;
    let watching = token(json!({ "sub": "user-8", "can": ["watch"] }));
    bo.enter_namespace_with("/r/team-1", &auth(&watching)).await;
    bo.send(r#"2/r/team-1,1["got_a_new_user",{"name":"Bo"}]"#).await;
    assert_eq!(acknowledgement(&mut bo, 1).await["code"], "join_not_allowed");
    // Nor does another token of a user change the row.
    let mut other = IoClient::open(&server, TRANSPORTS[1], None).await;
    let watching = token(json!({ "can": ["watch"] }));
    other.enter_namespace_with("/r/team-1", &auth(&watching)).await;
    for (number, request) in [
        (1, r#"["leave",{}]"#),
        (2, r#"["rename",{"name":"Mallory"}]"#),
        (3, r#"["visible",{"visible":false}]"#),
    ] {
        other.send(&format!("2/r/team-1,{number}{request}")).await;
        assert_eq!(acknowledgement(&mut other, number).await["code"], "join_not_allowed");
    }
    assert_eq!(page.names(), [NAME]);
}

#[tokio::test]
async fn session_ends_with_its_token_and_nobody_sees_it() {
    let server = Server::start();
    let mut watcher = server.connect("team-1").await;
    watcher.send(&watch_frame(&token(json!({ "sub": "user-8" })))).await;
    watcher.list().await;
    for (number, transport) in TRANSPORTS.into_iter().enumerate() {
        let sub = format!("io-{number}");
        let mut ana = IoClient::open(&server, transport, None).await;
        let short = token(json!({ "sub": sub, "exp": now() - 57 }));
        ana.enter_namespace_with("/r/team-1", &auth(&short)).await;
        ana.send(r#"2/r/team-1,1["got_a_new_user",{"name":"Ana"}]"#).await;
        acknowledgement(&mut ana, 1).await;
        watcher.wait_for_names(&["Ana"]).await;
        while ana.packet().await.is_some() {}
        // It comes back with a new token, and is listed again unasked.
        let mut back = IoClient::open(&server, transport, None).await;
        back.enter_namespace_with("/r/team-1", &auth(&token(json!({ "sub": sub })))).await;
        back.send(r#"2/r/team-1,1["leave",{}]"#).await;
        acknowledgement(&mut back, 1).await;
        let changes = loop {
            let changes = watcher.changes().await;
            if !changes.difference.disconnect_user.is_empty() {
                break changes;
            }
            assert!(changes.difference.user_changed.is_empty(), "{changes:?}");
        };
        assert_eq!(changes.difference.disconnect_user.left.len(), 1, "{changes:?}");
    }
}

fn auth(token: &str) -> String {
    json!({ "token": token }).to_string()
}

/// The answer to the request with this number.
async fn acknowledgement(client: &mut IoClient, number: u32) -> Value {
    let before = format!("3/r/team-1,{number}");
    loop {
        let packet = client.packet().await.expect("the session ended");
        if let Some(answer) = packet.strip_prefix(&before) {
            let answer: Value = serde_json::from_str(answer).unwrap();
            return answer[0].clone();
        }
    }
}
