//! The event stream (Server-Sent Events), through real requests.

use std::time::Duration;

use crate::support::{TestServer, described::assert_is_message};
use app::{
    client::{Progress, Replica},
    presence::ServerEvent,
};
use server::websocket::connection::ConnectionConfig;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An open event stream.
struct Feed {
    lines: tokio::io::Lines<BufReader<TcpStream>>,
}

#[derive(Debug)]
struct Event {
    name: String,
    id: Option<String>,
    data: ServerEvent,
    /// In a stream of several rooms.
    room: Option<String>,
}

impl Feed {
    async fn open(server: &TestServer, room: &str, last_event: Option<&str>) -> Self {
        let last_event =
            last_event.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        Self::open_at(server, &format!("/api/rooms/{room}/events"), &last_event).await
    }

    async fn open_at(server: &TestServer, address: &str, header: &str) -> Self {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request = format!(
            "GET {address} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br, gzip\r\n{header}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let mut head = Vec::new();
        let receiving = async {
            while let Some(line) = lines.next_line().await.unwrap().filter(|line| !line.is_empty())
            {
                head.push(line);
            }
        };
        timeout(TIMEOUT, receiving).await.expect("no response arrived in time");
        assert!(head[0].contains("200"), "{head:?}");
        for expected in [
            "content-type: text/event-stream",
            "cache-control: no-store, no-transform",
            "x-accel-buffering: no",
        ] {
            assert!(head.iter().any(|line| line == expected), "{head:?}");
        }
        Self { lines }
    }

    async fn event(&mut self) -> Event {
        timeout(TIMEOUT, self.next_event()).await.expect("no event arrived in time")
    }

    async fn next_event(&mut self) -> Event {
        let (mut name, mut id, mut data, mut room) = (None, None, None, None);
        loop {
            let line = self.lines.next_line().await.unwrap().expect("the feed goes on");
            if let Some(value) = line.strip_prefix("event: ") {
                name = Some(value.to_owned());
            } else if let Some(value) = line.strip_prefix("id: ") {
                id = Some(value.to_owned());
            } else if let Some(value) = line.strip_prefix("data: ") {
                let object: serde_json::Value = serde_json::from_str(value).unwrap();
                let prefix = if object.get("room").is_some() { "room_" } else { "" };
                let event = object["event"].as_str().unwrap();
                assert_is_message(&format!("{prefix}{event}"), value);
                room = object.get("room").and_then(|room| room.as_str()).map(str::to_owned);
                data = Some(serde_json::from_str(value).unwrap());
            } else if line.is_empty()
                && let Some(data) = data.take()
            {
                return Event { name: name.unwrap(), id, data, room };
            }
        }
    }
}

#[tokio::test]
async fn event_stream_sends_the_list_and_then_changes() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.announce("Ana", "t").await;
    let mut feed = Feed::open(&server, "team", None).await;
    let list = feed.event().await;
    assert_eq!(list.name, "existing_users");
    let ServerEvent::ExistingUsers(users) = &list.data else { panic!("{list:?}") };
    assert_eq!((users.count, users.you), (1, None));
    assert_eq!(list.id, Some(format!("{}.1", users.epoch)));

    let mut bo = server.connect("team").await;
    bo.announce("Bo", "t").await;
    let changes = feed.event().await;
    assert_eq!(
        (changes.name.as_str(), changes.id),
        ("changes", Some(format!("{}.2", users.epoch)))
    );

    // Another stream resumes from the first event.
    let mut resumed = Feed::open(&server, "team", list.id.as_deref()).await;
    let event = resumed.event().await;
    assert_eq!(event.name, "resumed");
    let ServerEvent::Resumed(missing) = event.data else { panic!("resumed") };
    assert_eq!(missing.difference.new_user[0].name.as_str(), "Bo");
    for useless in ["nonsense", "other.1", &format!("{}.99", users.epoch)] {
        let mut feed = Feed::open(&server, "team", Some(useless)).await;
        assert_eq!(feed.event().await.name, "existing_users", "{useless}");
    }
}

