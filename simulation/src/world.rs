//! Everything that one schedule is about.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard},
};

use app::presence::{RoomName, Since, TabId, User, UserId};
use fastrand::Rng;
use tokio::time::Instant;

use crate::{
    link::Link,
    person::Person,
    process::{Kept, Process},
    recorder::Recorder,
    sync::lock,
    truth::Truth,
    witness::Witness,
};

/// Everything that one schedule is about.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) rooms: Vec<Room>,
    pub(crate) persons: Vec<Person>,
    /// Who comes and goes as one, in the first room, without a wire.
    pub(crate) crowd: Vec<UserId>,
    pub(crate) process: Mutex<Process>,
    /// What the server's disk holds for the next process.
    pub(crate) disk: Mutex<Option<Kept>>,
    pub(crate) state_directory: PathBuf,
    /// The tab that was opened last, of each person.
    pub(crate) tabs: Mutex<BTreeMap<usize, TabId>>,
    links: Mutex<Vec<Link>>,
    pub(crate) recorder: Recorder,
}

/// A room, and what is known of it.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: RoomName,
    pub(crate) books: Mutex<Books>,
}

/// What is known of a room.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) truth: Truth,
    pub(crate) witness: Witness,
}

impl World {
    pub(crate) fn new(
        rooms: Vec<RoomName>,
        persons: Vec<Person>,
        crowd: Vec<UserId>,
        state_directory: PathBuf,
        is_detailed: bool,
        rng: Rng,
    ) -> Self {
        let rooms = rooms.into_iter().map(|name| Room { name, books: Mutex::default() }).collect();
        Self {
            rooms,
            persons,
            crowd,
            process: Mutex::default(),
            disk: Mutex::default(),
            state_directory,
            tabs: Mutex::default(),
            links: Mutex::default(),
            recorder: Recorder::new(is_detailed, rng),
        }
    }

    pub(crate) fn add_link(&self, link: Link) {
        let mut links = lock(&self.links);
        if links.len() >= 64 {
            links.retain(|link| !link.is_over());
        }
        links.push(link);
    }

    /// The connections that are not over.
    pub(crate) fn links(&self) -> Vec<Link> {
        let mut links = lock(&self.links);
        links.retain(|link| !link.is_over());
        links.clone()
    }

    pub(crate) fn books(&self, room: usize) -> MutexGuard<'_, Books> {
        lock(&self.rooms[room].books)
    }

    /// Looks at a room's list, if it is another than before; `is_due` looks also where it is not.
    pub(crate) fn look(&self, room: usize, is_due: bool) {
        let Some(hub) = lock(&self.process).serving_hub() else { return };
        let name = &self.rooms[room].name;
        let head = hub.snapshot(name, None, 0);
        let mut books = self.books(room);
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
            self.recorder.tell_detail(|| {
                format!("{name} is at {} {}: {}", list.epoch, list.seq, rows(&list.users))
            });
            let recorded = books.truth.record(list);
            self.recorder.keep(recorded, || format!("the server's {name}"));
        }
        let Books { truth, witness } = &mut *books;
        let outcome = witness.check(&before, truth.last(), Instant::now());
        drop(books);
        self.recorder.keep(outcome, || format!("the server's {name}"));
    }

    /// Looks at every room.
    pub(crate) fn look_everywhere(&self) {
        for room in 0..self.rooms.len() {
            self.look(room, true);
        }
    }

    /// A list that claims to be the one at this point.
    pub(crate) fn check_list<'a>(
        &self,
        room: usize,
        point: &Since,
        list: impl Iterator<Item = &'a User> + Clone,
        whose: impl FnOnce() -> String,
    ) {
        let outcome = self.books(room).truth.check(point, list);
        self.recorder.keep(outcome, whose);
    }
}

/// The epoch of a room that is not there.
pub(crate) const NO_EPOCH: &str = "0000000000000000";

/// A list as a line of text.
pub(crate) fn rows(users: &[User]) -> String {
    let row = |user: &User| {
        let name: String = user.name.as_str().chars().take(8).collect();
        format!("{} {name:?} {}", user.id, user.state.as_str())
    };
    users.iter().map(row).collect::<Vec<_>>().join(", ")
}
