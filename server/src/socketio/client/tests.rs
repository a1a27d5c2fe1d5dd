//! Clients whose queues have room, and others, on simulated time.

use std::sync::{Mutex, MutexGuard};

use app::presence::UserId;
use engineioxide::Str;
use registry::{
    cluster::{
        memory::MemoryEngine,
        node::{self, NodeConfig},
    },
    hub::{Hub, WallClock},
    presence::{room::RoomLimits, server_id::ServerId},
    replication::{
        engine::SharedConfig,
        handle::{ClusterHandle, OpenMode},
    },
};
use serde_json::Value;
use tokio::{task::JoinHandle, time::sleep};

use super::*;
use crate::{lifecycle::graceful_shutdown::Drain, socketio::feed::Feeds};

const LIMITS: RoomLimits =
    RoomLimits { most_people: 1_000, most_connections_per_person: 8, keep_attendance: None };

/// A hub over an engine in memory, where every request is answered later.
async fn hub_in_cluster() -> Arc<Hub> {
    let lease = Duration::from_secs(2);
    let shared = SharedConfig { key: "key".into(), lease, scheme: "https".into() };
    let wall = WallClock::Simulated { set_at: Instant::now(), unix_milliseconds: 1 };
    let (cluster, requests) = ClusterHandle::new(ServerId::try_from(1).unwrap(), LIMITS);
    let hub = Hub::in_cluster(LIMITS, cluster, wall);
    let engine = MemoryEngine::new(7, 1_800_000_000_000).for_client(1);
    tokio::spawn(node::run(engine, Arc::clone(&hub), requests, NodeConfig::new(shared)));
    while hub.open(&Namespace::Lobby.room(), OpenMode::Found).await.is_err() {
        sleep(Duration::from_millis(300)).await;
    }
    hub
}

/// A person's socket of the protocol.
fn join(hub: &Arc<Hub>, id: UserId, name: &str) -> Membership {
    let mut member = hub.enter(&Namespace::Lobby.room(), id);
    let request = JoinRequest {
        name: name.to_owned(),
        tab: None,
        is_visible: true,
        kind: JoinKind::Opening,
        since: None,
    };
    member.join(request).unwrap();
    member
}

/// A queue with so many places, and all that was sent.
#[derive(Default)]
struct TestQueue(Mutex<Places>);

#[derive(Default)]
struct Places {
    free: usize,
    sent: Vec<String>,
}

impl TestQueue {
    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap()
    }

    /// The events that were sent, by name and argument.
    fn events(&self) -> Vec<(String, Value)> {
        let event = |packet: &String| {
            let event: Value = serde_json::from_str(packet.strip_prefix('2').unwrap()).unwrap();
            (event[0].as_str().unwrap().to_owned(), event[1].clone())
        };
        self.lock().sent.iter().map(event).collect()
    }

    /// The names of a page that follows the events.
    fn names(&self) -> Vec<String> {
        let mut boxes: Vec<Value> = Vec::new();
        for (event, argument) in self.events() {
            match &*event {
                "new_user" => boxes.push(argument),
                "existing_users" => boxes = argument.as_array().unwrap().clone(),
                "disconnect_user" => boxes.retain(|row| row["id"] != argument["id"]),
                _ => {}
            }
        }
        boxes.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    }
}

impl Queue for TestQueue {
    fn send(&self, step: &[Str]) -> Result<(), QueueError> {
        let mut places = self.lock();
        places.free = places.free.checked_sub(step.len()).ok_or(QueueError::Full)?;
        places.sent.extend(step.iter().map(ToString::to_string));
        Ok(())
    }
}

struct TestRoom {
    hub: Arc<Hub>,
    queue: Arc<TestQueue>,
    requests: mpsc::Sender<Incoming>,
    running: JoinHandle<End>,
    drain: Drain,
}

impl TestRoom {
    /// With a client whose queue has so many places.
    fn with_places(free: usize) -> Self {
        Self::start(Hub::new(LIMITS), Permission::of_anybody(), free)
    }

    /// In a room of this hub.
    fn start(hub: Arc<Hub>, permission: Permission, free: usize) -> Self {
        let queue = Arc::new(TestQueue(Mutex::new(Places { free, sent: Vec::new() })));
        let (requests, received) = mpsc::channel(8);
        let drain = Drain::default();
        let guard = drain.socket();
        let membership = hub.enter(&Namespace::Lobby.room(), UserId::from_leading_bits(7));
        let feed = Arc::new(Feeds::default()).enter(&Namespace::Lobby, &hub);
        guard.notify(membership.subscription().flags());
        let mut client = Client::new(
            Arc::clone(&queue),
            Namespace::Lobby,
            membership,
            permission,
            feed,
            received,
        );
        client.begin();
        let running = tokio::spawn(async move { client.run(&guard).await });
        Self { hub, queue, requests, running, drain }
    }

