//! The phases: what greedy addresses do in each.

use std::net::Ipv4Addr;

use crate::client::greedy::{Appetite, Ending, Frames, Path, Unread};

/// What some addresses do for a while.
#[derive(Debug)]
pub(super) struct Phase {
    pub(super) names: PhaseNames,
    /// Each phase has addresses of its own, whose budgets are full.
    network: u8,
    addresses: u8,
    pub(super) parts: &'static [Part],
}

/// One thing that each of the addresses does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) room: Room,
    pub(super) appetite: Appetite,
}

/// Where they do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// In the room with the long list, which they only read.
    Crowd,
    /// In a room of their own with others who listen.
    Busy,
    /// At the operator's listener.
    Operator,
}

/// The names of a phase's figures.
#[derive(Clone, Copy, Debug)]
pub(super) struct PhaseNames {
    pub(super) phase: &'static str,
    pub(super) page_p99: &'static str,
    pub(super) lobby_p99: &'static str,
    pub(super) join_p99: &'static str,
    pub(super) samples: &'static str,
    pub(super) answers: &'static str,
    pub(super) rejections: &'static str,
    pub(super) cpu: &'static str,
}

impl Phase {
    /// The addresses of the greedy clients.
    pub(super) fn hosts(&self) -> Vec<Ipv4Addr> {
        (1..=self.addresses).map(|last| Ipv4Addr::new(127, 0, self.network, last)).collect()
    }
}

macro_rules! names {
    ($name:literal) => {
        PhaseNames {
            phase: $name,
            page_p99: concat!("page_ms_p99_", $name),
            lobby_p99: concat!("lobby_ms_p99_", $name),
            join_p99: concat!("join_ms_p99_", $name),
            samples: concat!("samples_", $name),
            answers: concat!("answers_", $name),
            rejections: concat!("rejections_", $name),
            cpu: concat!("server_cpu_share_", $name),
        }
    };
}

/// A phase of one address.
macro_rules! phase {
    ($name:literal, $network:literal, $($part:expr),+) => {
        Phase { names: names!($name), network: $network, addresses: 1, parts: &[$($part),+] }
    };
}

const fn requests(path: Path, coding: &'static str, connections: usize) -> Part {
    Part { room: Room::Crowd, appetite: Appetite::Requests { connections, path, coding } }
}

const fn slow(unread: Unread, connections: usize) -> Part {
    Part { room: Room::Crowd, appetite: Appetite::SlowReaders { connections, unread } }
}

const fn visits(ending: Ending, visitors: usize) -> Part {
    Part { room: Room::Busy, appetite: Appetite::ShortVisits { visitors, ending } }
}

const fn busy(room: Room, frames: Frames, sockets: usize) -> Part {
    Part { room, appetite: Appetite::BusySockets { sockets, frames } }
}

const fn idle(room: Room, connections: usize) -> Part {
    Part { room, appetite: Appetite::IdleConnections { connections } }
}

/// At the operator's listener, which has no token for them.
const WRONG_TOKENS: Part = Part {
    room: Room::Operator,
    appetite: Appetite::Requests { connections: 50, path: Path::Rooms, coding: "identity" },
};

/// One address in each phase.
pub(super) static PHASES: [Phase; 12] = [
    phase!("users", 1, requests(Path::Users, "identity", 50)),
    phase!("users_br", 2, requests(Path::Users, "br", 50)),
    phase!("users_gzip", 3, requests(Path::Users, "gzip", 50)),
    phase!("csv_br", 4, requests(Path::Csv, "br", 50)),
    phase!("page_br", 5, requests(Path::Page, "br", 50)),
    phase!("slow_answers", 6, slow(Unread::Answer, 1_000)),
    phase!("slow_sockets", 7, slow(Unread::Socket, 1_000)),
    phase!("rooms", 8, visits(Ending::Room, 20)),
    phase!("rows", 9, visits(Ending::Row, 20)),
    phase!("renames", 10, busy(Room::Busy, Frames::Renames, 300)),
    phase!("resyncs", 11, busy(Room::Crowd, Frames::Resyncs, 500)),
    phase!("operator", 12, WRONG_TOKENS, idle(Room::Operator, 200)),
];

/// Three addresses, each of which does all of it at once.
pub(super) static MIXED: Phase = Phase {
    names: names!("three_addresses"),
    network: 13,
    addresses: 3,
    parts: &[
        requests(Path::Users, "identity", 10),
        requests(Path::Users, "gzip", 10),
        requests(Path::Csv, "br", 10),
        requests(Path::Page, "br", 10),
        slow(Unread::Answer, 300),
        slow(Unread::Socket, 300),
        visits(Ending::Room, 5),
        visits(Ending::Row, 5),
        busy(Room::Busy, Frames::Renames, 100),
        busy(Room::Crowd, Frames::Resyncs, 150),
        idle(Room::Crowd, 300),
        WRONG_TOKENS,
    ],
};

/// More connections than a server with few files has.
pub(super) static CONNECTIONS_OF_FEW: Phase = phase!("connections", 14, idle(Room::Crowd, 1_000));
