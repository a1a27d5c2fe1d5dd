//! The protocol through real sockets: joining, watching, renaming, leaving.

use crate::support::TestServer;
use app::presence::{RefusalCode, Roster, ServerEvent};

#[tokio::test]
async fn join_sends_changes_to_members_and_the_list_to_the_newcomer() {
    let server = TestServer::start();
    let mut ana = server.connect("lobby").await;
    let list = ana.join("  Ana  Sousa ").await;
    assert_eq!(list.count, 1);
    assert_eq!(list.users[0].name.as_str(), "Ana Sousa");
    assert_eq!(list.you, Some(list.users[0].id));

    let mut bo = server.connect("lobby").await;
    let list = bo.join("Bo").await;
    assert_eq!(bo.names(), ["Ana Sousa", "Bo"]);
    assert_eq!(list.you, Some(list.users[1].id));
    let ServerEvent::Changes(changes) = ana.event().await else { panic!("changes were expected") };
    assert_eq!(changes.difference.new_user, [list.users[1].clone()]);
    assert_eq!((changes.from, changes.seq), (1, 2));
}

#[tokio::test]
async fn departure_of_one_of_two_equal_names_identifies_the_person() {
    let server = TestServer::start();
    let mut watcher = server.connect("lobby").await;
    watcher.watch().await;
    let mut first = server.connect("lobby").await;
    let mut second = server.connect("lobby").await;
    let first_id = first.join("Kim").await.you.unwrap();
    let second_id = second.join("Kim").await.you.unwrap();
    assert_ne!(first_id, second_id);
    watcher.wait_for_names(&["Kim", "Kim"]).await;
    first.close().await;
    let ServerEvent::Changes(changes) = watcher.event().await else { panic!("changes expected") };
    assert_eq!(changes.difference.disconnect_user.closed, [first_id]);
    assert!(watcher.replica.roster().contains(&second_id));
}

