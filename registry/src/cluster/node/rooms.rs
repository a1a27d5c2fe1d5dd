//! Rooms that are opened, read and left.

use app::presence::RoomName;
use tokio::sync::oneshot;

use super::{Done, End, Node, Session};
use crate::{
    hub::Receipt,
    presence::servers::ServerExit,
    replication::{
        engine::{EngineError, Link, Opened, PublishedEntry},
        handle::{NotOpenedError, OpenMode, OpenRequest},
        replica::OpenError,
    },
};

/// Those who wait for a room, which is being opened for all of them.
pub(super) struct Waiting {
    mode: OpenMode,
    done: Vec<oneshot::Sender<Result<(), NotOpenedError>>>,
}

/// What came of opening a room.
pub(super) struct OpenOutcome {
    room: RoomName,
    mode: OpenMode,
    result: Result<Opened, EngineError>,
}

impl Node {
    /// Opens every room over a new link.
    pub(super) fn open_all<L: Link>(&self, session: &mut Session<L>) {
        for (name, ..) in self.hub.rooms_by_name() {
            self.begin_open(session, name, OpenMode::Found);
        }
    }

    pub(super) fn open<L: Link>(&mut self, session: &mut Session<L>, request: OpenRequest) {
        let OpenRequest { room: name, mode, done } = request;
        let room = self.hub.room_to_open(&name);
        if room.is_open() {
            if let Some(done) = done {
                let _ = done.send(Ok(()));
            }
            return;
        }
        let Some(waiting) = self.waiting.get_mut(&name) else {
            self.waiting.insert(name.clone(), Waiting { mode, done: done.into_iter().collect() });
            return self.begin_open(session, name, mode);
        };
        waiting.done.extend(done);
        // Who only looks does not keep others from making the room.
        if waiting.mode == OpenMode::Look && mode == OpenMode::Found {
            waiting.mode = mode;
            self.begin_open(session, name, mode);
        }
    }

    /// The room does not hear everything, or has lost something.
    pub(super) fn reopen<L: Link>(&self, session: &mut Session<L>, name: &RoomName) {
        if let Some(room) = self.hub.find(name) {
            room.interrupt();
            self.begin_open(session, name.clone(), OpenMode::Found);
        }
    }

    fn begin_open<L: Link>(&self, session: &mut Session<L>, room: RoomName, mode: OpenMode) {
        let Some(shared) = self.hub.find(&room) else { return };
        let known = shared.read_replica(|replica, _| replica.position_to_open()).flatten();
        let founding = (mode == OpenMode::Found).then(|| shared.founding());
        let link = session.link.clone();
        session.tasks.spawn(async move {
            let result = match link.subscribe(&room).await {
                Ok(()) => link.open(&room, known, founding).await,
                Err(error) => Err(error),
            };
            Done::Opened(OpenOutcome { room, mode, result })
        });
    }

    pub(super) fn on_opened<L: Link>(
        &mut self,
        session: &mut Session<L>,
        OpenOutcome { room: name, mode, result }: OpenOutcome,
    ) -> Result<(), End> {
        let opened = result?;
        if matches!(opened, Opened::Whole { .. }) {
            self.cluster.stats().snapshot_loads.count();
        }
        let Some(room) = self.hub.find(&name) else { return Ok(()) };
        match room.on_open(opened, session.link.run_id()) {
            Ok(()) => self.append_again(session, &name),
            Err(OpenError::Absent) if mode == OpenMode::Look => {
                if self.waiting.get(&name).is_some_and(|waiting| waiting.mode == OpenMode::Found) {
                    return Ok(());
                }
                self.answer(&name, Err(NotOpenedError::Absent));
                self.forget(session, &name);
                return Ok(());
            }
            Err(OpenError::Gap | OpenError::Absent) => self.reopen(session, &name),
            Err(OpenError::Snapshot(error)) => {
                tracing::error!(%error, "a room in the engine is invalid and can't be opened");
            }
        }
        self.answer(&name, Ok(()));
        Ok(())
    }

