//! The timers of a connection, on simulated time and without a network. A socket is a pair of channels, and
//! the test is the client.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use app::{
    client::{Progress, Replica},
    presence::{CloseCode, Difference, PresenceState, RoomName, ServerEvent},
};
use futures_util::{Sink, Stream};
use registry::{hub::Hub, presence::room::RoomLimits};
use server::{
    lifecycle::graceful_shutdown::Drain,
    websocket::{
        connection::serve,
        transport::{Socket, TransportError},
    },
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use tungstenite::Message;

/// A WebSocket made of two channels. A binary message makes it panic, like a bug in the server.
struct Pipe {
    incoming: UnboundedReceiver<Message>,
    outgoing: UnboundedSender<Message>,
}

#[derive(Debug)]
struct NoError;

impl std::fmt::Display for NoError {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl TransportError for NoError {
    fn close_code(&self) -> Option<CloseCode> {
        None
    }
}

impl Stream for Pipe {
    type Item = Result<Message, NoError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let message = std::task::ready!(self.incoming.poll_recv(context));
        assert!(!message.as_ref().is_some_and(Message::is_binary), "a fault of the server");
        Poll::Ready(message.map(Ok))
    }
}

impl Sink<Message> for Pipe {
    type Error = NoError;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), NoError>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), NoError> {
        self.outgoing.send(message).map_err(|_| NoError)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), NoError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), NoError>> {
        Poll::Ready(Ok(()))
    }
}

impl Socket for Pipe {}

/// The client's end of a [`Pipe`].
struct Client {
    to_server: UnboundedSender<Message>,
    from_server: UnboundedReceiver<Message>,
    task: JoinHandle<()>,
    opened: Instant,
}

fn connect(hub: &std::sync::Arc<Hub>, who: u128) -> Client {
    connect_until(&Drain::default(), hub, who)
}

fn connect_until(shutdown: &Drain, hub: &std::sync::Arc<Hub>, who: u128) -> Client {
    let (to_server, incoming) = unbounded_channel();
    let (outgoing, from_server) = unbounded_channel();
    let id = app::presence::UserId::from_leading_bits(who << 64);
    let membership = hub.enter(&RoomName::lobby(), id);
    let pipe = Pipe { incoming, outgoing };
    let guard = shutdown.socket();
    let task = tokio::spawn(serve(pipe, membership, Arc::default(), guard, ()));
    Client { to_server, from_server, task, opened: Instant::now() }
}

fn hub() -> std::sync::Arc<Hub> {
    Hub::new(RoomLimits {
        most_people: 100,
        most_connections_per_person: 10,
        keep_attendance: None,
    })
}

impl Client {
    fn say(&self, text: &str) {
        self.to_server.send(Message::Text(text.to_owned().into())).unwrap();
    }

