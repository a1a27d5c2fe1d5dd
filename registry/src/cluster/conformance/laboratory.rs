//! An engine under test, with what only a test may do to it, and samples.

use std::{future::Future, time::Duration};

use app::presence::{Epoch, RoomName};

use crate::{
    presence::{
        command::Command,
        entry::{Batch, Entry, Position, ServerJoined},
        members::Moment,
        room::{Now, Room, RoomLimits, RoomSnapshot},
        server_id::ServerId,
    },
    replication::engine::{
        Appended, Begun, Engine, EntryTime, Founding, Leases, Link, Opened, ROOM_LIFETIME,
        SharedConfig,
    },
};

/// An engine under test, with what only a test may do to it.
pub trait Laboratory: Sync {
    /// The engine.
    type Engine: Engine;

    /// The engine, empty when the test begins.
    fn engine(&self) -> Self::Engine;

    /// Deletes an entry of a room by hand.
    fn delete_entry(&self, room: &RoomName, number: u64) -> impl Future<Output = ()> + Send;

    /// Has the time to live of a room end.
    fn outlive(&self, room: &RoomName) -> impl Future<Output = ()> + Send;

    /// After how long a room ends that nobody opens again.
    fn remaining_lifetime(&self, room: &RoomName) -> impl Future<Output = Duration> + Send;

    /// Sets the engine's clock back by so much, or does what is the same for its scripts.
    fn set_clock_back(&self, room: &RoomName, by: Duration) -> impl Future<Output = ()> + Send;

    /// The engine loses everything, and is another run.
    fn restart_empty(&self) -> impl Future<Output = ()> + Send;

    /// All connections to the engine end.
    fn cut(&self) -> impl Future<Output = ()> + Send;
}

pub(super) const LIMITS: RoomLimits =
    RoomLimits { most_people: 100, most_connections_per_person: 8, keep_attendance: None };

/// Short, because a real engine makes the test wait.
pub(super) const LEASE: Duration = Duration::from_millis(400);

pub(super) fn room() -> RoomName {
    RoomName::lobby()
}

pub(super) fn server(number: u32) -> ServerId {
    ServerId::try_from(number).expect("the number of a sample")
}

pub(super) fn config() -> SharedConfig {
    SharedConfig { key: "a-fingerprint".into(), lease: LEASE, scheme: "https".into() }
}

pub(super) fn founding(epoch: u64, moment: Moment) -> Founding {
    let now = Now { moment, unix_seconds: moment.as_secs() };
    let room = Room::new(LIMITS, Epoch::from_number(epoch), now);
    Founding { snapshot: RoomSnapshot::of(&room), moment, lifetime: ROOM_LIFETIME }
}

pub(super) fn batch(of: u32, number: u64) -> Batch {
    let joined = Some(ServerJoined { limits: LIMITS, rules: 1, pause: None });
    Batch { server: server(of), number, joined, commands: vec![Command::Tick] }
}

pub(super) async fn connect(laboratory: &impl Laboratory) -> impl Link {
    laboratory.engine().connect().await.expect("a link")
}

/// Founds the room, and returns where its journal begins.
pub(super) async fn found(link: &impl Link) -> EntryTime {
    let founding = Some(founding(1, Moment::ZERO));
    match link.open(&room(), None, founding).await {
        Ok(Opened::Whole { at, entries, .. }) if entries.is_empty() => at,
        other => panic!("the room is founded, and not {other:?}"),
    }
}

/// Appends a batch that counts, and returns where it is.
pub(super) async fn append(link: &impl Link, known: Position, number: u64) -> EntryTime {
    match link.append(&room(), known, None, &batch(1, number)).await {
        Ok(Appended::Done(at)) => at,
        other => panic!("the batch is appended, and not {other:?}"),
    }
}

/// The room's entries after a position.
pub(super) async fn entries_since(link: &impl Link, known: Position) -> Vec<Entry> {
    match link.open(&room(), Some(known), None).await {
        Ok(Opened::More { entries, .. }) => entries,
        other => panic!("the room goes on, and is not {other:?}"),
    }
}

/// Begins the life of a server.
pub(super) async fn begin(link: &impl Link, number: u32) -> Leases {
    match link.begin(server(number), &config(), None).await {
        Ok(Begun::Begun(leases)) => leases,
        other => panic!("the server begins, and not {other:?}"),
    }
}
