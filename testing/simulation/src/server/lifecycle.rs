//! The life of the server's process: start, service, maintenance, shutdown, kill.

use std::{path::Path, sync::Arc, time::Duration};

use app::presence::{ClientEvent, ExistingUsers, User, UserId};
use futures_util::FutureExt;
use registry::{
    hub::{Accepted, Hub, SavedRooms, Shutdown},
    presence::{
        join::{JoinKind, JoinRequest},
        room::RoomLimits,
    },
};
use server::{
    lifecycle::graceful_shutdown::Drain,
    storage::rooms_file::{self, RoomsFile, SaveTimes},
    websocket::connection,
};
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    network::link::{Down, Link},
    oracle::{room_record::NO_EPOCH, row_model::RowModel},
    server::{
        process::{Running, SavedState, Stage},
        quiescence::Connection,
        socket::{ConnectionInfo, RowObserver, ServerSocket},
    },
    sync::lock,
    world::World,
};

/// The interval of saving the rooms: the longest that the server leaves between two saves.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(5);

const LIMITS: RoomLimits = RoomLimits {
    most_people: 20_000,
    most_connections_per_person: 32,
    keep_attendance: Some(Duration::from_hours(12)),
};

impl World {
    /// Starts a process: it loads the saved rooms, and is ready after `loading`.
    pub(crate) async fn start(self: &Arc<Self>, loading: Duration) {
        lock(&self.process).stage = Stage::Loading;
        let expected = lock(&self.disk).take();
        let loaded = RoomsFile::in_directory(&self.state_directory).load();
        if loaded.is_some() != expected.is_some() {
            self.recorder.fail("saved rooms were lost, or loaded from nowhere");
        }
        if let Some(expected) = expected.clone() {
            // From now on the file no longer says that its `seq` may be continued.
            let saved = SavedRooms { ending: Shutdown::Unclean, ..expected.saved };
            self.write(SavedState { saved, ..expected });
        }
        let nothing =
            SavedRooms { ending: Shutdown::Unclean, rooms: Vec::new(), ended: Vec::new() };
        let saved = loaded.map_or(nothing, |(saved, _)| sorted_by_name(saved));
        let hub = Hub::restore_by_clocks(LIMITS, saved, self.recorder.hub_clocks());
        self.check_restored(&hub, expected.as_ref());
        sleep(loading).await;
        hub.start_clock();
        let now = Instant::now();
        for room in 0..self.rooms.len() {
            self.record(room).row_model.on_server_ready(now);
        }
        let number = {
            let mut process = lock(&self.process);
            process.stage = Stage::Serving;
            process.number += 1;
            process.running = Some(Running {
                hub,
                shutdown: Drain::default(),
                tasks: Vec::new(),
                crowd: Vec::new(),
                saved_state: None,
            });
            process.number
        };
        self.recorder.trace(|| format!("server: process {number} is ready"));
        let upkeep = tokio::spawn(Arc::clone(self).run_maintenance(number));
        self.add_task(upkeep.abort_handle());
    }

    /// Starts the shutdown: changes of the rooms no longer count.
    pub(crate) fn begin_shutdown(&self) -> Option<Drain> {
        self.observe_all();
        let mut process = lock(&self.process);
        let running = process.running.as_mut()?;
        let saved = running.hub.freeze();
        running.shutdown.close_all();
        running.crowd.clear();
        let shutdown = running.shutdown.clone();
        process.stage = Stage::Closing;
        drop(process);
        self.write(self.saved_state(saved));
        Some(shutdown)
    }

    /// Waits until all sockets are closed, and ends the process.
    pub(crate) async fn finish_shutdown(&self, shutdown: Drain) {
        if timeout(shutdown.deadline(), shutdown.sockets_ended()).await.is_err() {
            self.recorder.count("server: an exit before all sockets were closed");
        }
        self.stop();
    }

