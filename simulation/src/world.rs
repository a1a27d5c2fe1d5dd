//! Everything that one schedule is about, and what is written down of it.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use app::presence::{RoomName, Since, TabId, User, UserId};
use fastrand::Rng;
use server::hub::WallClock;
use tokio::time::Instant;

use crate::{
    link::Link,
    person::Person,
    process::{Kept, Process},
    tally::Tally,
    truth::Truth,
    witness::Witness,
};

/// When every schedule begins, in milliseconds since the Unix epoch: some time in 2025.
const BEGINNING_OF_TIME: u64 = 1_750_000_000_000;

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
    rng: Mutex<Rng>,
    tally: Mutex<Tally>,
    story: Mutex<Story>,
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

#[derive(Debug)]
struct Story {
    began: Instant,
    /// Frames are told too.
    is_detailed: bool,
    lines: Vec<String>,
    failure: Option<String>,
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
        let story = Story { began: Instant::now(), is_detailed, lines: Vec::new(), failure: None };
        Self {
            rooms,
            persons,
            crowd,
            process: Mutex::default(),
            disk: Mutex::default(),
            state_directory,
            tabs: Mutex::default(),
            links: Mutex::default(),
            rng: Mutex::new(rng),
            tally: Mutex::default(),
            story: Mutex::new(story),
        }
    }

    /// A generator for somebody's own use.
    pub(crate) fn fork_rng(&self) -> Rng {
        lock(&self.rng).fork()
    }

    pub(crate) fn count(&self, what: &'static str) {
        lock(&self.tally).count(what);
    }

    pub(crate) fn tally(&self) -> Tally {
        lock(&self.tally).clone()
    }

    /// Tells what happens.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        let mut story = lock(&self.story);
        let passed = story.began.elapsed();
        story.lines.push(format!("{:>9.3} s  {}", passed.as_secs_f64(), what()));
    }

    /// Tells what happens, where every frame is asked for.
    pub(crate) fn tell_detail(&self, what: impl FnOnce() -> String) {
        if lock(&self.story).is_detailed {
            self.tell(what);
        }
    }

    /// How long the schedule has been running.
    pub(crate) fn passed(&self) -> std::time::Duration {
        lock(&self.story).began.elapsed()
    }

    /// The time of day: it goes with the simulated time, so that a replay shows the same rows.
    pub(crate) fn wall_clock(&self) -> WallClock {
        WallClock::Simulated {
            set_at: lock(&self.story).began,
            unix_milliseconds: BEGINNING_OF_TIME,
        }
    }

    /// A law is broken: what happens after the first time says nothing more.
    pub(crate) fn fail(&self, why: &str) {
        let is_first = {
            let mut story = lock(&self.story);
            let is_first = story.failure.is_none();
            story.failure.get_or_insert_with(|| why.to_owned());
            is_first
        };
        if is_first {
            self.tell(|| format!("BROKEN: {why}"));
        }
    }

    /// Whether a law is broken.
    pub(crate) fn has_failed(&self) -> bool {
        lock(&self.story).failure.is_some()
    }

    /// What was told, and which law is broken.
    pub(crate) fn take_story(&self) -> (Vec<String>, Option<String>) {
        let mut story = lock(&self.story);
        (std::mem::take(&mut story.lines), story.failure.take())
    }

    pub(crate) fn keep(&self, outcome: Result<(), String>, whose: impl FnOnce() -> String) {
        if let Err(why) = outcome {
            self.fail(&format!("{}: {why}", whose()));
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
            self.tell_detail(|| {
                format!("{name} is at {} {}: {}", list.epoch, list.seq, rows(&list.users))
            });
            let recorded = books.truth.record(list);
            self.keep(recorded, || format!("the server's {name}"));
        }
        let Books { truth, witness } = &mut *books;
        let outcome = witness.check(&before, truth.last(), Instant::now());
        drop(books);
        self.keep(outcome, || format!("the server's {name}"));
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
        self.keep(outcome, whose);
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

/// A lock that a panic elsewhere does not spoil.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
