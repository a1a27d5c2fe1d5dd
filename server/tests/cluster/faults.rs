//! What visitors see when servers and engines fail.

use app::presence::{PresenceState, ServerEvent};

use crate::{cluster::Cluster, support::client::Client};

/// Two servers, with Ana on the first and Bo on the second, who both see each other.
async fn two_people() -> (Cluster, Client, Client) {
    let cluster = Cluster::start(2);
    let mut ana = cluster.servers[0].connect("r").await;
    ana.announce("Ana", "a").await;
    let mut bo = cluster.servers[1].connect("r").await;
    bo.announce("Bo", "b").await;
    for client in [&mut ana, &mut bo] {
        client.wait_for_names(&["Ana", "Bo"]).await;
    }
    (cluster, ana, bo)
}

/// Waits until a client sees Ana in this state, and Bo here. She is listed all along.
async fn wait_for_ana(client: &mut Client, state: PresenceState) {
    client
        .wait_until(|replica| {
            let state_of = |name: &str| {
                let user = replica.roster().users().find(|user| user.name.as_str() == name);
                user.expect("nobody has left").state
            };
            assert_eq!(state_of("Bo"), PresenceState::Here);
            state_of("Ana") == state
        })
        .await;
}

#[tokio::test]
async fn people_of_a_killed_server_reconnect_on_another() {
    let (mut cluster, ana, mut bo) = two_people().await;
    cluster.servers.remove(0).kill();
    wait_for_ana(&mut bo, PresenceState::Reconnecting).await;
    let mut back = cluster.servers[0].connect_as("r", Some(&ana.cookie)).await;
    let reply = back.resume(ana.replica.clone(), "Ana", "a").await;
    assert!(matches!(reply, ServerEvent::Resumed(_)), "{reply:?}");
    wait_for_ana(&mut bo, PresenceState::Here).await;
}

#[tokio::test]
async fn people_of_a_server_that_stood_still_come_back_with_it() {
    let (cluster, _ana, mut bo) = two_people().await;
    cluster.servers[0].signal("STOP");
    wait_for_ana(&mut bo, PresenceState::Reconnecting).await;
    cluster.servers[0].signal("CONT");
    wait_for_ana(&mut bo, PresenceState::Here).await;
}

#[tokio::test]
async fn restart_of_a_server_in_order_is_not_seen() {
    let (mut cluster, mut ana, mut bo) = two_people().await;
    let before = bo.replica.position().cloned();
    let (_, status) = cluster.servers.remove(0).terminate().await;
    assert!(status.success(), "{status:?}");
    assert_eq!(ana.close_code().await, Some(1012));
    let mut back = cluster.servers[0].connect_as("r", Some(&ana.cookie)).await;
    let reply = back.resume(ana.replica.clone(), "Ana", "a").await;
    assert!(matches!(reply, ServerEvent::Resumed(_)), "{reply:?}");
    let mut cy = cluster.servers[0].connect("r").await;
    cy.announce("Cy", "c").await;
    // Her arrival is the next thing that Bo sees.
    let changes = bo.changes().await;
    assert_eq!(Some(changes.from), before.map(|position| position.seq));
    assert_eq!(bo.names(), ["Ana", "Bo", "Cy"]);
}

#[tokio::test]
async fn engine_that_lost_everything_is_told_it_again() {
    let (cluster, mut ana, mut bo) = two_people().await;
    let epoch = ana.replica.position().unwrap().epoch.clone();
    cluster.engine.restart();
    // Once the whole list, under another epoch.
    for client in [&mut ana, &mut bo] {
        client.wait_until(|replica| replica.position().unwrap().epoch != epoch).await;
        wait_for_ana(client, PresenceState::Here).await;
    }
    let mut cy = cluster.servers[0].connect("r").await;
    cy.announce("Cy", "c").await;
    for client in [&mut ana, &mut bo, &mut cy] {
        client.wait_for_names(&["Ana", "Bo", "Cy"]).await;
    }
    let positions = [&ana, &bo, &cy].map(|client| client.replica.position().cloned());
    assert_eq!(positions[0], positions[1]);
    assert_eq!(positions[0], positions[2]);
}

#[tokio::test]
async fn messages_that_were_lost_with_their_connection_are_read_again() {
    let (cluster, _ana, mut bo) = two_people().await;
    let _: u64 = cluster.engine.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    let mut cy = cluster.servers[0].connect("r").await;
    cy.announce("Cy", "c").await;
    bo.wait_for_names(&["Ana", "Bo", "Cy"]).await;
}

#[tokio::test]
async fn lists_are_shown_as_of_then_while_the_engine_stands_still() {
    let (cluster, mut ana, _bo) = two_people().await;
    let beat = async |client: &mut Client| loop {
        if let ServerEvent::Beat(beat) = client.event().await {
            return beat;
        }
    };
    cluster.engine.signal("STOP");
    // Told as soon as the server knows.
    let stale = beat(&mut ana).await;
    assert!(stale.as_of.is_some_and(|as_of| as_of < stale.now), "{stale:?}");
    // Pages are served, those of rooms that are not known here as empty.
    assert!(cluster.servers[0].get("/r/r").await.contains("Bo"));
    assert!(cluster.servers[0].get("/r/unknown").await.starts_with("HTTP/1.1 200"));
    let refused = cluster.servers[0].get("/api/rooms/unknown/events").await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.to_ascii_lowercase().contains("retry-after: 2"), "{refused}");
    // Whoever comes sees the list, and how old it is.
    let mut watcher = cluster.servers[1].connect("r").await;
    assert_eq!(watcher.watch().await.users.len(), 2);
    assert!(beat(&mut watcher).await.as_of.is_some());
    cluster.engine.signal("CONT");
    assert_eq!(beat(&mut ana).await.as_of, None);
}
