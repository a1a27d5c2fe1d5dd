//! What an engine does for several servers: appends by this client beside the engine's own benchmark, and commands
//! through one engine into three servers without sockets.
//!
//! `cargo bench -p server --bench cluster` needs `valkey-server` or `redis-server` on PATH, or in `ROLLCALL_ENGINE`,
//! and `redis-benchmark` for the comparison.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panicking")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]
#![cfg(unix)]

#[path = "../tests/cluster/engine.rs"]
#[allow(dead_code, reason = "only the tests end and restart it")]
mod engine;

use std::{
    process::Command as Program,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use app::presence::{ExistingUsers, RoomName, UserId};
use registry::{
    cluster::node::{self, NodeConfig},
    hub::{Accepted, Hub, Membership, WallClock},
    presence::{
        command::Command,
        entry::Batch,
        join::{Join, JoinKind, JoinRequest},
        room::{Now, Room, RoomLimits, RoomSnapshot},
        server_id::ServerId,
        tab_key::ConnectionId,
    },
    replication::{
        engine::{Appended, Engine, Founding, Link, Opened, ROOM_LIFETIME, SharedConfig},
        handle::{ClusterHandle, OpenMode},
    },
};
use server::cluster_redis::RedisLink;

use crate::engine::EngineProcess;

/// The time limit of every wait.
const TIMEOUT: Duration = Duration::from_mins(1);

/// As many rooms append at the same time, each one batch after the other.
const ROOMS: u32 = 64;

/// How long each side appends in a round.
const ROUND: Duration = Duration::from_secs(2);

const ROUNDS: usize = 5;

/// The servers, and how many people join on each of them.
const SERVERS: u32 = 3;
const JOINS_ON_EACH: u32 = 8_000;

const LIMITS: RoomLimits =
    RoomLimits { most_people: 100_000, most_connections_per_person: 4, keep_attendance: None };

const APPEND: &str = include_str!("../src/cluster_redis/scripts/append.lua");

fn main() {
    // `cargo test --benches` only compiles it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        appends().await;
        commands().await;
    });
}

/// Appends per second, in turns with the engine's own benchmark.
async fn appends() {
    let numbers = Arc::new(AtomicU64::new(0));
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        // Nobody trims these journals, so that opening one again would take longer than a request may.
        let engine = EngineProcess::start(&[]);
        let link = Arc::new(engine.client().connect().await.unwrap());
        let ours = appends_of_this_client(&link, &numbers).await;
        let Some(theirs) = appends_of_the_benchmark(&engine).await else {
            println!(
                "appends, round {round}: {ours:.0} a second; redis-benchmark is not installed"
            );
            continue;
        };
        println!(
            "appends, round {round}: {ours:.0} a second, redis-benchmark {theirs:.0}: {:.2} times",
            ours / theirs
        );
        ratios.push(ours / theirs);
    }
    if let Some(median) = median(ratios) {
        println!("appends: the median is {median:.2} times redis-benchmark");
    }
}

async fn appends_of_this_client(link: &Arc<RedisLink>, numbers: &Arc<AtomicU64>) -> f64 {
    let until = Instant::now() + ROUND;
    let appending = rooms(ROOMS).map(|room| {
        let (link, numbers) = (Arc::clone(link), Arc::clone(numbers));
        tokio::spawn(async move {
            let mut known = found(&link, &room).await;
            let mut done = 0_u32;
            while Instant::now() < until {
                let batch = batch(numbers.fetch_add(1, Ordering::Relaxed));
                let Appended::Done(at) = link.append(&room, known, None, &batch).await.unwrap()
                else {
                    panic!("an append was refused")
                };
                known = at.position;
                done += 1;
            }
            done
        })
    });
    let appending: Vec<_> = appending.collect();
    let mut done = 0;
    for task in appending {
        done += task.await.unwrap();
    }
    f64::from(done) / ROUND.as_secs_f64()
}

/// As many connections append one after the other, to one room: the benchmark can't vary several keys alike.
async fn appends_of_the_benchmark(engine: &EngineProcess) -> Option<f64> {
    let hash: String = engine.ask(&["SCRIPT", "LOAD", APPEND]).await;
    let room = rooms(1).next()?;
    let key = |part: &str| format!("rollcall:{{{room}}}:{part}");
    let batch = serde_json::to_string(&batch(u64::MAX)).unwrap();
    let address = engine.address().to_string();
    let port = address.rsplit(':').next()?.to_owned();
    let mut benchmark = Program::new("redis-benchmark");
    benchmark
        .args(["-p", &port, "-c", &ROOMS.to_string(), "-n", "60000", "--csv"])
        .args(["EVALSHA", &hash, "2", &key("head"), &key("journal")])
        .args(["0-1", "0", "12345", &key("entries"), &batch]);
    let output = tokio::task::spawn_blocking(move || benchmark.output()).await.unwrap().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // The name of the test is the command, which has commas and quotes of its own.
    let numbers = text.lines().last()?.rsplit("\",\"").map(|cell| cell.trim_matches('"'));
    numbers.filter_map(|cell| cell.parse().ok()).nth(6)
}

