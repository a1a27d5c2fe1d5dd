//! The record of a room: the lists that it had, and the model of its rows.

use std::sync::{Mutex, MutexGuard};

use app::presence::{RoomName, User};
use registry::hub::Hub;
use tokio::time::Instant;

use crate::{
    oracle::{list_history::ListHistory, row_model::RowModel},
    recorder::Recorder,
    sync::lock,
};

/// The epoch of a room that does not exist.
pub(crate) const NO_EPOCH: &str = "0000000000000000";

/// A room, and its record.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: RoomName,
    record: Mutex<RoomRecord>,
}

/// The record of a room.
#[derive(Debug, Default)]
pub(crate) struct RoomRecord {
    pub(crate) history: ListHistory,
    pub(crate) row_model: RowModel,
}

impl Room {
    pub(crate) fn new(name: RoomName) -> Self {
        Self { name, record: Mutex::default() }
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, RoomRecord> {
        lock(&self.record)
    }

    /// Records and checks the room's list if it has changed, or always with `force`.
    pub(crate) fn observe(&self, hub: &Hub, recorder: &Recorder, force: bool) {
        let name = &self.name;
        let head = hub.snapshot(name, None, 0);
        let mut record = self.record();
        let is_there = head.epoch.as_str() != NO_EPOCH;
        let is_same = is_there && record.history.is_at(&head);
        if is_same && !force {
            return;
        }
        let before: Vec<User> = record.history.current().to_vec();
        if !is_there {
            record.history.clear_current();
        } else if !is_same {
            let list = hub.snapshot(name, None, usize::MAX);
            recorder.trace_detail(|| {
                format!("{name} is at {} {}: {}", list.epoch, list.seq, rows(&list.users))
            });
            let outcome = record.history.record(list);
            recorder.check_result(outcome, || format!("the server's {name}"));
        }
        let RoomRecord { history, row_model } = &mut *record;
        let outcome = row_model.check(&before, history.current(), Instant::now());
        drop(record);
        recorder.check_result(outcome, || format!("the server's {name}"));
    }
}

/// A list as a line of text.
fn rows(users: &[User]) -> String {
    let row = |user: &User| {
        let name: String = user.name.as_str().chars().take(8).collect();
        format!("{} {name:?} {}", user.id, user.state.as_str())
    };
    users.iter().map(row).collect::<Vec<_>>().join(", ")
}
