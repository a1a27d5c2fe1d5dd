//! What only the operator may do, through the operator's own listening socket.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod support;

use app::presence::{Changes, ServerEvent, UserId};
use support::{Client, OPERATOR_TOKEN, TestServer};

async fn ana_in_two_tabs_and_bo(server: &TestServer) -> (Client, Client, Client, UserId) {
    let mut ana = server.connect("lobby").await;
    ana.announce("Ana", "t1").await;
    let id = ana.replica.you().unwrap();
    let mut second_tab = server.connect_as("lobby", Some(&ana.cookie)).await;
    second_tab.announce("Ana", "t2").await;
    let mut bo = server.connect("lobby").await;
    bo.announce("Bo", "t1").await;
    (ana, second_tab, bo, id)
}

async fn remove(server: &TestServer, room: &str, id: &str, token: &str) -> String {
    let authorization = format!("Authorization: Bearer {token}\r\n");
    server.operator.request("DELETE", &format!("/rooms/{room}/users/{id}"), &authorization).await
}

#[tokio::test]
async fn who_is_removed_is_off_the_list_in_all_their_tabs_and_it_is_told_why() {
    let server = TestServer::start();
    let (mut ana, mut second_tab, mut bo, id) = ana_in_two_tabs_and_bo(&server).await;
    let answer = remove(&server, "lobby", id.as_str(), OPERATOR_TOKEN).await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    for client in [&mut ana, &mut second_tab, &mut bo] {
        let told = loop {
            if let ServerEvent::Changes(Changes { difference, .. }) = client.event().await
                && !difference.disconnect_user.is_empty()
            {
                break difference;
            }
        };
        assert_eq!(told.disconnect_user.removed, [id]);
        assert_eq!(client.names(), ["Bo"]);
    }
    // They follow the room on, and may come again: nobody is banned.
    ana.announce("Ana", "t1").await;
    bo.until_names(&["Bo", "Ana"]).await;
    server.stop().await;
}

#[tokio::test]
async fn nobody_else_may_and_nobody_else_is_removed() {
    let server = TestServer::start();
    let (_ana, _second_tab, mut bo, id) = ana_in_two_tabs_and_bo(&server).await;
    for (room, id, token, status) in [
        ("lobby", id.as_str(), "somebody's", 401),
        ("lobby", id.as_str(), "", 401),
        ("another", id.as_str(), OPERATOR_TOKEN, 404),
        ("Not a room", id.as_str(), OPERATOR_TOKEN, 400),
        ("-", id.as_str(), OPERATOR_TOKEN, 404),
        ("lobby", "AAAAAAAAAAA", OPERATOR_TOKEN, 404),
        ("lobby", "nobody", OPERATOR_TOKEN, 404),
    ] {
        let answer = remove(&server, room, id, token).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{room} {id}: {answer}");
    }
    // What everybody can reach knows nothing of it.
    let authorization = format!("Authorization: Bearer {OPERATOR_TOKEN}\r\n");
    let path = format!("/rooms/lobby/users/{id}");
    let answer = server.request("DELETE", &path, &authorization).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    bo.until_names(&["Ana", "Bo"]).await;
    server.stop().await;
}
