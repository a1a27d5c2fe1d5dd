//! "The life of a row" in the protocol, row by row of its table, through real sockets and in real time.
//!
//! Times are printed, not asserted: the simulated-time tests of the room assert them.

use std::time::Instant;

use crate::support::{Client, TestServer};
use app::presence::{PresenceState, ServerEvent};
use futures_util::future::join_all;

/// A watcher, and Ana in one tab.
async fn a_watcher_and_ana() -> (TestServer, Client, Client) {
    let server = TestServer::start();
    let mut watcher = server.connect("lobby").await;
    watcher.watch().await;
    let mut ana = server.connect("lobby").await;
    ana.announce("Ana", "t1").await;
    watcher.changes().await;
    (server, watcher, ana)
}

/// Checks that the watcher received nothing before the join of another member.
async fn was_told_nothing(server: &TestServer, watcher: &mut Client) {
    let mut control = server.connect("lobby").await;
    control.announce("Control", "c").await;
    let received = watcher.changes().await;
    assert_eq!(received.difference.new_user.len(), 1, "{received:?}");
    assert_eq!(received.difference.new_user[0].name.as_str(), "Control");
    assert!(
        received.difference.disconnect_user.is_empty()
            && received.difference.user_changed.is_empty()
    );
}

fn print_elapsed(what: &str, since: Instant) {
    println!("{what}: {:.1} ms", since.elapsed().as_secs_f64() * 1000.0);
}