    /// Kills the process.
    pub(crate) fn kill(&self) {
        self.observe_all();
        let saved_state =
            lock(&self.process).running.as_mut().and_then(|running| running.saved_state.take());
        if let Some(saved_state) = saved_state {
            self.write(saved_state);
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

    /// Accepts a connection.
    pub(crate) fn accept(self: &Arc<Self>, room: usize, user_id: UserId, link: Link) {
        let mut process = lock(&self.process);
        let connection = process.next_connection;
        process.next_connection += 1;
        let info = ConnectionInfo { user_id, connection, process: process.number };
        let Some(running) = &mut process.running else { return };
        let guest = running.shutdown.socket();
        let membership = running.hub.enter(&self.rooms[room].name, user_id);
        link.down.write(Down::Opened);
        let observer = RowObserver {
            info,
            room: Arc::clone(&self.rooms[room]),
            server: Arc::clone(&self.process),
            recorder: Arc::clone(&self.recorder),
        };
        let end = ServerSocket::new(link.clone(), observer, &self.recorder);
        membership.subscription().allow_direct_writes(end.direct());
        let drain = running.shutdown.clone();
        self.quiescence.add(Connection {
            user_id,
            hub: Arc::downgrade(&running.hub),
            room: self.rooms[room].name.clone(),
            flags: Arc::clone(membership.subscription().flags()),
            down: link.down,
            told: end.told(),
            socket: Arc::downgrade(&end.direct()),
            is_served: Box::new(move || !drain.is_draining()),
        });
        let served = connection::serve(end, membership, Arc::default(), guest, ());
        // The end of a socket changes the room, and a deadline of the same instant may change it again before
        // another socket observes it.
        let world = Arc::clone(self);
        let served_and_seen = async move {
            served.await;
            world.observe(room, false);
        };
        running.tasks.retain(|task| !task.is_finished());
        running.tasks.push(tokio::spawn(served_and_seen).abort_handle());
        drop(process);
        self.recorder.trace_detail(|| format!("server: #{connection} of {user_id} is accepted"));
    }

    /// Serves the page of a room: its list, if there is a server.
    pub(crate) fn serve_page(
        &self,
        room: usize,
        user_id: UserId,
        most_rows: usize,
    ) -> Option<ExistingUsers> {
        let (hub, is_serving) = {
            let process = lock(&self.process);
            // Requests are still answered during shutdown.
            let is_there = matches!(process.stage, Stage::Serving | Stage::Closing);
            let hub = Arc::clone(&process.running.as_ref().filter(|_| is_there)?.hub);
            (hub, process.stage == Stage::Serving)
        };
        let name = &self.rooms[room].name;
        hub.note_page_load(name, user_id);
        if is_serving {
            self.observe(room, true);
        }
        Some(hub.snapshot(name, Some(user_id), most_rows))
    }

    /// Removes a person on behalf of the operator.
    pub(crate) fn remove(&self, room: usize, user_id: UserId) {
        if let Some(balancer) = &self.balancer {
            let name = self.rooms[room].name.clone();
            if let Some(hub) = balancer.hub() {
                tokio::spawn(async move { hub.remove(&name, user_id).await });
            }
            return;
        }
        let Some(hub) = lock(&self.process).serving_hub() else { return };
        self.observe(room, true);
        // A server alone answers at once.
        let removed = hub.remove(&self.rooms[room].name, user_id).now_or_never();
        if removed == Some(Ok(true)) {
            self.recorder.count("operator: removed a person");
        }
        self.record(room).row_model.on_removed(user_id);
        self.observe(room, true);
    }

    /// Handles an event of a member of the crowd, who connects if necessary.
    pub(crate) fn crowd_send(self: &Arc<Self>, member: usize, event: &ClientEvent) {
        let user_id = self.crowd[member];
        self.observe(0, false);
        let mut process = lock(&self.process);
        if !process.is_up() {
            return;
        }
        let connection = process.next_connection;
        process.next_connection += 1;
        let Some(running) = process.running.as_mut() else { return };
        let known = running.crowd.iter().position(|(other, ..)| *other == member);
        let index = known.unwrap_or_else(|| {
            let membership = running.hub.enter(&self.rooms[0].name, user_id);
            running.crowd.push((member, connection, membership));
            running.crowd.len() - 1
        });
        let (_, connection, membership) = &mut running.crowd[index];
        let outcome = match event {
            ClientEvent::GotANewUser { name, .. } => membership.join(JoinRequest {
                name: name.clone(),
                tab: None,
                is_visible: true,
                kind: if known.is_none() { JoinKind::Opening } else { JoinKind::Repeat },
                since: None,
            }),
            ClientEvent::Rename { name } => membership.rename(name),
            _ => {
                membership.leave();
                Ok(Accepted::Now)
            }
        };
        let connection = *connection;
        drop(process);
        if outcome.is_ok() {
            self.record(0).row_model.on_frame(user_id, connection, event, Instant::now());
        }
        self.observe(0, false);
    }

    fn add_task(&self, task: AbortHandle) {
        if let Some(running) = &mut lock(&self.process).running {
            running.tasks.push(task);
        }
    }

    async fn run_maintenance(self: Arc<Self>, number: u64) {
        loop {
            sleep(MAINTENANCE_INTERVAL).await;
            self.observe_all();
            if !lock(&self.process).is_serving(number) {
                return;
            }
            let Some(hub) = lock(&self.process).serving_hub() else { return };
            hub.sweep();
            let saved_state = self.saved_state(hub.save());
            if let Some(running) = &mut lock(&self.process).running {
                running.saved_state = Some(saved_state);
            }
        }
    }

    fn saved_state(&self, saved: SavedRooms) -> SavedState {
        let row_model = |room| self.record(room).row_model.clone();
        let row_models = (0..self.rooms.len()).map(row_model).collect();
        SavedState { saved: sorted_by_name(saved), at: Instant::now(), row_models }
    }

    fn write(&self, saved_state: SavedState) {
        let file = RoomsFile::in_directory(&self.state_directory);
        if let Err(error) = file.write(&saved_state.saved, SaveTimes::default()) {
            self.recorder.fail(&format!("could not save the rooms: {error}"));
        }
        *lock(&self.disk) = Some(saved_state);
    }

    fn check_restored(&self, hub: &Hub, saved_state: Option<&SavedState>) {
        for (room, of_room) in self.rooms.iter().enumerate() {
            let saved = saved_state.and_then(|saved_state| {
                saved_state.saved.rooms.iter().find(|saved| saved.name == of_room.name)
            });
            let rows: &[User] = saved.map(|saved| &*saved.room.users).unwrap_or_default();
            let list = hub.snapshot(&of_room.name, None, usize::MAX);
            if list.users != rows {
                self.recorder.fail(&format!(
                    "these rows were saved: {rows:?}, these were restored: {list:?}"
                ));
            }
            let is_in_order =
                saved_state.is_some_and(|saved_state| saved_state.saved.ending == Shutdown::Clean);
            if let Some(saved) = saved
                && (saved.epoch == list.epoch && saved.room.seq == list.seq) != is_in_order
            {
                self.recorder.fail(&format!("{} was restored at {}", of_room.name, list.epoch));
            }
            let mut record = self.record(room);
            record.history.clear_current();
            record.row_model = saved_state.map_or_else(RowModel::default, |saved_state| {
                saved_state.row_models[room].clone().restored(rows, saved_state.at)
            });
            if list.epoch.as_str() != NO_EPOCH {
                let recorded = record.history.record(list);
                drop(record);
                self.recorder
                    .check_result(recorded, || format!("{} after a restart", of_room.name));
            }
        }
    }
}

/// The order of the server's hash map is not determined by the seed.
fn sorted_by_name(mut saved: SavedRooms) -> SavedRooms {
    saved.rooms.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
    saved
}

/// Empties a state directory.
pub(crate) fn clear(state_directory: &Path) {
    // The first schedule finds none.
    let _ = std::fs::remove_file(state_directory.join(rooms_file::FILE));
}