/// Opens a room, which is founded if it is not there.
async fn found(link: &RedisLink, room: &RoomName) -> registry::presence::entry::Position {
    let now = Now { moment: Duration::ZERO, unix_seconds: 0 };
    let empty = Room::new(LIMITS, "e".parse().unwrap(), now);
    let founding = Founding {
        snapshot: RoomSnapshot::of(&empty),
        moment: Duration::ZERO,
        lifetime: ROOM_LIFETIME,
    };
    match link.open(room, None, Some(founding)).await.unwrap() {
        Opened::Whole { at, entries, .. } => {
            entries.last().map_or(at.position, |entry| entry.position)
        }
        other => panic!("{other:?}"),
    }
}

fn batch(number: u64) -> Batch {
    let request = JoinRequest {
        name: "Visitor 12345".to_owned(),
        tab: Some("tab-12345".parse().unwrap()),
        is_visible: true,
        kind: JoinKind::Opening,
        since: None,
    };
    let join = Join::from_request(request, ConnectionId::on_server(server(1), 7)).unwrap();
    let user_id = UserId::from_leading_bits(7 << 100);
    let commands = vec![Command::Announced { user_id, join, kind: JoinKind::Opening }];
    Batch { server: server(1), number, joined: None, commands }
}

/// Joins on three servers at once, until all of them have all lists, which have to be equal.
async fn commands() {
    let mut rates = Vec::new();
    for room_count in [1, 16, 16, 16] {
        let engine = EngineProcess::start(&[]);
        let rate = commands_into(&engine, room_count).await;
        println!(
            "{SERVERS} servers, {room_count} rooms: {rate:.0} commands a second, all lists equal"
        );
        if room_count > 1 {
            rates.push(rate);
        }
    }
    if let Some(median) = median(rates) {
        println!("{SERVERS} servers: the median is {median:.0} commands a second");
    }
}

async fn commands_into(engine: &EngineProcess, room_count: u32) -> f64 {
    let hubs: Vec<_> = (1..=SERVERS).map(|number| start(engine, number)).collect();
    for room in rooms(room_count) {
        for hub in &hubs {
            while hub.open(&room, OpenMode::Found).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    let all: Vec<_> = rooms(room_count).collect();
    let people = SERVERS * JOINS_ON_EACH;
    let started_at = Instant::now();
    let mut members: Vec<Membership> = Vec::new();
    for person in 0..people {
        let room = &all[usize::try_from(person % room_count).unwrap()];
        // Spread over the servers independently of the rooms.
        let hub = &hubs[usize::try_from(person / room_count % SERVERS).unwrap()];
        let mut member = hub.enter(room, UserId::from_leading_bits(u128::from(person + 1) << 96));
        let asked = member.join(JoinRequest {
            name: format!("Visitor {person}"),
            tab: Some("tab".parse().unwrap()),
            is_visible: true,
            kind: JoinKind::Opening,
            since: None,
        });
        assert_eq!(asked, Ok(Accepted::Pending));
        members.push(member);
        // The nodes append meanwhile.
        if person % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let people = usize::try_from(people).unwrap();
    while hubs.iter().any(|hub| count(hub, &all) < people) {
        assert!(
            started_at.elapsed() < TIMEOUT,
            "{:?}",
            hubs.iter().map(|hub| count(hub, &all)).collect::<Vec<_>>()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let time = started_at.elapsed();
    for room in &all {
        let lists: Vec<_> = hubs.iter().map(|hub| list(hub, room)).collect();
        assert!(lists.iter().all(|list| *list == lists[0]), "the lists of {room} differ");
    }
    f64::from(SERVERS * JOINS_ON_EACH) / time.as_secs_f64()
}

/// A server without sockets.
fn start(engine: &EngineProcess, number: u32) -> Arc<Hub> {
    let (cluster, requests) = ClusterHandle::new(server(number), LIMITS);
    let hub = Hub::in_cluster(LIMITS, cluster, WallClock::System);
    let (key, scheme) = ("key".to_owned(), "http".to_owned());
    let shared = SharedConfig { key, lease: Duration::from_secs(2), scheme };
    tokio::spawn(node::run(engine.client(), Arc::clone(&hub), requests, NodeConfig::new(shared)));
    hub
}

fn count(hub: &Hub, rooms: &[RoomName]) -> usize {
    rooms.iter().map(|room| hub.snapshot(room, None, 0).count).sum()
}

fn list(hub: &Hub, room: &RoomName) -> ExistingUsers {
    ExistingUsers { now: 0, ..hub.snapshot(room, None, usize::MAX) }
}

fn rooms(count: u32) -> impl Iterator<Item = RoomName> {
    (0..count).map(|number| format!("bench-{number}").parse().unwrap())
}

fn server(number: u32) -> ServerId {
    ServerId::try_from(number).unwrap()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