    fn join(&self, name: &str) {
        self.say(&format!(r#"{{"event":"got_a_new_user","name":"{name}"}}"#));
    }

    async fn receive(&mut self) -> Message {
        timeout(Duration::from_mins(10), self.from_server.recv()).await.unwrap().unwrap()
    }

    /// The next event. Pings are answered.
    async fn event(&mut self) -> ServerEvent {
        loop {
            match self.receive().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(payload) => {
                    self.to_server.send(Message::Pong(payload)).unwrap();
                }
                other => panic!("a frame was expected, not {other:?}"),
            }
        }
    }

    fn elapsed(&self) -> Duration {
        self.opened.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn unanswered_pings_lead_to_reconnecting_after_15_s_and_lost_after_30_s() {
    let hub = hub();
    let mut silent = connect(&hub, 1);
    silent.join("Silent");
    assert!(matches!(silent.receive().await, Message::Text(_)));
    assert!(matches!(silent.receive().await, Message::Ping(_)));
    assert_eq!(silent.elapsed(), Duration::from_millis(9_900));
    let mut watcher = connect(&hub, 2);
    watcher.say(r#"{"event":"watch"}"#);
    watcher.event().await;
    let received = changes(&mut watcher).await;
    assert_eq!(received.user_changed.reconnecting.len(), 1);
    assert_eq!(silent.elapsed(), Duration::from_millis(14_900));
    let received = changes(&mut watcher).await;
    assert_eq!(received.disconnect_user.lost.len(), 1);
    assert_eq!(silent.elapsed(), Duration::from_millis(29_900));
    silent.task.await.unwrap();
}

/// The next difference, without beats.
async fn changes(client: &mut Client) -> Difference {
    loop {
        match client.event().await {
            ServerEvent::Changes(changes) => return changes.difference,
            ServerEvent::Beat(_) => {}
            other => panic!("changes were expected, not {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answered_pings_keep_the_row_and_beats_confirm_the_list() {
    let hub = hub();
    let mut ana = connect(&hub, 1);
    ana.join("Ana");
    let mut replica = Replica::default();
    for beat in 1..=20_u64 {
        let event = ana.event().await;
        let is_beat = matches!(event, ServerEvent::Beat(_));
        assert_eq!(is_beat, beat > 1);
        replica.receive(event).unwrap();
    }
    assert_eq!(ana.elapsed(), Duration::from_millis(188_100));
    assert_eq!(replica.own_row().unwrap().state, PresenceState::Here);
}

#[tokio::test(start_paused = true)]
async fn resync_is_answered_at_once_and_then_ever_less_often() {
    let hub = hub();
    let mut ana = connect(&hub, 1);
    ana.join("Ana");
    ana.event().await;
    for expected_second in [0, 5, 15, 35] {
        for _ in 0..3 {
            ana.say(r#"{"event":"resync"}"#);
        }
        while !matches!(ana.event().await, ServerEvent::ExistingUsers(_)) {}
        assert_eq!(ana.elapsed().as_secs(), expected_second);
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn aborted_task_counts_as_a_broken_connection() {
    let hub = hub();
    let mut ana = connect(&hub, 1);
    ana.join("Ana");
    ana.event().await;
    let state = || hub.snapshot(&RoomName::lobby(), None, 10).users.first().map(|row| row.state);
    assert_eq!(state(), Some(PresenceState::Here));
    ana.task.abort();
    let _ = ana.task.await;
    assert_eq!(state(), Some(PresenceState::Reconnecting));
    sleep(Duration::from_millis(15_001)).await;
    assert_eq!(state(), None);
}

/// The client gets a close frame, and shared state stays consistent and unlocked.
#[tokio::test(start_paused = true)]
async fn panicking_task_counts_as_a_broken_connection_and_affects_no_one_else() {
    let hub = hub();
    let mut ana = connect(&hub, 1);
    let mut bo = connect(&hub, 2);
    ana.join("Ana");
    ana.event().await;
    bo.join("Bo");
    bo.event().await;
    ana.to_server.send(Message::Binary(bytes::Bytes::new())).unwrap();
    loop {
        // Bo's join may come before it.
        if let Message::Close(close) = ana.from_server.recv().await.expect("a close frame") {
            assert_eq!(close.map(|frame| u16::from(frame.code)), Some(1011));
            break;
        }
    }
    drop(ana.to_server);
    ana.task.await.unwrap();
    while changes(&mut bo).await.user_changed.reconnecting.is_empty() {}
    let mut kim = connect(&hub, 3);
    kim.join("Kim");
    let ServerEvent::ExistingUsers(list) = kim.event().await else { panic!("a list") };
    assert_eq!(list.count, 3);
    assert_eq!(changes(&mut bo).await.new_user.len(), 1);
    while changes(&mut bo).await.disconnect_user.lost.is_empty() {}
}

/// The first two changes after a pause are sent at once, and later ones are batched.
#[tokio::test(start_paused = true)]
async fn changes_are_batched_after_the_first_two() {
    let hub = Hub::new(RoomLimits {
        most_people: 5_000,
        most_connections_per_person: 10,
        keep_attendance: None,
    });
    let mut watchers: Vec<Client> = (1..=1_000).map(|who| connect(&hub, who)).collect();
    for watcher in &mut watchers {
        watcher.say(r#"{"event":"watch"}"#);
        watcher.event().await;
    }
    let mut people: Vec<Client> = (2_000..2_100).map(|who| connect(&hub, who)).collect();
    for (number, person) in people.iter().enumerate() {
        person.join(&format!("P{number}"));
    }
    let watcher = &mut watchers[0];
    let mut frames = Vec::new();
    let mut arrived = 0;
    while arrived < 100 {
        let ServerEvent::Changes(changes) = watcher.event().await else { panic!("changes") };
        arrived += changes.difference.new_user.len();
        frames.push(changes.difference.new_user.len());
    }
    assert!(frames[0] <= 2, "the first two go out at once: {frames:?}");
    assert!(frames.len() <= 3, "the rest gather: {frames:?}");
    for person in &mut people {
        let ServerEvent::ExistingUsers(list) = person.event().await else { panic!("a list") };
        assert!([1, 2, 100].contains(&list.count), "{}", list.count);
        let mut replica = Replica::default();
        let mut event = ServerEvent::ExistingUsers(list);
        while replica.receive(event).unwrap() != Progress::Replaced {
            event = person.event().await;
        }
        assert!(replica.own_row().is_some(), "who joined is on the list that they get");
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_spreads_the_close_frames() {
    const CLIENTS: u128 = 200;
    let (hub, shutdown) = (hub(), Drain::default());
    let mut clients: Vec<Client> =
        (0..CLIENTS).map(|who| connect_until(&shutdown, &hub, who)).collect();
    for client in &mut clients[..90] {
        client.join("Kim");
        assert!(matches!(client.event().await, ServerEvent::ExistingUsers(_)));
    }
    sleep(Duration::from_secs(1)).await;
    let saved = hub.freeze();
    shutdown.close_all();
    let started_at = Instant::now();
    let mut told_after = Vec::new();
    for mut client in clients {
        // Frames that are sent now are ignored.
        client.say(r#"{"event":"leave"}"#);
        told_after.push(tokio::spawn(async move {
            loop {
                match client.receive().await {
                    Message::Close(frame) => break (frame.unwrap().code, started_at.elapsed()),
                    Message::Text(_) | Message::Ping(_) => {}
                    other => panic!("a close frame was expected, not {other:?}"),
                }
            }
        }));
    }
    let mut moments = Vec::new();
    for received in told_after {
        let (code, moment) = received.await.unwrap();
        assert_eq!(u16::from(code), 1012);
        moments.push(moment);
    }
    moments.sort_unstable();
    // One millisecond for each socket, with a resolution of a millisecond.
    assert!(moments[199] <= Duration::from_millis(201), "{moments:?}");
    assert!(moments.windows(2).all(|two| two[1] <= two[0] + Duration::from_millis(10)));
    assert_eq!(saved.rooms[0].room.users.len(), 90);
    assert_eq!(hub.snapshot(&RoomName::lobby(), None, 1).count, 90);
}

#[tokio::test(start_paused = true)]
async fn client_that_closes_by_itself_is_answered_at_once_during_shutdown() {
    let (hub, shutdown) = (hub(), Drain::default());
    let _crowd: Vec<_> = (0..999).map(|_| shutdown.socket()).collect();
    let mut ana = connect_until(&shutdown, &hub, 1);
    ana.join("Ana");
    ana.event().await;
    hub.freeze();
    shutdown.close_all();
    let started_at = Instant::now();
    ana.to_server.send(Message::Close(None)).unwrap();
    drop(ana.to_server);
    ana.task.await.unwrap();
    assert_eq!(started_at.elapsed(), Duration::ZERO);
}

/// The grace period of restored rows starts when the next process is ready.
#[tokio::test(start_paused = true)]
async fn restored_rows_are_held_for_15_s_after_readiness() {
    let before = hub();
    let mut ana = connect(&before, 1);
    ana.join("Ana");
    ana.event().await;
    let saved = before.freeze();
    let limits =
        RoomLimits { most_people: 100, most_connections_per_person: 10, keep_attendance: None };
    let hub = Hub::restore(limits, saved);
    let rows = || hub.snapshot(&RoomName::lobby(), None, 10).count;
    sleep(Duration::from_mins(5)).await;
    assert_eq!(rows(), 1);
    hub.start_clock();
    sleep(Duration::from_millis(14_999)).await;
    assert_eq!(rows(), 1);
    sleep(Duration::from_millis(2)).await;
    assert_eq!(rows(), 0);
}

/// Changes after the rooms were saved must not be resumable.
#[tokio::test(start_paused = true)]
async fn frozen_room_hands_out_no_resumable_position() {
    let hub = hub();
    let mut ana = connect(&hub, 1);
    ana.join("Ana");
    ana.event().await;
    let lobby = RoomName::lobby();
    let kept = hub.snapshot(&lobby, None, 10).epoch;
    let saved = hub.freeze();
    assert_eq!(saved.rooms[0].epoch, kept);
    ana.say(r#"{"event":"leave"}"#);
    sleep(Duration::from_secs(1)).await;
    assert_ne!(hub.snapshot(&lobby, None, 10).epoch, kept);
}
