//! The event stream (Server-Sent Events), through real requests.

use crate::support::TestServer;
use app::{
    client::{Progress, Replica},
    presence::ServerEvent,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// An open event stream.
struct Feed {
    lines: tokio::io::Lines<BufReader<TcpStream>>,
}

#[derive(Debug)]
struct Event {
    name: String,
    id: Option<String>,
    data: ServerEvent,
}

impl Feed {
    async fn open(server: &TestServer, room: &str, last_event: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let last_event =
            last_event.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /api/rooms/{room}/events HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br, gzip\r\n{last_event}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next_line().await.unwrap().unwrap();
        assert!(status.contains("200"), "{status}");
        let mut head = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap().filter(|line| !line.is_empty()) {
            head.push(line);
        }
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
        let (mut name, mut id, mut data) = (None, None, None);
        loop {
            let line = self.lines.next_line().await.unwrap().expect("the feed goes on");
            if let Some(value) = line.strip_prefix("event: ") {
                name = Some(value.to_owned());
            } else if let Some(value) = line.strip_prefix("id: ") {
                id = Some(value.to_owned());
            } else if let Some(value) = line.strip_prefix("data: ") {
                data = Some(serde_json::from_str(value).unwrap());
            } else if line.is_empty()
                && let Some(data) = data.take()
            {
                return Event { name: name.unwrap(), id, data };
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
    while let Ok(Some(_)) = feed.lines.next_line().await {}
}
