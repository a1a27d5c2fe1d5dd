//! How the server's process starts, serves, is kept on disk now and then, goes down, is killed.

use std::{path::Path, sync::Arc, time::Duration};

use app::presence::{ClientEvent, ExistingUsers, User, UserId};
use server::{
    connection::{self, ConnectionConfig},
    hub::{Announcing, Hub},
    persistence::{ProcessEnding, RoomsFile, SavedRooms},
    presence::room::{Announcement, RoomLimits},
    shutdown::Shutdown,
};
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use crate::network::link::{Down, Link};
use crate::oracle::room_record::NO_EPOCH;
use crate::oracle::row_model::Witness;
use crate::server::process::{Kept, Running, Stage};
use crate::server::socket::{Seat, ServerEnd};
use crate::sync::lock;
use crate::world::World;

/// How often the rooms are kept, as in the server's own upkeep.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

const LIMITS: RoomLimits = RoomLimits { most_people: 20_000, most_connections_per_person: 32 };

impl World {
    /// A process starts: it takes what is kept, and is ready after a while.
    pub(crate) async fn start(self: &Arc<Self>, loading: Duration) {
        lock(&self.process).stage = Stage::Loading;
        let expected = lock(&self.disk).take();
        let taken = RoomsFile::in_directory(&self.state_directory).take();
        if taken.is_some() != expected.is_some() {
            self.recorder.fail(match taken {
                Some(_) => "what was kept is taken twice",
                None => "what was kept is lost",
            });
        }
        let nothing = SavedRooms { ending: ProcessEnding::Unknown, rooms: Vec::new() };
        let saved = taken.map_or(nothing, in_order_of_names);
        let hub = Hub::restore_by_clock(LIMITS, saved, self.recorder.wall_clock());
        self.compare_with_kept(&hub, expected.as_ref());
        sleep(loading).await;
        hub.begin();
        let now = Instant::now();
        for room in 0..self.rooms.len() {
            self.books(room).witness.began(now);
        }
        let number = {
            let mut process = lock(&self.process);
            process.stage = Stage::Serving;
            process.number += 1;
            process.running = Some(Running {
                hub,
                shutdown: Shutdown::default(),
                tasks: Vec::new(),
                crowd: Vec::new(),
                kept: None,
            });
            process.number
        };
        self.recorder.tell(|| format!("server: process {number} is ready"));
        let upkeep = tokio::spawn(Arc::clone(self).keep_up(number));
        self.add_task(upkeep.abort_handle());
    }

    /// The process is told to end: from now on nothing that happens to the rooms counts.
    pub(crate) fn terminate(&self) -> Option<Shutdown> {
        self.look_everywhere();
        let mut process = lock(&self.process);
        let running = process.running.as_mut()?;
        let saved = running.hub.freeze();
        running.shutdown.begin();
        running.crowd.clear();
        let shutdown = running.shutdown.clone();
        process.stage = Stage::Closing;
        drop(process);
        self.write(self.kept(saved));
        Some(shutdown)
    }

    /// Everybody was told goodbye, and the process ends.
    pub(crate) async fn end(&self, shutdown: Shutdown) {
        if timeout(shutdown.deadline(), shutdown.sockets_ended()).await.is_err() {
            self.recorder.count("server: an end that not all said goodbye before");
        }
        self.stop();
    }

    /// The process is killed.
    pub(crate) fn crash(&self) {
        self.look_everywhere();
        let kept = lock(&self.process).running.as_mut().and_then(|running| running.kept.take());
        if let Some(kept) = kept {
            self.write(kept);
        }
        self.stop();
    }

    fn stop(&self) {
        let running = {
            let mut process = lock(&self.process);
            process.stage = Stage::Down;
            process.running.take()
        };
        for task in running.iter().flat_map(|running| &running.tasks) {
            task.abort();
        }
    }

    /// A connection comes to the server's door.
    pub(crate) fn accept(self: &Arc<Self>, room: usize, who: UserId, link: Link) {
        let mut process = lock(&self.process);
        let connection = process.next_connection;
        process.next_connection += 1;
        let seat = Seat { who, connection, process: process.number };
        let Some(running) = &mut process.running else { return };
        let guest = running.shutdown.socket();
        let membership = running.hub.enter(&self.rooms[room].name, who);
        link.down.write(Down::Opened);
        let end = ServerEnd::new(
            seat,
            link,
            Arc::clone(&self.rooms[room]),
            Arc::clone(&self.process),
            Arc::clone(&self.recorder),
        );
        let served = connection::serve(end, membership, ConnectionConfig::default(), guest);
        running.tasks.retain(|task| !task.is_finished());
        running.tasks.push(tokio::spawn(served).abort_handle());
        drop(process);
        self.recorder.tell_detail(|| format!("server: #{connection} of {who} is accepted"));
    }