#[tokio::test]
async fn event_ids_are_sent_with_complete_lists_only() {
    let server = TestServer::start();
    let mut people = Vec::new();
    for number in 0..100 {
        let mut client = server.connect("crowd").await;
        client.announce(&format!("Somebody with a long name, number {number}"), "t").await;
        people.push(client);
    }
    let mut feed = Feed::open(&server, "crowd", None).await;
    let mut replica = Replica::default();
    let mut names = Vec::new();
    loop {
        let event = feed.event().await;
        let progress = replica.receive(event.data).unwrap();
        assert_eq!(event.id.is_some(), progress == Progress::Replaced);
        names.push(event.name);
        if event.id.is_some() {
            break;
        }
    }
    assert!(names.len() > 2 && names[1..].iter().all(|name| name == "more_users"), "{names:?}");
    people[99].wait_until(|replica| replica.roster().len() == 100).await;
    assert_eq!(replica.roster(), people[99].replica.roster());
}

#[tokio::test]
async fn event_stream_ends_at_shutdown() {
    let server = TestServer::start();
    let mut feed = Feed::open(&server, "team", None).await;
    feed.event().await;
    server.stop().await;
    let ending = async { while let Ok(Some(_)) = feed.lines.next_line().await {} };
    timeout(TIMEOUT, ending).await.expect("the stream ends");
}

#[tokio::test]
async fn one_event_stream_follows_several_rooms() {
    let server = TestServer::start();
    let mut ana = server.connect("a").await;
    ana.announce("Ana", "t").await;
    let mut feed = Feed::open_at(&server, "/api/events?rooms=b,a", "").await;
    let mut positions = std::collections::BTreeMap::new();
    for _ in 0..2 {
        let event = feed.event().await;
        assert_eq!(event.name, "existing_users");
        positions.insert(event.room.unwrap(), event.id.unwrap());
    }
    assert!(positions["a"].starts_with("a.") && positions["a"].ends_with(".1"), "{positions:?}");
    assert!(positions["b"].starts_with("b.") && positions["b"].ends_with(".0"), "{positions:?}");

    let mut bo = server.connect("b").await;
    bo.announce("Bo", "t").await;
    let changes = feed.event().await;
    assert_eq!((changes.name.as_str(), changes.room.as_deref()), ("changes", Some("b")));
    let before = positions["b"].strip_suffix(".0").unwrap();
    assert_eq!(changes.id, Some(format!("{before}.1")));

    // Another stream resumes each room from its own position.
    let since = format!("{},{}", positions["a"], positions["b"]);
    let mut resumed =
        Feed::open_at(&server, &format!("/api/events?rooms=a,b&since={since}"), "").await;
    let events = [resumed.event().await, resumed.event().await];
    for event in &events {
        let ServerEvent::Resumed(missing) = &event.data else { panic!("{event:?}") };
        let expected = usize::from(event.room.as_deref() == Some("b"));
        assert_eq!(missing.difference.new_user.len(), expected, "{event:?}");
    }
    let header = format!("Last-Event-ID: {}\r\n", positions["a"]);
    let mut resumed = Feed::open_at(&server, "/api/events?rooms=a,b", &header).await;
    for _ in 0..2 {
        let event = resumed.event().await;
        let expected =
            if event.room.as_deref() == Some("a") { "resumed" } else { "existing_users" };
        assert_eq!(event.name, expected);
    }
}

#[tokio::test]
async fn refused_room_takes_nothing_from_the_others_of_its_stream() {
    let limits = "[limits]\nmax-sockets-per-room = 1";
    let server = TestServer::start_with(limits, ConnectionConfig::default());
    let _only_socket = server.connect("full").await;
    let mut feed = Feed::open_at(&server, "/api/events?rooms=full,open", "").await;
    let refused = feed.event().await;
    let ServerEvent::Refused(_) = refused.data else { panic!("{refused:?}") };
    assert_eq!((refused.name.as_str(), refused.room.as_deref()), ("refused", Some("full")));
    assert_eq!(refused.id, None);
    let list = feed.event().await;
    assert_eq!((list.name.as_str(), list.room.as_deref()), ("existing_users", Some("open")));
    let answer = server.get("/api/events?rooms=full").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
}

#[tokio::test]
async fn event_stream_of_no_or_invalid_rooms_is_a_bad_request() {
    let server = TestServer::start();
    for query in ["", "?rooms=", "?rooms=a,b_c"] {
        let answer = server.get(&format!("/api/events{query}")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{query}: {answer}");
    }
}
