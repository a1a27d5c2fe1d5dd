//! The laws of an engine, on a real one.

use std::time::Duration;

use app::presence::RoomName;
use registry::{cluster::conformance::Laboratory, engine_conformance_tests};
use server::cluster_redis::RedisEngine;

use crate::engine::EngineProcess;

struct RedisLaboratory {
    engine: EngineProcess,
}

impl RedisLaboratory {
    fn new() -> Self {
        Self { engine: EngineProcess::start(&[]) }
    }
}

impl Laboratory for RedisLaboratory {
    type Engine = RedisEngine;

    fn engine(&self) -> RedisEngine {
        self.engine.client()
    }

    async fn delete_entry(&self, room: &RoomName, number: u64) {
        let journal = key(room, "journal");
        let (first, last) = (format!("{number}-0"), format!("{number}-{}", u64::MAX));
        let entries: Vec<(String, Vec<String>)> =
            self.engine.ask(&["XRANGE", &journal, &first, &last]).await;
        let [(id, _)] = &entries[..] else { panic!("one entry, and not {entries:?}") };
        let deleted: u64 = self.engine.ask(&["XDEL", &journal, id]).await;
        assert_eq!(deleted, 1);
    }

    async fn outlive(&self, room: &RoomName) {
        for part in ["head", "journal", "snapshot"] {
            let key = key(room, part);
            let milliseconds: i64 = self.engine.ask(&["PTTL", &key]).await;
            let is_bounded = (1..=600_000).contains(&milliseconds);
            // A room without entries has no journal.
            assert!(is_bounded || milliseconds == -2 && part == "journal", "{key} {milliseconds}");
            let _: u64 = self.engine.ask(&["DEL", &key]).await;
        }
    }

    async fn remaining_lifetime(&self, room: &RoomName) -> Duration {
        let mut lifetimes = Vec::new();
        for part in ["head", "journal", "snapshot"] {
            let milliseconds: i64 = self.engine.ask(&["PTTL", &key(room, part)]).await;
            lifetimes.push(Duration::from_millis(u64::try_from(milliseconds).unwrap()));
        }
        lifetimes.into_iter().min().unwrap()
    }

    /// The scripts add an offset to the engine's clock: a smaller one is the same as a clock that went back.
    async fn set_clock_back(&self, room: &RoomName, by: Duration) {
        let by = format!("-{}", by.as_millis());
        for key in [key(room, "head"), "rollcall:{@}:clock".to_owned()] {
            let exists: bool = self.engine.ask(&["EXISTS", &key]).await;
            if exists {
                let _: i64 = self.engine.ask(&["HINCRBY", &key, "o", &by]).await;
            }
        }
    }

    async fn restart_empty(&self) {
        self.engine.restart();
    }

    async fn cut(&self) {
        for kind in ["normal", "pubsub"] {
            let _: u64 = self.engine.ask(&["CLIENT", "KILL", "TYPE", kind]).await;
        }
    }
}

fn key(room: &RoomName, part: &str) -> String {
    format!("rollcall:{{{room}}}:{part}")
}

engine_conformance_tests!(#[tokio::test], RedisLaboratory::new());
