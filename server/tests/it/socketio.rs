//! Clients of Socket.IO in the rooms of all others, by polling and over a WebSocket.

use serde_json::{Value, json};
use server::websocket::connection::ConnectionConfig;

use crate::support::{
    OPERATOR_TOKEN, TestServer, body,
    socketio::{IoClient, TRANSPORTS, Transport},
};

#[tokio::test]
async fn script_of_the_original_design_joins_the_lobby_of_all_others() {
    for transport in TRANSPORTS {
        let server = TestServer::start();
        let mut page = server.connect("lobby").await;
        page.join("Page").await;
        let mut ana = IoClient::connect(&server, transport).await;
        ana.emit("got_a_new_user", json!({ "name": " Ana " })).await;
        // Everyone gets the newcomer first, and then the newcomer gets everyone.
        let (event, new_user) = ana.event().await;
        assert_eq!((event.as_str(), &new_user["new_user_name"]), ("new_user", &json!("Ana")));
        assert_eq!(new_user["id"], new_user["session_id"]);
        let (event, list) = ana.event().await;
        assert_eq!(event, "existing_users");
        let names: Vec<&Value> = list.as_array().unwrap().iter().map(|row| &row["name"]).collect();
        assert_eq!(names, ["Page", "Ana"]);
        page.wait_for_names(&["Page", "Ana"]).await;
        // The list is that of the JSON address: same ids, same order.
        let users = server.get("/api/rooms/lobby/users").await;
        let users: Value = serde_json::from_str(body(&users)).unwrap();
        let ids = |rows: &Value| -> Vec<Value> {
            rows.as_array().unwrap().iter().map(|row| row["id"].clone()).collect()
        };
        assert_eq!(ids(&users["users"]), ids(&list));
        // Two people may have one name.
        let mut twin = IoClient::connect(&server, transport).await;
        twin.join("Ana").await;
        ana.event().await;
        assert_eq!(ana.names(), ["Ana", "Page", "Ana"]);
        // The own row came first.
        let twin_id = twin.boxes[0]["id"].clone();
        twin.emit("leave", json!({})).await;
        for expected in ["disconnect_user", "disconnected_user"] {
            let (event, departure) = ana.event().await;
            assert_eq!(event, expected);
            let argument =
                json!({ "id": twin_id, "session_id": twin_id, "name": "Ana", "reason": "left" });
            assert_eq!(departure, argument);
        }
        page.wait_for_names(&["Page", "Ana"]).await;
        server.stop().await;
    }
}

#[tokio::test]
async fn client_that_connects_follows_unlisted_and_gets_no_list_until_it_asks() {
    for transport in TRANSPORTS {
        let server = TestServer::start();
        let mut bo = server.connect("lobby").await;
        bo.join("Bo").await;
        let mut ana = IoClient::connect(&server, transport).await;
        let mut cy = server.connect("lobby").await;
        cy.join("Cy").await;
        let (event, row) = ana.event().await;
        assert_eq!((event.as_str(), &row["name"]), ("new_user", &json!("Cy")));
        let answer = ana.ask("watch", json!({})).await;
        assert_eq!(
            (&answer["ok"], &answer["name"], &answer["count"]),
            (&json!(true), &json!(null), &json!(2))
        );
        assert_eq!(ana.events, ["new_user", "existing_users"]);
        assert_eq!(ana.boxes.len(), 2);
        bo.wait_for_names(&["Bo", "Cy"]).await;
    }
}

#[tokio::test]
async fn requests_are_acknowledged() {
    for transport in TRANSPORTS {
        let server = TestServer::start();
        let mut ana = IoClient::connect(&server, transport).await;
        let joined = ana.ask("got_a_new_user", json!({ "name": "Ana", "visible": true })).await;
        let you = ana.boxes[0]["id"].clone();
        assert_eq!(joined, json!({ "ok": true, "you": you, "name": "Ana", "count": 1 }));
        let renamed = ana.ask("rename", json!({ "name": " Ann " })).await;
        assert_eq!((&renamed["ok"], &renamed["name"]), (&json!(true), &json!("Ann")));
        ana.wait_for_names(&["Ann"]).await;
        let hidden = ana.ask("visible", json!({ "visible": false })).await;
        assert_eq!(hidden["ok"], true);
        let refused = ana.ask("rename", json!({ "name": "  " })).await;
        let message = "Enter your name.";
        assert_eq!(
            refused,
            json!({ "ok": false, "of": "rename", "code": "name_empty", "message": message })
        );
        let unknown = ana.ask("dance", json!({})).await;
        assert_eq!((&unknown["ok"], &unknown["code"]), (&json!(false), &json!("bad_frame")));
        let left = ana.ask("leave", json!({})).await;
        assert_eq!(left["ok"], true);
        ana.wait_for_names(&[]).await;
        assert_eq!(ana.event().await.0, "disconnected_user");
        // Without an acknowledgement a refusal is an event, for the sender alone.
        ana.emit("rename", json!({ "name": "Ann" })).await;
        let (event, refusal) = ana.event().await;
        assert_eq!((event.as_str(), &refusal["code"]), ("refused", &json!("not_listed")));
    }
}

