//! The engine in memory keeps the laws of all engines, and has the faults that it is asked for.

use std::time::Duration;

use app::presence::Epoch;
use tokio::time::{sleep, timeout};

use super::*;
use crate::{
    cluster::conformance::Laboratory,
    presence::{
        command::Command,
        room::{Now, Room, RoomLimits, RoomSnapshot},
        server_id::ServerId,
    },
    replication::engine::{EntryTime, Founding, Link, Opened, REQUEST_TIMEOUT, ROOM_LIFETIME},
};

/// 22 November 2026, in milliseconds.
const CLOCK: u64 = 1_795_305_600_000;

struct MemoryLaboratory(MemoryEngine);

impl Laboratory for MemoryLaboratory {
    type Engine = MemoryEngine;

    fn engine(&self) -> MemoryEngine {
        self.0.clone()
    }

    async fn delete_entry(&self, room: &RoomName, number: u64) {
        self.0.delete_entry(room, number);
    }

    async fn outlive(&self, _: &RoomName) {
        sleep(ROOM_LIFETIME).await;
    }

    async fn remaining_lifetime(&self, room: &RoomName) -> Duration {
        self.0.remaining_lifetime(room)
    }

    async fn set_clock_back(&self, _: &RoomName, by: Duration) {
        self.0.jump(-i64::try_from(by.as_millis()).unwrap());
    }

    async fn restart_empty(&self) {
        self.0.restart_empty();
    }

    async fn cut(&self) {
        self.0.cut(0);
    }
}

crate::engine_conformance_tests!(
    #[tokio::test(start_paused = true)],
    MemoryLaboratory(MemoryEngine::new(1, CLOCK))
);

const LIMITS: RoomLimits =
    RoomLimits { most_people: 100, most_connections_per_person: 8, keep_attendance: None };

fn founding() -> Founding {
    let now = Now { moment: Moment::ZERO, unix_seconds: 0 };
    let room = Room::new(LIMITS, Epoch::from_number(1), now);
    Founding { snapshot: RoomSnapshot::of(&room), moment: Moment::ZERO, lifetime: ROOM_LIFETIME }
}

fn batch(number: u64) -> Batch {
    let server = ServerId::try_from(1).unwrap();
    Batch { server, number, joined: None, commands: vec![Command::Tick] }
}

fn room() -> RoomName {
    RoomName::lobby()
}

/// An engine with an empty room, and a link to it.
async fn engine() -> (MemoryEngine, MemoryLink, Position) {
    let engine = MemoryEngine::new(1, CLOCK);
    let link = engine.connect().await.unwrap();
    let opened = link.open(&room(), None, Some(founding())).await.unwrap();
    let Opened::Whole { at, .. } = opened else { panic!("{opened:?}") };
    (engine, link, at.position)
}