    fn answer(&mut self, name: &RoomName, opened: Result<(), NotOpenedError>) {
        for done in self.waiting.remove(name).into_iter().flat_map(|waiting| waiting.done) {
            let _ = done.send(opened);
        }
    }

    pub(super) fn deliver<L: Link>(&self, session: &mut Session<L>, published: PublishedEntry) {
        let PublishedEntry { room: name, previous_nonce, entry } = published;
        let Some(room) = self.hub.find(&name) else { return };
        match room.on_entry(previous_nonce, entry) {
            Receipt::Applied => self.save(session, &name),
            Receipt::Gap => {
                self.cluster.stats().gaps.count();
                self.reopen(session, &name);
            }
        }
    }

    fn save<L: Link>(&self, session: &mut Session<L>, name: &RoomName) {
        let Some((at, snapshot)) = self.hub.find(name).and_then(|room| room.take_due_snapshot())
        else {
            return;
        };
        self.cluster.stats().snapshots_saved.count();
        let (link, room) = (session.link.clone(), name.clone());
        session
            .tasks
            .spawn(async move { Done::Saved(link.save_snapshot(&room, at, &snapshot).await) });
    }

    pub(super) async fn check<L: Link>(&mut self, session: &mut Session<L>) -> Result<(), End> {
        self.find_lost_entries(session);
        self.expire_dead(session);
        let is_out = || {
            self.hub.rooms_by_name().iter().all(|(_, room, _)| {
                room.read_replica(|replica, _| replica.is_idle()).unwrap_or(true)
            })
        };
        if self.leaving.is_some() && is_out() {
            session.link.release(self.cluster.server()).await?;
            if let Some(done) = self.leaving.take() {
                let _ = done.send(());
            }
            return Err(End::Left);
        }
        Ok(())
    }

    /// Opens every room anew, and leaves those that nobody of this server reads.
    pub(super) fn refresh<L: Link>(&self, session: &mut Session<L>) {
        for (name, room, subscribers) in self.hub.rooms_by_name() {
            if subscribers > 0 {
                self.begin_open(session, name, OpenMode::Found);
                continue;
            }
            let server = self.cluster.server();
            let is_in = room
                .read_replica(|replica, room| room.servers().contains(server) || !replica.is_idle())
                .unwrap_or_default();
            if is_in {
                room.submit_exit(ServerExit::Idle);
            } else {
                self.forget(session, &name);
            }
        }
    }

    /// Leaves a room that nobody of this server reads, without waiting for the next refresh: first in the journal, and
    /// when asked again here.
    pub(super) fn vacate<L: Link>(&self, session: &mut Session<L>, name: &RoomName) {
        let is_vacant = self.hub.room_stats_of(name).is_some_and(|room| room.subscribers == 0);
        let Some(room) = self.hub.find(name).filter(|_| is_vacant) else { return };
        let server = self.cluster.server();
        let state = room.read_replica(|replica, room| {
            (room.servers().contains(server), replica.is_idle(), room.is_empty())
        });
        match state {
            Some((false, true, _)) => self.forget(session, name),
            Some((true, true, true)) => room.submit_exit(ServerExit::Idle),
            // Something is under way, or rows wait.
            Some(_) | None => {}
        }
    }

    fn forget<L: Link>(&self, session: &mut Session<L>, name: &RoomName) {
        if self.hub.forget_unless_entered(name) {
            let (link, room) = (session.link.clone(), name.clone());
            session.tasks.spawn(async move { Done::Unsubscribed(link.unsubscribe(&room).await) });
        }
    }

    /// This server leaves all rooms, and then the cluster.
    pub(super) fn leave<L: Link>(&mut self, session: &mut Session<L>, done: oneshot::Sender<()>) {
        self.leaving = Some(done);
        for (name, room, _) in self.hub.rooms_by_name() {
            room.submit_exit(ServerExit::Clean);
            self.append(session, &name);
        }
    }
}
