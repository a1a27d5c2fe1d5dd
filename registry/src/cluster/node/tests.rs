//! Two or three hubs over the engine in memory, in simulated time.

mod busy_room;
mod faults;
mod positions;
mod read_again;

use app::presence::{ExistingUsers, Name, PresenceState, ServerEvent, Since, UserId};
use futures_util::future::join_all;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::*;
use crate::{
    cluster::memory::{Availability, MemoryEngine, Partition},
    hub::{
        Accepted, Answer, HubLimits, Membership, RoomChangeError, RoomPoolLimits, WallClock,
        client_address::ClientAddress,
    },
    presence::{
        command::Command,
        join::{JoinKind, JoinRequest},
        request_error::RequestError,
        room::RoomLimits,
    },
    replication::{checkpoints::CHECKPOINT_EVERY, handle::OpenMode},
    wake::wake_flags::WakeReasons,
};

const LIMITS: RoomLimits =
    RoomLimits { most_people: 3, most_connections_per_person: 4, keep_attendance: None };

/// A moment in which everything that is under way arrives.
const MOMENT: Duration = Duration::from_millis(300);

const SECOND: Duration = Duration::from_secs(1);

/// Two servers over one engine.
struct Cluster {
    engine: MemoryEngine,
    one: Server,
    other: Server,
}

struct Server {
    hub: Arc<Hub>,
    node: JoinHandle<Result<(), ClusterError>>,
}

/// A socket in the room.
struct Client {
    membership: Membership,
}

fn room() -> RoomName {
    RoomName::lobby()
}

fn person(number: u128) -> UserId {
    UserId::from_leading_bits(number << 100)
}

fn config() -> SharedConfig {
    let (key, scheme) = ("key".to_owned(), "https".to_owned());
    SharedConfig { key, lease: 2 * SECOND, scheme }
}

fn engine() -> MemoryEngine {
    MemoryEngine::new(7, 1_800_000_000_000)
}

impl Cluster {
    async fn start() -> Self {
        let engine = engine();
        let (one, other) = (Server::start(&engine, 1), Server::start(&engine, 2));
        for server in [&one, &other] {
            server.open().await;
        }
        Self { engine, one, other }
    }

    /// Cuts a server off from the engine.
    fn cut_off(&self, server: usize, partition: Partition) {
        self.engine.set_faults(|faults| {
            faults.partitions.insert(server, partition);
        });
    }

    /// Both servers have the same list at the same `seq` of the same epoch.
    fn expect_equal_lists(&self) {
        assert_eq!(self.one.list(), self.other.list());
    }
}

impl Server {
    fn start(engine: &MemoryEngine, number: u32) -> Self {
        Self::start_with(engine, number, LIMITS.into())
    }

    fn start_with(engine: &MemoryEngine, number: u32, limits: HubLimits) -> Self {
        let wall = WallClock::Simulated { set_at: Instant::now(), unix_milliseconds: 1 };
        let (cluster, requests) = ClusterHandle::new(ServerId::try_from(number).unwrap(), LIMITS);
        let hub = Hub::in_cluster(limits, cluster, wall);
        let engine = engine.for_client(usize::try_from(number).unwrap());
        let node = tokio::spawn(run(engine, Arc::clone(&hub), requests, NodeConfig::new(config())));
        Self { hub, node }
    }

    async fn open(&self) {
        while self.hub.open(&room(), OpenMode::Found).await.is_err() {
            sleep(MOMENT).await;
        }
    }

    fn enter(&self, user: u128) -> Client {
        Client { membership: self.hub.enter(&room(), person(user)) }
    }

    /// A person joins, and is listed.
    async fn join(&self, user: u128, tab: &str) -> Client {
        let mut client = self.enter(user);
        assert_eq!(client.request(user, tab, None), Ok(Accepted::Pending));
        assert_eq!(client.answer().await, Ok(()));
        client
    }

    fn people(&self) -> Vec<String> {
        self.list().users.iter().map(|user| user.name.as_str().to_owned()).collect()
    }

    fn states(&self) -> Vec<PresenceState> {
        self.list().users.iter().map(|user| user.state).collect()
    }