async fn append(link: &MemoryLink, known: Position, number: u64) -> Position {
    match link.append(&room(), known, None, &batch(number)).await {
        Ok(Appended::Done(at)) => at.position,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn request_that_is_not_answered_ends_the_link_after_the_timeout() {
    for (fault, is_executed) in [(Partition::Both, false), (Partition::Answers, true)] {
        let (engine, link, start) = engine().await;
        engine.set_faults(|faults| {
            faults.partitions.insert(0, fault);
        });
        let sent_at = Instant::now();
        let answer = link.append(&room(), start, None, &batch(1)).await;
        assert_eq!(answer, Err(EngineError::LinkOver));
        assert_eq!(sent_at.elapsed(), REQUEST_TIMEOUT);
        assert!(link.next_entry().await.is_none());
        assert!(engine.connect().await.is_err());
        let other = engine.for_client(1).connect().await.unwrap();
        let opened = other.open(&room(), Some(start), None).await.unwrap();
        let Opened::More { entries, .. } = opened else { panic!("{opened:?}") };
        assert_eq!(entries.len(), usize::from(is_executed), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn engine_that_is_away_refuses_links_and_one_that_hangs_does_not_answer() {
    let (engine, link, start) = engine().await;
    engine.set_faults(|faults| faults.availability = Availability::Away);
    assert!(link.next_entry().await.is_none());
    assert!(engine.connect().await.is_err());
    engine.set_faults(|faults| faults.availability = Availability::Hanging);
    let link = engine.connect().await.unwrap();
    let hung = link.append(&room(), start, None, &batch(1)).await;
    assert_eq!(hung, Err(EngineError::LinkOver));
    engine.set_faults(|faults| faults.availability = Availability::Up);
    let link = engine.connect().await.unwrap();
    assert_eq!(append(&link, start, 1).await.number, 1);
}

#[tokio::test(start_paused = true)]
async fn delayed_append_arrives_after_the_first_request_of_the_next_link() {
    let (engine, link, start) = engine().await;
    engine.set_faults(|faults| {
        faults.delayed_appends.insert(0, Duration::ZERO);
    });
    let lost = link.append(&room(), start, None, &batch(1)).await;
    assert_eq!(lost, Err(EngineError::LinkOver));
    let link = engine.connect().await.unwrap();
    // The first request does not see it yet.
    let opened = link.open(&room(), Some(start), None).await.unwrap();
    let Opened::More { entries, .. } = opened else { panic!("{opened:?}") };
    assert!(entries.is_empty());
    assert_eq!(append(&link, start, 2).await.number, 2);
}

#[tokio::test(start_paused = true)]
async fn delayed_append_may_arrive_long_after_its_client_is_gone() {
    let (engine, link, start) = engine().await;
    engine.set_faults(|faults| {
        faults.delayed_appends.insert(0, Duration::from_secs(5));
    });
    let lost = link.append(&room(), start, None, &batch(1)).await;
    assert_eq!(lost, Err(EngineError::LinkOver));
    let other = engine.for_client(1).connect().await.unwrap();
    let first = append(&other, start, 2).await;
    assert!(engine.has_late_append(0) && !engine.has_late_append(1));
    sleep(Duration::from_secs(5)).await;
    // With this request it arrives, and the next one is after it.
    assert_eq!(append(&other, first, 3).await.number, 2);
    assert!(!engine.has_late_append(0));
    let Some(Opened::More { entries, .. }) = engine.read_journal(&room(), Some(first)) else {
        panic!("the journal is readable")
    };
    assert_eq!(entries.iter().map(|entry| entry.batch.number).collect::<Vec<_>>(), [3, 1]);
}

#[tokio::test(start_paused = true)]
async fn replica_that_was_behind_lacks_the_last_writes() {
    let (engine, link, start) = engine().await;
    let first = append(&link, start, 1).await;
    let second = append(&link, first, 2).await;
    let at = EntryTime { position: second, moment: Moment::ZERO };
    link.save_snapshot(&room(), at, &founding().snapshot).await.unwrap();
    let third = append(&link, second, 3).await;
    // The third entry, the snapshot and the second entry.
    engine.fall_back(3);
    assert!(link.next_entry().await.is_none());
    let link = engine.connect().await.unwrap();
    let opened = link.open(&room(), Some(third), None).await.unwrap();
    let Opened::Whole { at, entries, .. } = opened else { panic!("{opened:?}") };
    assert_eq!((at.position, entries.len()), (start, 1));
    // Its next entry has the number of one that was lost, and another nonce.
    let again = append(&link, first, 4).await;
    assert_eq!(again.number, second.number);
    assert_ne!(again.nonce, second.nonce);
    engine.fall_back(3);
    let link = engine.connect().await.unwrap();
    let opened = link.open(&room(), Some(start), None).await.unwrap();
    assert!(matches!(opened, Opened::Absent), "before it was founded");
}

#[tokio::test(start_paused = true)]
async fn lost_messages_leave_a_gap_that_the_next_entry_shows() {
    let (engine, link, start) = engine().await;
    link.subscribe(&room()).await.unwrap();
    engine.set_faults(|faults| faults.lost_messages = 1.0);
    let first = append(&link, start, 1).await;
    engine.set_faults(|faults| faults.lost_messages = 0.0);
    let second = append(&link, first, 2).await;
    let published = link.next_entry().await.unwrap();
    assert_eq!(published.entry.position, second);
    assert_eq!(published.previous_nonce, first.nonce);
}

#[tokio::test(start_paused = true)]
async fn latency_delays_requests_and_keeps_the_order_of_entries() {
    let (engine, link, mut last) = engine().await;
    link.subscribe(&room()).await.unwrap();
    engine.set_faults(|faults| faults.latency = 5..50);
    let sent_at = Instant::now();
    for number in 1..=20 {
        last = append(&link, last, number).await;
    }
    assert!(sent_at.elapsed() >= Duration::from_millis(20 * 10));
    for number in 1..=20 {
        // Who stops waiting while an entry is on its way loses nothing.
        let published = loop {
            if let Ok(published) = timeout(Duration::from_millis(1), link.next_entry()).await {
                break published;
            }
        };
        assert_eq!(published.unwrap().entry.position.number, number);
    }
}

#[tokio::test(start_paused = true)]
async fn engine_that_is_out_of_memory_refuses_appends() {
    let (engine, link, start) = engine().await;
    engine.set_faults(|faults| faults.is_out_of_memory = true);
    let refused = link.append(&room(), start, None, &batch(1)).await;
    assert!(matches!(refused, Err(EngineError::Refused(_))), "{refused:?}");
}
