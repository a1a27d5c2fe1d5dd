//! Violations of the protocol get the specified response, and do not affect other sockets.

use std::time::Duration;

use crate::support::{Client, TestServer};
use futures_util::SinkExt;
use server::websocket::connection::ConnectionConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// A server with a member who must not be affected.
async fn with_a_bystander() -> (TestServer, Client) {
    let server = TestServer::start();
    let mut bystander = server.connect("lobby").await;
    bystander.join("Bystander").await;
    (server, bystander)
}

/// Checks that the member received only the join of a newcomer, and is still listed.
async fn noticed_nothing(server: &TestServer, bystander: &mut Client) {
    let mut newcomer = server.connect("lobby").await;
    newcomer.join("Newcomer").await;
    let received: serde_json::Value = serde_json::from_str(&bystander.text().await).unwrap();
    assert_eq!(received["new_user"][0]["name"], "Newcomer", "{received}");
    assert_eq!(bystander.names(), ["Bystander", "Newcomer"]);
}

#[tokio::test]
async fn third_bad_frame_in_a_row_closes_the_socket() {
    let (server, mut bystander) = with_a_bystander().await;
    let mut client = server.connect("lobby").await;
    client.watch().await;
    for text in ["hello", r#"{"event":"watch"}"#] {
        client.send(text).await;
        assert_eq!(client.refusal().await["code"], "bad_frame");
    }
    client.send("[]").await;
    assert_eq!(client.close_code().await, Some(4400));
    noticed_nothing(&server, &mut bystander).await;
}

#[tokio::test]
async fn binary_and_oversized_frames_close_with_their_codes() {
    let (server, mut bystander) = with_a_bystander().await;
    let within = format!(r#"{{"event":"got_a_new_user","name":"{}"}}"#, "x".repeat(4_000));
    assert!(within.len() <= 4096);
    let over = format!(r#"{{"event":"got_a_new_user","name":"{}"}}"#, "x".repeat(4_100));
    let mut client = server.connect("lobby").await;
    client.send(&within).await;
    assert_eq!(client.refusal().await["code"], "name_too_long");
    client.send(&over).await;
    assert_eq!(client.close_code().await, Some(1009));

    let mut client = server.connect("lobby").await;
    client.send(&"x".repeat(1_000_000)).await;
    assert_eq!(client.close_code().await, Some(1009));

    let mut client = server.connect("lobby").await;
    client.socket.send(Message::Binary(Bytes::from_static(b"{}"))).await.unwrap();
    assert_eq!(client.close_code().await, Some(1003));
    noticed_nothing(&server, &mut bystander).await;
}

#[tokio::test]
async fn client_that_ignores_too_fast_is_closed() {
    let (server, mut bystander) = with_a_bystander().await;
    let mut client = server.connect("lobby").await;
    client.watch().await;
    for _ in 0..60 {
        // The server may have closed the socket already.
        let _ = client.socket.send(Message::text(r#"{"event":"leave"}"#)).await;
    }
    let refusal = client.refusal().await;
    assert_eq!((&refusal["code"], &refusal["of"]), (&"too_fast".into(), &"leave".into()));
    assert_eq!(client.close_code().await, Some(4429));
    noticed_nothing(&server, &mut bystander).await;
}

#[tokio::test]
async fn missing_first_frame_closes_the_socket() {
    let config = ConnectionConfig {
        first_frame_within: Some(Duration::from_secs(1)),
        ..ConnectionConfig::default()
    };
    let server = TestServer::start_with("", config);
    let mut silent = server.connect("lobby").await;
    assert_eq!(silent.close_code().await, Some(4408));
    let mut refused = server.connect("lobby").await;
    refused.send(r#"{"event":"got_a_new_user","name":""}"#).await;
    assert_eq!(refused.close_code().await, Some(4408));
    let mut watching = server.connect("lobby").await;
    watching.watch().await;
    watching.send(r#"{"event":"resync"}"#).await;
    watching.list().await;
}

#[tokio::test]
async fn invalid_room_names_have_no_socket() {
    let server = TestServer::start();
    for room in ["Lobby", "a_b", "-a", "%ff", &"x".repeat(65)] {
        let Err(error) = server.try_connect(room, None).await else { panic!("{room} is no room") };
        assert!(error.to_string().contains("404"), "{room}: {error}");
    }
}