#[tokio::test]
async fn first_tab_is_announced_at_once() {
    let (server, mut watcher, _ana) = a_watcher_and_ana().await;
    let mut bo = server.connect("lobby").await;
    let started_at = Instant::now();
    bo.send(r#"{"event":"got_a_new_user","name":"Bo"}"#).await;
    let received = watcher.changes().await;
    print_elapsed("a first tab to new_user", started_at);
    assert_eq!(received.difference.new_user.len(), 1);
}

#[tokio::test]
async fn second_tab_causes_no_change() {
    let (server, mut watcher, ana) = a_watcher_and_ana().await;
    let mut second = server.connect_as("lobby", Some(&ana.cookie)).await;
    second.announce("Ana", "t2").await;
    second.close().await;
    was_told_nothing(&server, &mut watcher).await;
}

#[tokio::test]
async fn reload_causes_no_change() {
    let (server, mut watcher, mut ana) = a_watcher_and_ana().await;
    for _ in 0..10 {
        let (cookie, list) = (ana.cookie.clone(), ana.replica.clone());
        ana.close().await;
        server.get_with("/", &format!("Cookie: {cookie}\r\n")).await;
        ana = server.connect_as("lobby", Some(&cookie)).await;
        let answer = ana.resume(list, "Ana", "t1").await;
        assert!(matches!(answer, ServerEvent::Resumed(resumed) if resumed.difference.is_empty()));
    }
    was_told_nothing(&server, &mut watcher).await;
}

#[tokio::test]
async fn clean_close_removes_the_row_after_two_seconds() {
    let (_server, mut watcher, ana) = a_watcher_and_ana().await;
    let started_at = Instant::now();
    ana.close().await;
    let received = watcher.changes().await;
    print_elapsed("clean close to disconnect_user closed", started_at);
    assert_eq!(received.difference.disconnect_user.closed.len(), 1);
}

#[tokio::test]
async fn page_load_extends_the_grace_period() {
    let (server, mut watcher, ana) = a_watcher_and_ana().await;
    let cookie = ana.cookie.clone();
    let started_at = Instant::now();
    ana.close().await;
    server.get_with("/", &format!("Cookie: {cookie}\r\n")).await;
    let received = watcher.changes().await;
    print_elapsed("clean close with the page served again to disconnect_user closed", started_at);
    assert_eq!(received.difference.disconnect_user.closed.len(), 1);
}

/// A kiosk does not belong to a person, so loading its page does not announce a return.
#[tokio::test]
async fn kiosk_page_load_does_not_extend_the_grace_period() {
    let (server, mut watcher, ana) = a_watcher_and_ana().await;
    let mut bo = server.connect("lobby").await;
    bo.announce("Bo", "t1").await;
    watcher.changes().await;
    let who_is_ana = ana.replica.you().expect("an announcement tells the id");
    let [cookie_of_ana, cookie_of_bo] = [ana.cookie.clone(), bo.cookie.clone()];
    bo.close().await;
    server.get_with("/", &format!("Cookie: {cookie_of_bo}\r\n")).await;
    ana.close().await;
    server.get_with("/?wall", &format!("Cookie: {cookie_of_ana}\r\n")).await;
    // Bo closed first, and his grace period was extended. If Ana's were too, she would be removed after him.
    let received = watcher.changes().await;
    assert_eq!(received.difference.disconnect_user.closed, [who_is_ana], "{received:?}");
}

/// Nobody waits for a page that a browser fetches ahead, or whose headers alone are asked for.
#[tokio::test]
async fn request_that_is_no_visit_does_not_extend_the_grace_period() {
    let cases = [
        ("HEAD", ""),
        ("GET", "Sec-Purpose: prefetch\r\n"),
        ("GET", "Sec-Purpose: prefetch;prerender\r\n"),
        ("GET", "Purpose: Prefetch\r\n"),
        ("GET", "X-Moz: prefetch\r\n"),
    ];
    let each = cases.map(async |(method, purpose)| {
        let (server, mut watcher, ana) = a_watcher_and_ana().await;
        let mut bo = server.connect("lobby").await;
        bo.announce("Bo", "t1").await;
        watcher.changes().await;
        let who_is_ana = ana.replica.you().expect("an announcement tells the id");
        let [cookie_of_ana, cookie_of_bo] = [ana.cookie.clone(), bo.cookie.clone()];
        bo.close().await;
        server.get_with("/", &format!("Cookie: {cookie_of_bo}\r\n")).await;
        ana.close().await;
        server.request(method, "/", &format!("Cookie: {cookie_of_ana}\r\n{purpose}")).await;
        // As above: Ana is removed before Bo, whose page was on its way.
        let received = watcher.changes().await;
        assert_eq!(received.difference.disconnect_user.closed, [who_is_ana], "{method} {purpose}");
    });
    join_all(each).await;
}

#[tokio::test]
async fn leave_removes_the_row_at_once() {
    let (_server, mut watcher, mut ana) = a_watcher_and_ana().await;
    let started_at = Instant::now();
    ana.send(r#"{"event":"leave"}"#).await;
    let received = watcher.changes().await;
    print_elapsed("leave to disconnect_user left", started_at);
    assert_eq!(received.difference.disconnect_user.left.len(), 1);
}

#[tokio::test]
async fn broken_connection_is_reconnecting_at_once_and_lost_later() {
    let (_server, mut watcher, ana) = a_watcher_and_ana().await;
    let started_at = Instant::now();
    ana.abort();
    let received = watcher.changes().await;
    print_elapsed("break to reconnecting", started_at);
    assert_eq!(received.difference.user_changed.reconnecting.len(), 1);
    let received = watcher.changes().await;
    print_elapsed("break to disconnect_user lost", started_at);
    assert_eq!(received.difference.disconnect_user.lost.len(), 1);
}

#[tokio::test]
async fn end_of_stream_without_a_close_frame_is_a_broken_connection() {
    let (_server, mut watcher, mut ana) = a_watcher_and_ana().await;
    let started_at = Instant::now();
    ana.send_fin().await;
    let received = watcher.changes().await;
    print_elapsed("FIN without a close frame to reconnecting", started_at);
    assert_eq!(received.difference.user_changed.reconnecting.len(), 1);
    assert_eq!(ana.close_code().await, None);
}

#[tokio::test]
async fn reset_is_a_broken_connection() {
    let (_server, mut watcher, ana) = a_watcher_and_ana().await;
    let started_at = Instant::now();
    ana.reset();
    let received = watcher.changes().await;
    print_elapsed("reset to reconnecting", started_at);
    assert_eq!(received.difference.user_changed.reconnecting.len(), 1);
}

/// The client's system accepts the bytes, but no one answers the pings.
#[tokio::test]
async fn unanswered_pings_lead_to_reconnecting_and_then_lost() {
    let (_server, mut watcher, ana) = a_watcher_and_ana().await;
    let started_at = Instant::now();
    let received = watcher.changes().await;
    let noticed = Instant::now();
    print_elapsed("half-open to reconnecting", started_at);
    assert_eq!(received.difference.user_changed.reconnecting.len(), 1);
    let received = watcher.changes().await;
    print_elapsed("half-open to disconnect_user lost", started_at);
    print_elapsed("half-open noticed to disconnect_user lost", noticed);
    assert_eq!(received.difference.disconnect_user.lost.len(), 1);
    drop(ana);
}

#[tokio::test]
async fn reconnected_member_is_here() {
    let (server, mut watcher, ana) = a_watcher_and_ana().await;
    let (cookie, list) = (ana.cookie.clone(), ana.replica.clone());
    ana.abort();
    assert_eq!(watcher.changes().await.difference.user_changed.reconnecting.len(), 1);
    let mut ana = server.connect_as("lobby", Some(&cookie)).await;
    let started_at = Instant::now();
    assert!(matches!(ana.resume(list, "Ana", "t1").await, ServerEvent::Resumed(_)));
    assert_eq!(watcher.changes().await.difference.user_changed.here.len(), 1);
    print_elapsed("back in time to here", started_at);
    assert_eq!(ana.replica.roster(), watcher.replica.roster());
}

#[tokio::test]
async fn tab_hidden_for_30_s_is_away_and_shown_again_is_here() {
    let (_server, mut watcher, mut ana) = a_watcher_and_ana().await;
    let started_at = Instant::now();
    ana.send(r#"{"event":"visible","visible":false}"#).await;
    let pinging = tokio::spawn(async move {
        ana.wait_until(|replica| replica.own_row().unwrap().state == PresenceState::Away).await;
        ana.send(r#"{"event":"visible","visible":true}"#).await;
        ana.wait_until(|replica| replica.own_row().unwrap().state == PresenceState::Here).await;
        ana
    });
    let received = watcher.changes().await;
    print_elapsed("hidden to away", started_at);
    assert_eq!(received.difference.user_changed.away.len(), 1);
    let started_at = Instant::now();
    assert_eq!(watcher.changes().await.difference.user_changed.here.len(), 1);
    print_elapsed("shown again to here", started_at);
    pinging.await.unwrap();
}

#[tokio::test]
async fn second_socket_of_a_tab_replaces_the_first() {
    let (server, mut watcher, mut ana) = a_watcher_and_ana().await;
    let mut newer = server.connect_as("lobby", Some(&ana.cookie)).await;
    newer.announce("Ana", "t1").await;
    assert_eq!(ana.close_code().await, Some(4409));
    was_told_nothing(&server, &mut watcher).await;
}

#[tokio::test]
async fn restart_causes_no_change_for_resumed_members() {
    let server = TestServer::start();
    let mut people = Vec::new();
    for number in 0..20 {
        let mut client = server.connect("team").await;
        client.announce(&format!("P{number}"), "t").await;
        people.push(client);
    }
    for client in &mut people {
        client.wait_until(|replica| replica.roster().len() == 20).await;
    }
    let goodbyes = join_all(people.iter_mut().map(Client::close_code));
    let (server, codes) = tokio::join!(server.restart(), goodbyes);
    assert_eq!(codes, [Some(1012); 20]);
    let left: Vec<_> = people.into_iter().map(|client| (client.cookie, client.replica)).collect();
    let mut people = Vec::new();
    for (number, (cookie, replica)) in left.into_iter().enumerate() {
        let mut client = server.connect_as("team", Some(&cookie)).await;
        let answer = client.resume(replica, &format!("P{number}"), "t").await;
        let ServerEvent::Resumed(resumed) = answer else { panic!("{answer:?}") };
        let file = std::fs::read_to_string(server.state_directory().join("rooms.json")).unwrap();
        assert!(!file.contains("in_order"), "its seq is continued only once: {file}");
        assert!(resumed.difference.is_empty() && resumed.from == resumed.seq, "{resumed:?}");
        people.push(client);
    }
    // The next change is a newcomer.
    let mut newcomer = server.connect("team").await;
    newcomer.announce("Newcomer", "t").await;
    for client in &mut people {
        assert_eq!(client.changes().await.difference.new_user[0].name.as_str(), "Newcomer");
        assert_eq!(client.replica.roster(), newcomer.replica.roster());
    }
}

#[tokio::test]
async fn unusable_since_is_answered_with_the_list() {
    let (server, _watcher, ana) = a_watcher_and_ana().await;
    let epoch = ana.replica.epoch().unwrap().clone();
    for (epoch, seq) in [(epoch.as_str(), 2_u64), (epoch.as_str(), u64::MAX), ("other", 1)] {
        let mut client = server.connect("lobby").await;
        let since = format!(r#"{{"epoch":"{epoch}","seq":{seq}}}"#);
        client.send(&format!(r#"{{"event":"watch","since":{since}}}"#)).await;
        assert_eq!(client.list().await.count, 1);
    }
}