    fn list(&self) -> ExistingUsers {
        ExistingUsers { now: 0, ..self.hub.snapshot(&room(), None, usize::MAX) }
    }

    /// The process is killed.
    fn kill(&self) {
        self.node.abort();
    }
}

impl Client {
    fn request(
        &mut self,
        user: u128,
        tab: &str,
        since: Option<Since>,
    ) -> Result<Accepted, RequestError> {
        self.membership.join(JoinRequest {
            name: format!("Person {user}"),
            tab: Some(tab.parse().unwrap()),
            is_visible: true,
            kind: JoinKind::Opening,
            since,
        })
    }

    /// Waits for the answer to a request.
    async fn answer(&mut self) -> Result<(), RequestError> {
        loop {
            if let Some(Answer { result, .. }) = self.membership.take_answer() {
                return result;
            }
            self.membership.subscription_mut().woken().await;
        }
    }

    /// The texts of what the client receives until nothing more arrives.
    async fn frames(&mut self) -> Vec<String> {
        sleep(MOMENT).await;
        let frames = self.membership.subscription_mut().poll_updates();
        frames.map(|frame| frame.text().to_owned()).collect()
    }

    fn position(&self) -> Option<Since> {
        self.membership.subscription().position()
    }

    /// As a beat says it: since when the list is old, and the time of the beat.
    fn as_of(&mut self) -> Option<(u64, u64)> {
        // Whatever else was broadcast.
        self.membership.subscription_mut().poll_updates();
        let beat = self.membership.subscription().beat().expect("a beat");
        let Ok(ServerEvent::Beat(beat)) = serde_json::from_str(beat.text()) else { panic!() };
        beat.as_of.map(|as_of| (as_of, beat.now))
    }

    async fn told_of_freshness(&mut self) {
        let subscription = self.membership.subscription_mut();
        while !subscription.woken().await.contains(WakeReasons::FRESHNESS) {}
    }
}