    /// The page of a room is asked for: its list, if there is a server.
    pub(crate) fn serve_page(
        &self,
        room: usize,
        who: UserId,
        most_rows: usize,
    ) -> Option<ExistingUsers> {
        let (hub, is_serving) = {
            let process = lock(&self.process);
            // While the server says goodbye, requests that came before are answered.
            let is_there = matches!(process.stage, Stage::Serving | Stage::Closing);
            let hub = Arc::clone(&process.running.as_ref().filter(|_| is_there)?.hub);
            (hub, process.stage == Stage::Serving)
        };
        let name = &self.rooms[room].name;
        hub.page_served(name, who);
        if is_serving {
            self.look(room, true);
        }
        Some(hub.snapshot(name, Some(who), most_rows))
    }

    /// The operator takes somebody off the list.
    pub(crate) fn remove(&self, room: usize, who: UserId) {
        let Some(hub) = lock(&self.process).serving_hub() else { return };
        self.look(room, true);
        if hub.remove(&self.rooms[room].name, who) {
            self.recorder.count("operator: removed somebody");
        }
        self.books(room).witness.removed(who);
        self.look(room, true);
    }

    /// Somebody of the crowd says this; who has not come yet, comes.
    pub(crate) fn crowd_says(self: &Arc<Self>, member: usize, event: &ClientEvent) {
        let who = self.crowd[member];
        self.look(0, false);
        let mut process = lock(&self.process);
        if !process.is_up() {
            return;
        }
        let connection = process.next_connection;
        process.next_connection += 1;
        let Some(running) = process.running.as_mut() else { return };
        let known = running.crowd.iter().position(|(other, ..)| *other == member);
        let index = known.unwrap_or_else(|| {
            let membership = running.hub.enter(&self.rooms[0].name, who);
            running.crowd.push((member, connection, membership));
            running.crowd.len() - 1
        });
        let (_, connection, membership) = &mut running.crowd[index];
        let outcome = match event {
            ClientEvent::GotANewUser { name, .. } => membership.announce(Announcing {
                name: name.clone(),
                tab: None,
                is_visible: true,
                announcement: if known.is_none() {
                    Announcement::First
                } else {
                    Announcement::Later
                },
                since: None,
            }),
            ClientEvent::Rename { name } => membership.rename(name),
            _ => {
                membership.leave();
                Ok(())
            }
        };
        let connection = *connection;
        drop(process);
        if outcome.is_ok() {
            self.books(0).witness.heard(who, connection, event, Instant::now());
        }
        self.look(0, false);
    }

    fn add_task(&self, task: AbortHandle) {
        if let Some(running) = &mut lock(&self.process).running {
            running.tasks.push(task);
        }
    }

    async fn keep_up(self: Arc<Self>, number: u64) {
        loop {
            sleep(UPKEEP_EVERY).await;
            self.look_everywhere();
            if !lock(&self.process).is_serving(number) {
                return;
            }
            let Some(hub) = lock(&self.process).serving_hub() else { return };
            hub.sweep();
            let kept = self.kept(hub.save());
            if let Some(running) = &mut lock(&self.process).running {
                running.kept = Some(kept);
            }
        }
    }

    fn kept(&self, saved: SavedRooms) -> Kept {
        let witness = |room| self.books(room).witness.clone();
        let witnesses = (0..self.rooms.len()).map(witness).collect();
        Kept { saved: in_order_of_names(saved), at: Instant::now(), witnesses }
    }

    fn write(&self, kept: Kept) {
        if let Err(error) = RoomsFile::in_directory(&self.state_directory).write(&kept.saved) {
            self.recorder.fail(&format!("the rooms can't be written: {error}"));
        }
        *lock(&self.disk) = Some(kept);
    }

    fn compare_with_kept(&self, hub: &Hub, kept: Option<&Kept>) {
        for (room, of_room) in self.rooms.iter().enumerate() {
            let saved = kept
                .and_then(|kept| kept.saved.rooms.iter().find(|saved| saved.name == of_room.name));
            let rows: &[User] = saved.map(|saved| &*saved.room.users).unwrap_or_default();
            let list = hub.snapshot(&of_room.name, None, usize::MAX);
            if list.users != rows {
                self.recorder
                    .fail(&format!("these rows were kept: {rows:?}, these came back: {list:?}"));
            }
            let is_in_order = kept.is_some_and(|kept| kept.saved.ending == ProcessEnding::InOrder);
            if let Some(saved) = saved
                && (saved.epoch == list.epoch && saved.room.seq == list.seq) != is_in_order
            {
                self.recorder.fail(&format!("{} came back at {}", of_room.name, list.epoch));
            }
            let mut books = self.books(room);
            books.truth.forget_last();
            books.witness = kept.map_or_else(Witness::default, |kept| {
                kept.witnesses[room].clone().held(rows, kept.at)
            });
            if list.epoch.as_str() != NO_EPOCH {
                let recorded = books.truth.record(list);
                drop(books);
                self.recorder.keep(recorded, || format!("{} after a restart", of_room.name));
            }
        }
    }
}

/// The order in which the server's map gives the rooms is not the schedule's to decide.
fn in_order_of_names(mut saved: SavedRooms) -> SavedRooms {
    saved.rooms.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
    saved
}

/// A state directory is empty again.
pub(crate) fn clear(state_directory: &Path) {
    RoomsFile::in_directory(state_directory).take();
}