    fn join(&self, number: u128) -> Membership {
        let id = UserId::from_leading_bits((number + 1) << 90);
        join(&self.hub, id, &format!("Person {number}"))
    }

    fn names(&self) -> Vec<String> {
        let list = self.hub.snapshot(&Namespace::Lobby.room(), None, usize::MAX);
        list.users.iter().map(|user| user.name.to_string()).collect()
    }

    async fn request(&self, data: &str) {
        let incoming = Incoming { data: data.into(), ack: None, is_too_fast: false };
        self.requests.send(incoming).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn client_whose_queue_stays_full_for_ten_seconds_is_slow() {
    let room = TestRoom::with_places(0);
    // Nothing is to be sent, so nothing is late.
    sleep(2 * LONGEST_FULL).await;
    assert!(!room.running.is_finished());
    let _ana = room.join(1);
    let since = Instant::now();
    assert_eq!(room.running.await.unwrap(), End::Slow);
    let waited = since.elapsed();
    assert!(LONGEST_FULL <= waited && waited < LONGEST_FULL + 2 * LONGEST_PAUSE, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn client_that_was_slow_is_sent_the_net_difference() {
    let room = TestRoom::with_places(0);
    let mut members = Vec::new();
    for number in 0..300 {
        members.push(room.join(number));
        sleep(Duration::from_millis(20)).await;
    }
    for mut member in members.drain(..200) {
        member.leave();
        sleep(Duration::from_millis(10)).await;
    }
    room.queue.lock().free = usize::MAX;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(room.names().len(), 100);
    assert_eq!(room.queue.names(), room.names());
    // Who came and went meanwhile was never sent, but for the update that was under way.
    let sent = room.queue.events().len();
    assert!(sent < 200, "{sent}");
    assert!(!room.running.is_finished());
}

#[tokio::test(start_paused = true)]
async fn newcomer_is_sent_to_all_before_the_list_to_itself() {
    let room = TestRoom::with_places(usize::MAX);
    let _ana = room.join(1);
    room.request(r#"["got_a_new_user",{"name":"Bo"}]"#).await;
    sleep(Duration::from_secs(1)).await;
    let events = room.queue.events();
    let names: Vec<&str> = events.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(names, ["new_user", "new_user", "existing_users"]);
    assert_eq!(events[1].1["new_user_name"], "Bo");
    assert_eq!(room.queue.names(), ["Person 1", "Bo"]);
}

/// Its row has another name, from a time before the token had one.
#[tokio::test(start_paused = true)]
async fn client_of_a_waiting_row_follows_a_room_of_several_servers() {
    let hub = hub_in_cluster().await;
    let before = join(&hub, UserId::from_leading_bits(7), "Boss");
    sleep(Duration::from_secs(1)).await;
    drop(before);
    sleep(Duration::from_secs(1)).await;
    let room = TestRoom::start(hub, Permission::of_holder("Bo"), usize::MAX);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(room.names(), ["Bo"]);
    let _ana = room.join(1);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(room.names(), ["Bo", "Person 1"]);
    let events = room.queue.events();
    assert!(events.iter().any(|(_, argument)| argument["name"] == "Person 1"), "{events:?}");
    room.request(r#"["got_a_new_user",{"name":"Anybody"}]"#).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(room.queue.names(), room.names());
}

#[tokio::test(start_paused = true)]
async fn list_is_sent_again_once_in_five_seconds() {
    let room = TestRoom::with_places(usize::MAX);
    let lists =
        || room.queue.events().iter().filter(|(event, _)| event == "existing_users").count();
    room.request(r#"["watch"]"#).await;
    room.request(r#"["resync",{}]"#).await;
    sleep(Duration::from_secs(4)).await;
    assert_eq!(lists(), 1);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(lists(), 2);
}

#[tokio::test(start_paused = true)]
async fn client_that_is_too_fast_is_told_and_nothing_is_done() {
    let room = TestRoom::with_places(usize::MAX);
    let data = r#"["got_a_new_user",{"name":"Bo"}]"#.into();
    room.requests.send(Incoming { data, ack: None, is_too_fast: true }).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let events = room.queue.events();
    assert_eq!(events.len(), 1);
    let (event, refusal) = &events[0];
    assert_eq!((event.as_str(), refusal["of"].as_str()), ("refused", Some("got_a_new_user")));
    assert_eq!(refusal["code"], "too_fast");
    assert_eq!(room.names().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn client_ends_with_its_namespace_and_with_the_server() {
    let gone = TestRoom::with_places(1);
    drop(gone.requests);
    assert_eq!(gone.running.await.unwrap(), End::Gone);
    let drained = TestRoom::with_places(1);
    drained.drain.close_all();
    assert_eq!(drained.running.await.unwrap(), End::Restart);
}