#[tokio::test]
async fn watcher_that_joins_gets_the_missing_changes() {
    let server = TestServer::start();
    let mut ana = server.connect("lobby").await;
    ana.join("Ana").await;
    let mut bo = server.connect("lobby").await;
    let list = bo.watch().await;
    assert_eq!((list.count, list.seq), (1, 1));
    bo.send(r#"{"event":"got_a_new_user","name":"Bo"}"#).await;
    let ServerEvent::Resumed(resumed) = bo.event().await else { panic!("resumed was expected") };
    assert_eq!((resumed.from, resumed.seq, resumed.you), (1, 2, list.you));
    assert_eq!(resumed.difference.new_user[0].id, list.you.unwrap());
    ana.wait_for_names(&["Ana", "Bo"]).await;
}

#[tokio::test]
async fn rename_keeps_the_row_and_leave_keeps_the_socket() {
    let server = TestServer::start();
    let mut ana = server.connect("lobby").await;
    let mut bo = server.connect("lobby").await;
    let id = ana.join("Ana").await.you.unwrap();
    bo.join("Bo").await;
    ana.send(r#"{"event":"rename","name":"Ann"}"#).await;
    bo.wait_for_names(&["Ann", "Bo"]).await;
    ana.wait_for_names(&["Ann", "Bo"]).await;
    ana.send(r#"{"event":"got_a_new_user","name":"Anna"}"#).await;
    bo.wait_for_names(&["Anna", "Bo"]).await;
    ana.send(r#"{"event":"leave"}"#).await;
    let gone = bo.changes().await.difference.disconnect_user;
    assert_eq!(gone.left, [id]);
    ana.wait_for_names(&["Bo"]).await;
    ana.send(r#"{"event":"leave"}"#).await;
    ana.send(r#"{"event":"rename","name":"Ann"}"#).await;
    assert_eq!(ana.refusal().await["code"], "not_listed");
    ana.send(r#"{"event":"got_a_new_user","name":"Ana"}"#).await;
    bo.wait_for_names(&["Bo", "Ana"]).await;
}

#[tokio::test]
async fn sockets_of_one_person_share_a_row() {
    let server = TestServer::start();
    let mut watcher = server.connect("lobby").await;
    watcher.watch().await;
    let mut first = server.connect("lobby").await;
    let you = first.join("Ana").await.you;
    let mut second = server.connect_as("lobby", Some(&first.cookie)).await;
    let list = second.join("Other").await;
    assert_eq!((list.count, list.you), (1, you));
    assert_eq!(second.names(), ["Ana"]);
    first.close().await;
    second.send(r#"{"event":"rename","name":"Still here"}"#).await;
    watcher.wait_for_names(&["Still here"]).await;
    second.close().await;
    watcher.wait_for_names(&[]).await;
}

#[tokio::test]
async fn rooms_are_independent() {
    let server = TestServer::start();
    let mut here = server.connect("here").await;
    let mut there = server.connect_as("there", Some(&here.cookie)).await;
    let here_id = here.join("Ana").await.you;
    let list = there.join("Ana").await;
    assert_eq!(list.count, 1);
    assert_ne!(list.you, here_id, "ids in two rooms have nothing in common");
}

#[tokio::test]
async fn empty_room_is_kept_while_its_log_can_be_resumed() {
    let server = TestServer::start();
    let mut ana = server.connect("short").await;
    let first = ana.join("Ana").await;
    ana.send(r#"{"event":"leave"}"#).await;
    ana.wait_for_names(&[]).await;
    ana.close().await;
    let mut bo = server.connect("short").await;
    let list = bo.watch().await;
    assert_eq!((list.epoch, list.seq, list.count), (first.epoch, 2, 0));
    // A room that never had a row is not kept.
    let mut watcher = server.connect("silent").await;
    let first = watcher.watch().await;
    watcher.close().await;
    let mut again = server.connect("silent").await;
    assert_ne!(again.watch().await.epoch, first.epoch);
}

#[tokio::test]
async fn long_lists_are_split_into_short_frames() {
    let server = TestServer::start();
    let mut people = Vec::new();
    for number in 0..150 {
        let mut client = server.connect("crowd").await;
        client.join(&format!("Somebody with a long name, number {number:03}")).await;
        people.push(client);
    }
    let mut last = server.connect("crowd").await;
    last.send(r#"{"event":"watch"}"#).await;
    let mut frames = Vec::new();
    while last.replica.roster().len() < 150 {
        frames.push(last.text().await);
    }
    assert!(frames.len() > 3);
    assert!(frames.iter().all(|frame| frame.len() <= 4096));
    assert!(frames[1].starts_with(r#"{"event":"more_users""#));
    for client in &mut people {
        client.wait_until(|replica| replica.roster().len() == 150).await;
        assert_eq!(client.replica.roster(), last.replica.roster());
    }
    // Half of them leave at once, and every list is right again, in order.
    let mut leaving: Vec<_> = people.drain(..75).collect();
    for client in &mut leaving {
        client.send(r#"{"event":"leave"}"#).await;
    }
    last.wait_until(|replica| replica.roster().len() == 75).await;
    for client in &mut people {
        client.wait_until(|replica| replica.roster().len() == 75).await;
        assert_eq!(client.replica.roster(), last.replica.roster());
    }
}

#[tokio::test]
async fn resync_sends_the_whole_list_again() {
    let server = TestServer::start();
    let mut ana = server.connect("lobby").await;
    ana.join("Ana").await;
    ana.send(r#"{"event":"resync"}"#).await;
    let list = ana.list().await;
    assert_eq!((list.count, list.seq), (1, 1));
}

#[tokio::test]
async fn full_room_refuses_joins_and_can_be_read() {
    let server = TestServer::start_with(
        "max-people-per-room = 1\nmax-tabs-per-person = 2",
        server::websocket::connection::ConnectionConfig::default(),
    );
    let mut ana = server.connect("tiny").await;
    ana.join("Ana").await;
    let mut bo = server.connect("tiny").await;
    bo.send(r#"{"event":"got_a_new_user","name":"Bo"}"#).await;
    let refusal = bo.refusal().await;
    assert_eq!((&refusal["code"], &refusal["of"]), (&"room_full".into(), &"got_a_new_user".into()));
    // A refused first frame does not count as the first frame.
    assert_eq!(bo.watch().await.count, 1);
    let list = server.get("/api/rooms/tiny/users").await;
    assert!(list.starts_with("HTTP/1.1 200 ") && list.contains("Ana"), "{list}");

    let mut second = server.connect_as("tiny", Some(&ana.cookie)).await;
    second.watch().await;
    let mut third = server.connect_as("tiny", Some(&ana.cookie)).await;
    third.send(r#"{"event":"watch"}"#).await;
    assert_eq!(third.refusal().await["code"], "too_many_tabs");
}

#[tokio::test]
async fn invalid_names_are_refused_with_a_message() {
    let server = TestServer::start();
    let mut ana = server.connect("lobby").await;
    let long = "x".repeat(101);
    // 17 clusters, which take 425 bytes.
    let families = "👨‍👩‍👧‍👦".repeat(17);
    for (name, code, reason) in [
        (" \u{a0} ", RefusalCode::NameEmpty, "Enter your name"),
        (&*long, RefusalCode::NameTooLong, "100 characters"),
        (&*families, RefusalCode::NameTooLong, "400 bytes"),
        ("A\u{e000}na", RefusalCode::NameNotAllowed, "can't be shown"),
        ("Z\u{301}\u{301}\u{301}", RefusalCode::NameNotAllowed, "accents"),
        ("\u{202e}anA", RefusalCode::NameNotAllowed, "reverses text"),
    ] {
        ana.send(&format!(r#"{{"event":"got_a_new_user","name":"{name}"}}"#)).await;
        let ServerEvent::Refused(refusal) = ana.event().await else { panic!("a refusal") };
        assert_eq!(refusal.code, code);
        assert_eq!(refusal.of.as_deref(), Some("got_a_new_user"));
        let message = &*refusal.message;
        assert!(message.ends_with('.') && message.contains(reason), "{message}");
    }
    assert_eq!(ana.join("Ana").await.count, 1);
    ana.send(r#"{"event":"rename","name":""}"#).await;
    assert_eq!(ana.refusal().await["code"], "name_empty");
    assert_eq!(ana.names(), ["Ana"]);
}

/// Names are data: markup, keys and escapes have no effect.
#[tokio::test]
async fn names_are_treated_as_text() {
    let server = TestServer::start();
    let mut watcher = server.connect("lobby").await;
    watcher.watch().await;
    let names = ["<script>alert(1)</script>", "__proto__", "\\\"'{}", "مريم", "👩‍👩‍👧", "раураl"];
    let mut people = Vec::new();
    for name in names {
        let mut client = server.connect("lobby").await;
        client.join(name).await;
        people.push(client);
    }
    watcher.wait_for_names(&names).await;
    // Lookalike names are marked, in a list and in changes.
    for client in [&watcher, &people[5]] {
        let looks: Vec<_> =
            client.replica.roster().users().map(|user| user.name.skeleton()).collect();
        assert_eq!(looks.last(), Some(&Some("paypal")));
    }
    assert_eq!(
        watcher.replica.roster(),
        &Roster::from_users(people[5].replica.roster().users().cloned()).unwrap()
    );
}

#[tokio::test]
async fn shutdown_closes_every_socket_with_1012() {
    let server = TestServer::start();
    let mut people = Vec::new();
    for name in ["Ana", "Bo", "Kim"] {
        let mut client = server.connect("lobby").await;
        client.join(name).await;
        people.push(client);
    }
    let mut silent = server.connect("lobby").await;
    people[0].wait_for_names(&["Ana", "Bo", "Kim"]).await;
    let closed = tokio::spawn(async move {
        let mut codes = Vec::new();
        for client in &mut people {
            codes.push(client.close_code().await);
        }
        codes.push(silent.close_code().await);
        // No client received the departures of the others.
        (codes, people[0].names())
    });
    server.stop().await;
    let (codes, names) = closed.await.unwrap();
    assert_eq!(codes, [Some(1012); 4]);
    assert_eq!(names, ["Ana", "Bo", "Kim"]);
}
