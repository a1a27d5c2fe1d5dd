//! The state of one schedule: rooms, people, connections, server.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

use app::presence::{ExistingUsers, RoomName, Since, TabId, User, UserId};

use crate::{
    client::person::Person,
    cluster::balancer::Balancer,
    network::link::Link,
    oracle::room_record::{Room, RoomRecord},
    recorder::Recorder,
    server::{
        process::{Process, SavedState},
        quiescence::Quiescence,
    },
    sync::lock,
};

/// The state of one schedule: rooms, people, connections, server.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) rooms: Vec<Arc<Room>>,
    pub(crate) persons: Vec<Person>,
    /// Members of the first room that act together, without a simulated network.
    pub(crate) crowd: Vec<UserId>,
    pub(crate) process: Arc<Mutex<Process>>,
    /// The state on disk, for the next process of the server.
    pub(crate) disk: Mutex<Option<SavedState>>,
    pub(crate) state_directory: PathBuf,
    /// The last opened tab of each person.
    pub(crate) tabs: Mutex<BTreeMap<usize, TabId>>,
    links: Mutex<Vec<Link>>,
    /// The servers of a cluster, in place of the process.
    pub(crate) balancer: Option<Balancer>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) quiescence: Arc<Quiescence>,
}

impl World {
    pub(crate) fn new(
        rooms: Vec<RoomName>,
        persons: Vec<Person>,
        crowd: Vec<UserId>,
        state_directory: PathBuf,
        recorder: Recorder,
        quiescence: Arc<Quiescence>,
    ) -> Self {
        let recorder = Arc::new(recorder);
        quiescence.record_in(&recorder);
        let rooms = rooms.into_iter().map(|name| Arc::new(Room::new(name))).collect();
        Self {
            rooms,
            persons,
            crowd,
            process: Arc::default(),
            disk: Mutex::default(),
            state_directory,
            tabs: Mutex::default(),
            links: Mutex::default(),
            balancer: None,
            recorder,
            quiescence,
        }
    }

    pub(crate) fn add_link(&self, link: Link) {
        let mut links = lock(&self.links);
        if links.len() >= 64 {
            links.retain(|link| !link.is_over());
        }
        links.push(link);
    }

    /// The open connections.
    pub(crate) fn links(&self) -> Vec<Link> {
        let mut links = lock(&self.links);
        links.retain(|link| !link.is_over());
        links.clone()
    }

    pub(crate) fn record(&self, room: usize) -> MutexGuard<'_, RoomRecord> {
        self.rooms[room].record()
    }

    /// Records and checks a room's list if it has changed, or always with `force`.
    pub(crate) fn observe(&self, room: usize, force: bool) {
        let Some(hub) = lock(&self.process).serving_hub() else { return };
        self.rooms[room].observe(&hub, &self.recorder, force);
    }

    /// Records and checks every room's list.
    pub(crate) fn observe_all(&self) {
        for room in 0..self.rooms.len() {
            self.observe(room, true);
        }
    }

    /// Checks a list against the server's list at the same position.
    pub(crate) fn check_list<'a>(
        &self,
        room: usize,
        point: &Since,
        list: impl Iterator<Item = &'a User> + Clone,
        label: impl FnOnce() -> String,
    ) {
        let outcome = match &self.balancer {
            Some(balancer) => balancer.check(room, point, list),
            None => self.record(room).history.check(point, list),
        };
        self.recorder.check_result(outcome, label);
    }

    /// Whether a row was ever in a list of the room.
    pub(crate) fn was_listed(&self, room: usize, row: &User) -> bool {
        match &self.balancer {
            Some(balancer) => balancer.contains(room, row),
            None => self.record(room).history.contains(row),
        }
    }

    /// Whether frames may contradict a list at this point.
    pub(crate) fn may_be_contradicted(&self, room: usize, point: Option<&Since>) -> bool {
        let balancer = self.balancer.as_ref();
        balancer.is_some_and(|it| point.is_none_or(|point| it.has_fallen(room, point)))
    }

    /// The list of a room on a server that serves.
    pub(crate) fn list(&self, room: usize, viewer: Option<UserId>) -> Option<ExistingUsers> {
        let name = &self.rooms[room].name;
        match &self.balancer {
            Some(balancer) => balancer.list(name, viewer),
            None => Some(lock(&self.process).serving_hub()?.snapshot(name, viewer, usize::MAX)),
        }
    }
}
