//! A room, and what is known of it from looking at it and from what the server hears.

use std::sync::{Mutex, MutexGuard};

use app::presence::{RoomName, User};
use server::hub::Hub;
use tokio::time::Instant;

use crate::oracle::list_history::Truth;
use crate::oracle::row_model::Witness;
use crate::recorder::Recorder;
use crate::sync::lock;

/// The epoch of a room that is not there.
pub(crate) const NO_EPOCH: &str = "0000000000000000";

/// A room, and what is known of it.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: RoomName,
    books: Mutex<Books>,
}

/// What is known of a room.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) truth: Truth,
    pub(crate) witness: Witness,
}

impl Room {
    pub(crate) fn new(name: RoomName) -> Self {
        Self { name, books: Mutex::default() }
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.books)
    }

    /// Looks at the room's list, if it is another than before; `is_due` looks also where it is not.
    pub(crate) fn look(&self, hub: &Hub, recorder: &Recorder, is_due: bool) {
        let name = &self.name;
        let head = hub.snapshot(name, None, 0);
        let mut books = self.books();
        let is_there = head.epoch.as_str() != NO_EPOCH;
        let is_same = is_there && books.truth.is_at(&head);
        if is_same && !is_due {
            return;
        }
        let before: Vec<User> = books.truth.last().to_vec();
        if !is_there {
            books.truth.forget_last();
        } else if !is_same {
            let list = hub.snapshot(name, None, usize::MAX);
            recorder.tell_detail(|| {
                format!("{name} is at {} {}: {}", list.epoch, list.seq, rows(&list.users))
            });
            let recorded = books.truth.record(list);
            recorder.keep(recorded, || format!("the server's {name}"));
        }
        let Books { truth, witness } = &mut *books;
        let outcome = witness.check(&before, truth.last(), Instant::now());
        drop(books);
        recorder.keep(outcome, || format!("the server's {name}"));
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