#[tokio::test]
async fn rooms_are_namespaces() {
    for transport in TRANSPORTS {
        let server = TestServer::start();
        let mut native = server.connect("team-7").await;
        native.join("Bo").await;
        let mut ana = IoClient::connect(&server, transport).await;
        assert!(ana.enter_namespace("/r/team-7").await.starts_with("0/r/team-7,{\"sid\":\""));
        ana.send(r#"2/r/team-7,["got_a_new_user",{"name":"Ana"}]"#).await;
        native.wait_for_names(&["Bo", "Ana"]).await;
        let packet = ana.packet().await.unwrap();
        assert!(packet.starts_with(r#"2/r/team-7,["new_user",{"#), "{packet}");
        for (path, code) in [
            ("/admin", "namespace_unknown"),
            ("/r/Team", "room_name_invalid"),
            ("/r/", "room_name_invalid"),
        ] {
            let mut other = IoClient::open(&server, transport, None).await;
            let refused = other.enter_namespace(path).await;
            let error: Value = serde_json::from_str(&refused[path.len() + 2..]).unwrap();
            assert_eq!(error["data"]["code"], code, "{refused}");
            assert!(error["message"].as_str().unwrap().ends_with('.'), "{refused}");
        }
        // A namespace is left alone, and the person leaves with it.
        ana.send("1/r/team-7,").await;
        native.wait_for_names(&["Bo"]).await;
        ana.join("Ana").await;
    }
}

#[tokio::test]
async fn session_has_at_most_eight_rooms() {
    let server = TestServer::start();
    let mut ana = IoClient::connect(&server, Transport::WebSocket).await;
    for number in 1..8 {
        let path = format!("/r/r{number}");
        assert!(ana.enter_namespace(&path).await.starts_with('0'));
    }
    let refused = ana.enter_namespace("/r/ninth").await;
    assert!(refused.contains("rooms_per_connection"), "{refused}");
    ana.send("1/r/r3,").await;
    // The place is free once the server has read that.
    loop {
        if ana.enter_namespace("/r/ninth").await.starts_with('0') {
            break;
        }
    }
}

#[tokio::test]
async fn session_goes_on_when_it_is_upgraded() {
    let server = TestServer::start();
    let mut ana = IoClient::connect(&server, Transport::Polling).await;
    ana.join("Ana").await;
    ana.upgrade().await;
    let mut bo = server.connect("lobby").await;
    bo.join("Bo").await;
    ana.wait_for_names(&["Ana", "Bo"]).await;
    ana.emit("rename", json!({ "name": "Ann" })).await;
    bo.wait_for_names(&["Ann", "Bo"]).await;
}

#[tokio::test]
async fn connection_that_breaks_is_listed_again_unasked() {
    let server = TestServer::start();
    let mut bo = server.connect("lobby").await;
    bo.join("Bo").await;
    let mut ana = IoClient::connect(&server, Transport::WebSocket).await;
    ana.join("Ana").await;
    bo.wait_for_names(&["Bo", "Ana"]).await;
    let cookie = ana.cookie.clone();
    ana.abort();
    bo.wait_until(|replica| {
        replica.roster().users().any(|user| user.state.as_str() == "reconnecting")
    })
    .await;
    // The same person connects anew, and asks for nothing.
    let mut again = IoClient::enter(&server, Transport::WebSocket, "/", Some(&cookie)).await;
    bo.wait_until(|replica| replica.roster().users().all(|user| user.state.as_str() == "here"))
        .await;
    assert_eq!(bo.names(), ["Bo", "Ana"]);
    // Somebody who connects with a connected socket of the same person is not listed twice, nor moved.
    let list = again.join("Ana").await;
    assert_eq!(list.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn client_that_closes_leaves_after_its_grace() {
    let server = TestServer::start();
    let mut bo = server.connect("lobby").await;
    bo.join("Bo").await;
    for (transport, end) in [(Transport::Polling, "1"), (Transport::WebSocket, "1")] {
        let mut ana = IoClient::connect(&server, transport).await;
        ana.join("Ana").await;
        bo.wait_for_names(&["Bo", "Ana"]).await;
        ana.send_raw(end).await;
        let closed = loop {
            let changes = bo.changes().await;
            if !changes.difference.disconnect_user.is_empty() {
                break changes.difference.disconnect_user;
            }
        };
        assert_eq!(closed.closed.len(), 1, "{closed:?}");
    }
}

#[tokio::test]
async fn closed_room_sends_its_clients_away() {
    for transport in TRANSPORTS {
        let server = TestServer::start();
        let mut ana = IoClient::connect(&server, transport).await;
        ana.join("Ana").await;
        let authorization = format!("Authorization: Bearer {OPERATOR_TOKEN}\r\n");
        let closed = server.operator.request("DELETE", "/rooms/lobby", &authorization).await;
        assert!(closed.starts_with("HTTP/1.1 204 "), "{closed}");
        // The removal first, and then the end of the namespace: the client's library stays away.
        assert_eq!(ana.event().await.0, "disconnect_user");
        assert_eq!(ana.event().await.0, "disconnected_user");
        assert_eq!(ana.packet().await.as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn restart_closes_the_transport_and_keeps_the_row() {
    for transport in TRANSPORTS {
        let server = TestServer::start();
        let mut bo = server.connect("lobby").await;
        bo.join("Bo").await;
        let mut ana = IoClient::connect(&server, transport).await;
        ana.join("Ana").await;
        bo.wait_for_names(&["Bo", "Ana"]).await;
        let restarting = tokio::spawn(server.restart());
        // No packet ends the namespace: the client's library comes back by itself.
        while let Some(packet) = ana.packet().await {
            assert!(!packet.starts_with('1'), "{packet}");
        }
        let server = restarting.await.unwrap();
        let mut again = IoClient::enter(&server, transport, "/", Some(&ana.cookie)).await;
        again.ask("watch", json!({})).await;
        assert_eq!(again.names(), ["Bo", "Ana"]);
        let state = again.boxes[1].get("state");
        assert_eq!(state, None, "{:?}", again.boxes);
    }
}

#[tokio::test]
async fn polling_can_be_disabled_and_so_can_all_of_it() {
    let websocket_only =
        TestServer::start_with("socketio-polling = false", ConnectionConfig::default());
    let refused = websocket_only.get("/socket.io/?EIO=4&transport=polling").await;
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
    assert!(body(&refused).contains(r#""code":3"#), "{refused}");
    let mut ana = IoClient::connect(&websocket_only, Transport::WebSocket).await;
    ana.join("Ana").await;
    let without = TestServer::start_with("socketio = false", ConnectionConfig::default());
    let missing = without.get("/socket.io/?EIO=4&transport=polling").await;
    assert!(missing.starts_with("HTTP/1.1 404 "), "{missing}");
}

#[tokio::test]
async fn addresses_are_served_below_the_base_path() {
    let settings = "public-url = \"http://host.example/rollcall\"";
    let server = TestServer::start_with(settings, ConnectionConfig::default());
    for path in ["/socket.io/", "/rollcall/socket.io/"] {
        let opened = server.get(&format!("{path}?EIO=4&transport=polling")).await;
        assert!(opened.starts_with("HTTP/1.1 200 "), "{opened}");
        assert!(body(&opened).starts_with("0{\"sid\":"), "{opened}");
    }
}

#[tokio::test]
async fn slow_client_misses_nothing() {
    let server = TestServer::start();
    let mut slow = IoClient::connect(&server, Transport::Polling).await;
    slow.join("Slow").await;
    let mut others = Vec::new();
    // Many more events than its queue has places for.
    for number in 0..80 {
        let mut other = server.connect("lobby").await;
        other.join(&format!("P {number}")).await;
        others.push(other);
    }
    for other in &mut others[..40] {
        other.send(r#"{"event":"leave"}"#).await;
    }
    let mut names = vec!["Slow".to_owned()];
    names.extend((40..80).map(|number| format!("P {number}")));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    slow.wait_for_names(&names).await;
}
