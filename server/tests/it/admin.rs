//! The operator's interface, through its own listening socket.

use std::{net::SocketAddr, process::Command, time::Duration};

use crate::support::{Client, OPERATOR_TOKEN, TestServer, header, process::ServerProcess};
use app::presence::{Changes, UserId};
use server::listener::tcp;
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);

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
async fn removed_person_leaves_the_list_in_all_tabs_with_the_reason() {
    let server = TestServer::start();
    let (mut ana, mut second_tab, mut bo, id) = ana_in_two_tabs_and_bo(&server).await;
    let answer = remove(&server, "lobby", id.as_str(), OPERATOR_TOKEN).await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    for client in [&mut ana, &mut second_tab, &mut bo] {
        let received = loop {
            let Changes { difference, .. } = client.changes().await;
            if !difference.disconnect_user.is_empty() {
                break difference;
            }
        };
        assert_eq!(received.disconnect_user.removed, [id]);
        assert_eq!(client.names(), ["Bo"]);
    }
    // Removed people keep watching, and may join again.
    ana.announce("Ana", "t1").await;
    bo.wait_for_names(&["Bo", "Ana"]).await;
    server.stop().await;
}

#[tokio::test]
async fn removal_requires_the_token_and_affects_one_person() {
    let server = TestServer::start();
    let (_ana, _second_tab, mut bo, id) = ana_in_two_tabs_and_bo(&server).await;
    for (room, id, token, status) in [
        ("lobby", id.as_str(), "another token", 401),
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
    // The public address does not have this interface.
    let authorization = format!("Authorization: Bearer {OPERATOR_TOKEN}\r\n");
    let path = format!("/rooms/lobby/users/{id}");
    let answer = server.request("DELETE", &path, &authorization).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    bo.wait_for_names(&["Ana", "Bo"]).await;
    server.stop().await;
}

/// The header line with the operator's token.
fn authorization() -> String {
    format!("Authorization: Bearer {OPERATOR_TOKEN}\r\n")
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn room_list_contains_rooms_and_their_members() {
    let server = TestServer::start();
    let (_ana, _second_tab, _bo, id) = ana_in_two_tabs_and_bo(&server).await;
    let mut watcher = server.connect("quiet").await;
    watcher.watch().await;
    let all = server.operator.get_with("/rooms", &authorization()).await;
    assert_eq!(
        body(&all),
        r#"[{"room":"lobby","people":2,"observers":3},{"room":"quiet","people":0,"observers":1}]"#
    );
    let one = server.operator.get_with("/rooms/lobby", &authorization()).await;
    let one: serde_json::Value = serde_json::from_str(body(&one)).unwrap();
    assert_eq!((&one["people"], &one["observers"]), (&2.into(), &3.into()));
    assert_eq!(
        (&one["users"][0]["name"], &one["users"][0]["id"]),
        (&"Ana".into(), &id.as_str().into())
    );
    for (path, headers, status) in [
        ("/rooms", "", 401),
        ("/rooms/lobby", "", 401),
        ("/rooms/nobody-is-here", authorization().as_str(), 404),
        ("/rooms/Not%20a%20room", authorization().as_str(), 404),
    ] {
        let answer = server.operator.get_with(path, headers).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn closed_room_removes_and_disconnects_its_members() {
    let server = TestServer::start();
    let (ana, second_tab, bo, _) = ana_in_two_tabs_and_bo(&server).await;
    let mut silent = server.connect("lobby").await;
    let mut elsewhere = server.connect("elsewhere").await;
    elsewhere.announce("Kim", "t").await;
    let mut feed = server.open("/api/rooms/lobby/events").await;
    let refused = server.operator.request("DELETE", "/rooms/lobby", "").await;
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    let closed = server.operator.request("DELETE", "/rooms/lobby", &authorization()).await;
    assert!(closed.starts_with("HTTP/1.1 204 "), "{closed}");
    for mut client in [ana, second_tab, bo] {
        // The removal comes before the close frame, so that pages do not rejoin.
        client.wait_for_names(&[]).await;
        assert_eq!(client.close_code().await, Some(1000));
    }
    assert_eq!(silent.close_code().await, Some(1000));
    assert!(server.read_to_end(&mut feed).await.contains("\"removed\":["));
    assert_eq!(elsewhere.names(), ["Kim"]);
    // The room can be opened again.
    let mut again = server.connect("lobby").await;
    again.announce("Ana", "t1").await;
    assert_eq!(again.names(), ["Ana"]);
    let answer = server.operator.request("DELETE", "/rooms/nowhere", &authorization()).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    server.stop().await;
}

/// The value of a metric.
fn sample(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{name} is not among:\n{metrics}")).parse().unwrap()
}

#[tokio::test]
async fn metrics_count_events_and_contain_no_names() {
    let server = TestServer::start();
    let before = server.operator.get("/metrics").await;
    let mut ana = server.connect("the-secret-room").await;
    ana.announce("Anastasia", "t1").await;
    let mut bo = server.connect("the-secret-room").await;
    bo.announce("Bo", "t1").await;
    bo.send("no JSON").await;
    bo.refusal().await;
    ana.wait_for_names(&["Anastasia", "Bo"]).await;
    assert!(server.get("/nothing-there").await.starts_with("HTTP/1.1 404 "));
    let metrics = server.operator.get("/metrics").await;
    assert!(metrics.contains("content-type: text/plain; version=0.0.4"), "{metrics}");
    for (name, value) in [
        ("rollcall_ready", 1.0),
        ("rollcall_sockets", 2.0),
        ("rollcall_rooms", 1.0),
        ("rollcall_people", 2.0),
    ] {
        assert!((sample(&metrics, name) - value).abs() < f64::EPSILON, "{name}\n{metrics}");
    }
    // Counters belong to the process, and other tests run in it at the same time.
    for (name, value) in [
        ("rollcall_sockets_opened_total", 2.0),
        ("rollcall_changes_total", 2.0),
        ("rollcall_snapshots_total", 2.0),
        ("rollcall_refusals_total", 1.0),
        ("rollcall_http_responses_total{class=\"4xx\"}", 1.0),
        ("rollcall_http_responses_total{class=\"1xx\"}", 2.0),
    ] {
        let counted = sample(&metrics, name) - sample(&before, name);
        assert!(counted >= value, "{name}: {counted}\n{metrics}");
    }
    assert!(sample(&metrics, "rollcall_panics_total").abs() < f64::EPSILON, "{metrics}");
    assert!(sample(&metrics, "rollcall_frames_sent_total") >= 4.0, "{metrics}");
    assert!(sample(&metrics, "rollcall_sent_bytes_total") >= 400.0, "{metrics}");
    let id = ana.replica.you().unwrap();
    for secret in ["Anastasia", "the-secret-room", id.as_str(), "127.0.0.1"] {
        assert!(!metrics.contains(secret), "{secret}\n{metrics}");
    }
    // The public address does not have these paths.
    for path in ["/metrics", "/readyz", "/rooms"] {
        assert!(server.get(path).await.starts_with("HTTP/1.1 404 "), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn healthz_is_served_on_both_addresses_and_readyz_on_the_operators() {
    let server = TestServer::start();
    assert!(server.get("/healthz").await.ends_with("\r\n\r\nok\n"));
    assert!(server.operator.get("/healthz").await.ends_with("\r\n\r\nok\n"));
    let ready = server.operator.get("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");
    assert_eq!(body(&ready), r#"{"ready":true,"reasons":[]}"#);
    server.stop().await;
}

#[tokio::test]
async fn wrong_tokens_are_slowed_counted_and_logged_once_a_minute() {
    let server = ServerProcess::start_with("operator-addr = \"127.0.0.1:0\"");
    let operator = server.operator().await;
    let ask = async |token: &str| {
        operator.get_with("/rooms", &format!("Authorization: Bearer {token}\r\n")).await
    };
    let token = std::fs::read_to_string(server.state_file("operator.token")).unwrap();
    // Ten at once, and then one a second.
    let mut tries = 0_u32;
    let refused = loop {
        tries += 1;
        let answer = ask(&format!("wrong-{tries}")).await;
        if tries == 100 || !answer.starts_with("HTTP/1.1 401 ") {
            break answer;
        }
    };
    assert!(refused.starts_with("HTTP/1.1 429 ") && tries > 10, "{tries}: {refused}");
    assert!(header(&refused, "retry-after").is_some(), "{refused}");
    // Then the right one is not looked at either, for a moment.
    let right = loop {
        let answer = ask(token.trim()).await;
        if !answer.starts_with("HTTP/1.1 429 ") {
            break answer;
        }
    };
    assert!(right.starts_with("HTTP/1.1 200 "), "{right}");
    // A request without a token tries none.
    assert!(operator.get("/rooms").await.starts_with("HTTP/1.1 401 "));
    let metrics = operator.get("/metrics").await;
    let counted = sample(&metrics, "rollcall_wrong_operator_tokens_total");
    assert!(counted >= f64::from(tries), "{counted} {tries}");
    let what = "a wrong operator's token was sent";
    server.wait_until_logged(what).await;
    let log = server.log();
    assert_eq!(log.matches(what).count(), 1, "{log}");
    assert!(!log.contains("wrong-1") && !log.contains(token.trim()), "{log}");
}

/// A server with this limit of open files, which visitors may hold for as long as they like.
fn with_open_files(number: u32) -> ServerProcess {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {number}; exec \"$0\" \"$@\"")]);
    ServerProcess::start_by(shell, "operator-addr = \"127.0.0.1:0\"\n[limits]\nrequest-timeout = 0")
}

/// One that asks for nothing makes room for one that does.
#[tokio::test]
async fn idle_connections_to_the_operator_lock_nobody_out() {
    // For this process.
    tcp::raise_open_files_limit();
    let server = with_open_files(256);
    let operator = server.operator().await;
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(TcpStream::connect(operator.address).await.unwrap());
    }
    for path in ["/readyz", "/metrics"] {
        let answer = operator.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    // Visitors have all their files: an address half of 120.
    let mut visitors = Vec::new();
    for _ in 0..50 {
        visitors.push(server.open("/healthz").await);
    }
    for visitor in &mut visitors {
        let mut start = [0; 12];
        timeout(TIMEOUT, visitor.read_exact(&mut start)).await.unwrap().unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
    }
    drop(idle);
}

#[tokio::test]
async fn flood_of_visitors_leaves_the_operator_its_files() {
    let server = with_open_files(128);
    let operator = server.operator().await;
    let mut flood = Vec::new();
    for number in 0..600_u32 {
        let socket = TcpSocket::new_v4().unwrap();
        let last = u8::try_from(2 + number % 8).unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
        flood.push(socket.connect(server.address).await.unwrap());
    }
    for _ in 0..5 {
        for path in ["/readyz", "/metrics"] {
            let answer = operator.get(path).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
    }
    drop(flood);
}