#[tokio::test(start_paused = true)]
async fn people_of_all_servers_are_in_one_list() {
    let cluster = Cluster::start().await;
    let mut ana = cluster.one.join(1, "a").await;
    let list = ana.frames().await;
    assert!(list[0].starts_with(r#"{"event":"existing_users""#), "{list:?}");
    assert!(list[0].contains("Person 1"), "the answer includes what its question did: {list:?}");
    let _bo = cluster.other.join(2, "b").await;
    let changes = ana.frames().await;
    assert!(changes[0].contains("new_user") && changes[0].contains("Person 2"), "{changes:?}");
    assert_eq!(cluster.one.people(), ["Person 1", "Person 2"]);
    cluster.expect_equal_lists();
}

#[tokio::test(start_paused = true)]
async fn room_that_many_open_at_once_keeps_its_epoch() {
    let engine = engine();
    let (one, other) = (Server::start(&engine, 1), Server::start(&engine, 2));
    one.open().await;
    let _ana = one.join(1, "a").await;
    let epoch = one.list().epoch;
    let elsewhere = "elsewhere".parse().unwrap();
    while other.hub.open(&elsewhere, OpenMode::Found).await.is_err() {
        sleep(MOMENT).await;
    }
    // A page, and sockets that come back from a server that was restarted.
    let modes = [OpenMode::Look, OpenMode::Found, OpenMode::Found, OpenMode::Found];
    let room = room();
    let opened = join_all(modes.map(|mode| other.hub.open(&room, mode))).await;
    assert_eq!(opened, [Ok(()); 4]);
    sleep(SECOND).await;
    assert_eq!(other.list().epoch, epoch);
    assert_eq!(one.list(), other.list());
}

#[tokio::test(start_paused = true)]
async fn room_that_others_only_look_at_is_made() {
    let engine = engine();
    let server = Server::start(&engine, 1);
    let elsewhere = "elsewhere".parse().unwrap();
    while server.hub.open(&elsewhere, OpenMode::Found).await.is_err() {
        sleep(MOMENT).await;
    }
    let room = room();
    let modes = [OpenMode::Look, OpenMode::Found];
    let opened = join_all(modes.map(|mode| server.hub.open(&room, mode))).await;
    assert_eq!(opened, [Ok(()); 2]);
}

#[tokio::test(start_paused = true)]
async fn room_that_is_closed_on_one_server_is_closed_on_all() {
    let cluster = Cluster::start().await;
    let _ana = cluster.one.join(1, "a").await;
    let room = room();
    let set_closed = |is_closed| cluster.one.hub.change_joining(&room, is_closed);
    assert_eq!(set_closed(true).await, Ok(true));
    sleep(MOMENT).await;
    assert!(cluster.other.hub.is_closed(&room));
    assert_eq!(cluster.other.enter(2).request(2, "b", None), Err(RequestError::RoomClosed));
    assert_eq!(set_closed(false).await, Ok(true));
    sleep(MOMENT).await;
    let _bo = cluster.other.join(2, "b").await;
    assert_eq!(cluster.one.people(), ["Person 1", "Person 2"]);
    cluster.expect_equal_lists();
    let nowhere = "nowhere".parse().unwrap();
    assert_eq!(cluster.one.hub.change_joining(&nowhere, true).await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn limits_hold_over_all_servers() {
    let cluster = Cluster::start().await;
    let mut clients = Vec::new();
    for user in 1..=3 {
        clients.push(cluster.one.join(user, "a").await);
    }
    sleep(MOMENT).await;
    assert_eq!(cluster.other.enter(4).request(4, "d", None), Err(RequestError::RoomFull));
    // Both ask for the last place at the same time: the journal decides.
    drop(clients.pop());
    sleep(20 * SECOND).await;
    let (mut one, mut other) = (cluster.one.enter(5), cluster.other.enter(6));
    assert_eq!(one.request(5, "e", None), Ok(Accepted::Pending));
    assert_eq!(other.request(6, "f", None), Ok(Accepted::Pending));
    let answers = [one.answer().await, other.answer().await];
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    assert_eq!(cluster.one.people().len(), 3);
    sleep(MOMENT).await;
    cluster.expect_equal_lists();
}

#[tokio::test(start_paused = true)]
async fn tabs_on_two_servers_are_one_row() {
    let cluster = Cluster::start().await;
    let first = cluster.one.join(1, "a").await;
    let _second = cluster.other.join(1, "b").await;
    drop(first);
    sleep(30 * SECOND).await;
    assert_eq!(cluster.one.states(), [PresenceState::Here]);
    cluster.expect_equal_lists();
}

#[tokio::test(start_paused = true)]
async fn closed_page_goes_on_all_servers_at_one_point() {
    let cluster = Cluster::start().await;
    let ana = cluster.one.join(1, "a").await;
    let _bo = cluster.other.join(2, "b").await;
    drop(ana);
    sleep(16 * SECOND).await;
    assert_eq!(cluster.other.people(), ["Person 2"]);
    cluster.expect_equal_lists();
}

#[tokio::test(start_paused = true)]
async fn socket_that_watched_before_it_joined_leaves_its_row() {
    let cluster = Cluster::start().await;
    let _bo = cluster.other.join(2, "b").await;
    for is_answered in [true, false] {
        let mut ana = cluster.one.enter(1);
        ana.membership.watch(None).unwrap();
        let joined = ana.membership.join(JoinRequest {
            name: "Ana".to_owned(),
            tab: Some("a".parse().unwrap()),
            is_visible: true,
            kind: JoinKind::Repeat,
            since: None,
        });
        assert_eq!(joined, Ok(Accepted::Pending));
        if is_answered {
            assert_eq!(ana.answer().await, Ok(()));
            assert_eq!(cluster.one.people().len(), 2);
        }
        drop(ana);
        sleep(20 * SECOND).await;
        assert_eq!(cluster.other.people(), ["Person 2"], "{is_answered}");
        cluster.expect_equal_lists();
    }
}

#[tokio::test(start_paused = true)]
async fn client_that_changes_servers_resumes_from_its_position() {
    let cluster = Cluster::start().await;
    let mut ana = cluster.one.join(1, "a").await;
    ana.frames().await;
    let since = ana.position();
    drop(ana);
    let mut ana = cluster.other.enter(1);
    assert_eq!(ana.request(1, "a", since), Ok(Accepted::Pending));
    assert_eq!(ana.answer().await, Ok(()));
    let frames = ana.frames().await;
    assert!(frames[0].starts_with(r#"{"event":"resumed""#), "{frames:?}");
    assert_eq!(cluster.one.states(), [PresenceState::Here]);
}

#[tokio::test(start_paused = true)]
async fn look_at_a_room_that_nobody_has_makes_none() {
    let cluster = Cluster::start().await;
    let name: RoomName = "nobody-here".parse().unwrap();
    let looked = cluster.one.hub.open(&name, OpenMode::Look).await;
    assert_eq!(looked, Err(NotOpenedError::Absent));
    assert!(cluster.one.hub.room_stats_of(&name).is_none());
    let looked = cluster.other.hub.open(&name, OpenMode::Look).await;
    assert_eq!(looked, Err(NotOpenedError::Absent), "also for the other server");
}

#[tokio::test(start_paused = true)]
async fn room_that_nobody_reads_is_left_and_forgotten() {
    let cluster = Cluster::start().await;
    let ana = cluster.one.join(1, "a").await;
    drop(ana);
    sleep(200 * SECOND).await;
    assert_eq!(cluster.one.hub.room_stats(), []);
    // Whoever comes finds it as it is in the engine.
    let _bo = cluster.one.join(2, "b").await;
    assert_eq!(cluster.one.people(), ["Person 2"]);
}

/// A room of several servers gives way when its server has left it, well before it would be forgotten anyway.
#[tokio::test(start_paused = true)]
async fn rooms_without_a_reader_give_way_to_new_ones() {
    let rooms = RoomPoolLimits { most: 2.try_into().ok(), ..RoomPoolLimits::default() };
    let engine = engine();
    let server = Server::start_with(&engine, 1, HubLimits { rooms, ..LIMITS.into() });
    server.open().await;
    let admit = |name: &str, from| {
        server.hub.admit(&name.parse().unwrap(), ClientAddress::from_bits(from)).ok()
    };
    let ana = server.join(1, "a").await;
    let other = admit("other", 2).expect("a permit").subscribe(None);
    assert!(admit("third", 3).is_none());
    drop(ana);
    let mut tries = 0;
    while admit("third", 3).is_none() {
        tries += 1;
        assert!(tries < 30, "the room does not give way");
        sleep(SECOND).await;
    }
    assert!(server.hub.room_stats_of(&room()).is_none());
    assert!(admit("other", 3).is_some());
    drop(other);
}

/// Each server counts the rows of its own sockets, also of people who come back over another one.
#[tokio::test(start_paused = true)]
async fn waiting_rows_count_for_their_address_on_the_server_that_they_left() {
    let engine = engine();
    let limits = HubLimits { most_rows_per_address: 2.try_into().ok(), ..LIMITS.into() };
    let server = Server::start_with(&engine, 1, limits);
    let other = Server::start_with(&engine, 2, limits);
    for server in [&server, &other] {
        server.open().await;
    }
    let enter = |user| {
        let permit = server.hub.admit(&room(), ClientAddress::from_bits(1)).unwrap();
        Client { membership: permit.enter(person(user)) }
    };
    for user in [1, 2] {
        let mut client = enter(user);
        assert_eq!(client.request(user, "a", None), Ok(Accepted::Pending));
        assert_eq!(client.answer().await, Ok(()));
        drop(client);
        sleep(MOMENT).await;
    }
    assert_eq!(server.states(), [PresenceState::Reconnecting; 2]);
    let mut third = enter(3);
    assert_eq!(third.request(3, "a", None), Err(RequestError::TooManyFromAddress));
    // One of them is on the other server by now: its row no longer waits.
    let _elsewhere = other.join(1, "a").await;
    sleep(MOMENT).await;
    server.hub.sweep();
    assert_eq!(third.request(3, "a", None), Ok(Accepted::Pending));
    assert_eq!(third.answer().await, Ok(()));
}
