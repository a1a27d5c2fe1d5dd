//! A journal that was recorded with the first rules: whoever applies it comes to the recorded lists.
//!
//! Servers of two versions may share a room. A change of what a command does needs a new number of the rules, and the
//! old ones beside it for one release: without that, this test fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write, time::Duration};

use app::presence::{DepartureReason, Digest, Epoch, Name, TabId, UserId};
use fastrand::Rng;
use registry::presence::{
    command::Command,
    entry::{Batch, Entry, Pause, Position, ServerJoined},
    join::{Join, JoinKind},
    room::{Now, Room, RoomLimits},
    server_id::ServerId,
    servers::ServerExit,
    tab_key::ConnectionId,
};
use serde::{Deserialize, Serialize};

const RECORDED: &str = include_str!("journals/rules-1.jsonl");

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journals/rules-1.jsonl");

const ENTRIES: u64 = 800;

const LIMITS: RoomLimits =
    RoomLimits { most_people: 12, most_connections_per_person: 3, keep_attendance: None };

/// A line of the record: each entry is followed by the list after it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Entry(Box<Entry>),
    List { epoch: Epoch, seq: u64, count: usize, digest: Digest },
}

fn list_of(room: &Room) -> Line {
    let (roster, log) = (room.roster(), room.log());
    Line::List {
        epoch: room.epoch().clone(),
        seq: log.seq(),
        count: roster.len(),
        digest: roster.digest(),
    }
}

fn founded() -> Room {
    let moment = Duration::from_secs(1_795_421_000);
    let now = Now { moment, unix_seconds: moment.as_secs() };
    Room::new(LIMITS, Epoch::from_number(1), now)
}

#[test]
fn recorded_journal_leads_to_the_recorded_lists() {
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(PATH, recorded()).unwrap();
        return;
    }
    let mut room = founded();
    let mut lists = 0;
    for (number, line) in (1..).zip(RECORDED.lines()) {
        match serde_json::from_str(line).unwrap() {
            // Some are of servers that are not in the room: they are in the record because they do not count.
            Line::Entry(entry) => drop(room.apply_entry(*entry)),
            Line::List { .. } => {
                let list = serde_json::to_string(&list_of(&room)).unwrap();
                assert_eq!(list, line, "line {number}");
                lists += 1;
            }
        }
    }
    assert_eq!(lists, ENTRIES);
}

/// A journal of three servers, from one seed.
fn recorded() -> String {
    let mut rng = Rng::with_seed(1);
    let mut room = founded();
    let mut moment = Duration::from_secs(1_795_421_000);
    let mut text = String::new();
    // Each server's present id: a dead one goes on under another.
    let mut servers = [1, 2, 3];
    let mut next_server = 4;
    let mut pauses = 0;
    // Those that were announced, accepted or not.
    let mut sockets = Vec::new();
    for number in 1..=ENTRIES {
        moment += Duration::from_millis(rng.u64(0..3_000));
        let own = rng.usize(0..servers.len());
        let server = ServerId::try_from(servers[own]).unwrap();
        let pause = (rng.u8(0..40) == 0).then(|| {
            pauses += 1;
            Pause { id: pauses, lasted: Duration::from_secs(rng.u64(1..60)) }
        });
        let joined = !room.servers().contains(server) && rng.u8(0..8) > 0;
        let joined = joined.then_some(ServerJoined { limits: LIMITS, rules: 1, pause });
        let commands = (0..rng.u8(1..4))
            .map(|_| {
                let command = command(&mut rng, &room, servers[own], &sockets);
                if let Command::Announced { user_id, join, .. } = &command {
                    sockets.push((*user_id, join.connection));
                }
                command
            })
            .collect();
        let batch = Batch { server, number, joined, commands };
        let entry = Entry { position: Position { number, nonce: rng.u64(..) >> 2 }, moment, batch };
        writeln!(text, "{}", serde_json::to_string(&Line::Entry(Box::new(entry.clone()))).unwrap())
            .unwrap();
        let _ = room.apply_entry(entry);
        if rng.u8(0..60) == 0 {
            servers[own] = next_server;
            next_server += 1;
        }
        writeln!(text, "{}", serde_json::to_string(&list_of(&room)).unwrap()).unwrap();
    }
    text
}

fn command(rng: &mut Rng, room: &Room, own: u32, sockets: &[(UserId, ConnectionId)]) -> Command {
    let user_id = UserId::from_leading_bits(rng.u128(1..20) << 100);
    // Most often one of the last that this server announced.
    let server = ServerId::try_from(own).ok();
    let own_sockets = sockets.iter().rev().filter(|(_, socket)| socket.server() == server);
    let known = own_sockets.take(8).nth(rng.usize(0..9)).copied();
    let (socket_of, socket) = known.unwrap_or_else(|| {
        (user_id, ConnectionId::on_server(ServerId::try_from(own).unwrap(), rng.u32(1..40)))
    });
    let connection =
        |rng: &mut Rng| ConnectionId::on_server(ServerId::try_from(own).unwrap(), rng.u32(1..40));
    let name = |rng: &mut Rng| Name::parse(&format!("Person {}", rng.u8(1..30))).unwrap();
    let reason = |rng: &mut Rng| {
        if rng.bool() { DepartureReason::Closed } else { DepartureReason::Lost }
    };
    let join = |rng: &mut Rng| {
        let tab = (rng.u8(0..5) > 0).then(|| format!("tab{}", rng.u8(1..4)).parse::<TabId>());
        Join {
            name: name(rng),
            tab: tab.map(Result::unwrap),
            connection: connection(rng),
            is_visible: rng.bool(),
        }
    };
    match rng.u8(0..40) {
        0..14 => {
            let kind = if rng.u8(0..4) == 0 { JoinKind::Repeat } else { JoinKind::Opening };
            Command::Announced { user_id, join: join(rng), kind }
        }
        14..17 => {
            let announced_at = Duration::from_secs(1_795_421_000 + rng.u64(0..2_000));
            Command::Restored { user_id, join: join(rng), announced_at }
        }
        17..20 => Command::Renamed { user_id, name: name(rng) },
        20..24 => Command::VisibilityChanged {
            user_id: socket_of,
            connection: socket,
            is_visible: rng.bool(),
        },
        24..31 => {
            Command::Disconnected { user_id: socket_of, connection: socket, reason: reason(rng) }
        }
        31 => Command::RowRemoved { user_id, reason: DepartureReason::Left },
        32 => Command::RowRemoved { user_id, reason: DepartureReason::Removed },
        33 if rng.u8(0..10) == 0 => Command::RoomCleared,
        34 => Command::PageServed { user_id },
        35 => Command::PageConnected { user_id },
        36 if rng.u8(0..3) == 0 => {
            let dead = room.servers().iter().nth(rng.usize(0..3));
            let server = dead.unwrap_or_else(|| ServerId::try_from(own).unwrap());
            let exit = match rng.u8(0..3) {
                0 => ServerExit::Idle,
                1 => ServerExit::Clean,
                _ => ServerExit::LeaseExpired,
            };
            let ago = rng.bool().then(|| Duration::from_millis(rng.u64(0..5_000)));
            Command::ServerLeft { server, ago, exit }
        }
        37 if rng.u8(0..6) == 0 => {
            let replaces = if rng.bool() { room.epoch().clone() } else { Epoch::from_number(2) };
            Command::EpochChanged { epoch: Epoch::from_number(rng.u64(..)), replaces }
        }
        _ => Command::Tick,
    }
}
