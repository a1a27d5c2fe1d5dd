//! What pages reach: any server of the cluster that accepts connections, without sticky sessions.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::presence::{DepartureReason, ExistingUsers, RoomName, Since, User, UserId};
use fastrand::Rng;
use registry::{hub::Hub, replication::handle::OpenMode};
use server::{lifecycle::graceful_shutdown::Drain, websocket::connection};
use tokio::{task::AbortHandle, time::timeout};

use super::{gate::Gate, lists::Lists};
use crate::{
    network::link::{Down, Link},
    oracle::room_record::NO_EPOCH,
    server::{
        quiescence::Connection,
        socket::{ServerSocket, SocketObserver},
        told::Told,
    },
    sync::lock,
    world::World,
};

/// How long a page waits for a server to open its room.
const LONGEST_OPEN: Duration = Duration::from_secs(1);

/// What pages reach.
#[derive(Debug)]
pub(crate) struct Balancer {
    state: Mutex<State>,
    lists: Vec<Arc<Mutex<Lists>>>,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    /// By the number of their servers; `None` while they accept nothing.
    backends: Vec<Option<Backend>>,
}

/// A process that accepts connections.
struct Backend {
    hub: Arc<Hub>,
    gate: Gate,
    drain: Drain,
    tasks: Vec<AbortHandle>,
}

impl fmt::Debug for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Backend").field(&self.hub.server_id()).finish()
    }
}

/// The journal is audited, not the sockets.
#[derive(Debug)]
struct Unobserved;

impl SocketObserver for Unobserved {
    /// Other servers are asked first, so that the answer may take any time.
    fn on_frame(&self, _: &str, _: &mut Told) {}

    fn on_end(&self, _: DepartureReason) {}

    fn observe(&self) {}
}

impl Balancer {
    pub(super) fn new(servers: usize, lists: Vec<Arc<Mutex<Lists>>>, rng: Rng) -> Self {
        let backends = (0..servers).map(|_| None).collect();
        Self { state: Mutex::new(State { rng, backends }), lists }
    }

    /// A process accepts connections.
    pub(super) fn add(&self, server: usize, hub: Arc<Hub>, gate: Gate) {
        let backend = Backend { hub, gate, drain: Drain::default(), tasks: Vec::new() };
        lock(&self.state).backends[server] = Some(backend);
    }

    /// A process is gone, with all its sockets.
    pub(super) fn kill(&self, server: usize) {
        let backend = lock(&self.state).backends[server].take();
        for task in backend.iter().flat_map(|backend| &backend.tasks) {
            task.abort();
        }
    }

    /// A process ends in order: its sockets are closed.
    pub(super) fn shut_down(&self, server: usize) {
        let backend = lock(&self.state).backends[server].take();
        let Some(Backend { drain, tasks, .. }) = backend else { return };
        drain.close_all();
        tokio::spawn(async move {
            // Whoever has not ended by then is not waited for.
            let _ = timeout(drain.deadline(), drain.sockets_ended()).await;
            tasks.iter().for_each(AbortHandle::abort);
        });
    }

    /// Any server accepts a connection. Returns whether there is one.
    pub(crate) fn accept(
        &self,
        room: &RoomName,
        user_id: UserId,
        link: Link,
        world: &World,
    ) -> bool {
        let mut state = lock(&self.state);
        let State { rng, backends } = &mut *state;
        let up: Vec<_> = backends.iter_mut().flatten().collect();
        let Some(Backend { hub, gate, drain, tasks }) = rng.choice(up) else { return false };
        let (hub, room, guard) = (Arc::clone(hub), room.clone(), drain.socket());
        let (recorder, quiescence) = (Arc::clone(&world.recorder), Arc::clone(&world.quiescence));
        let (drain, own_gate) = (drain.clone(), gate.clone());
        let served = async move {
            link.down.write(Down::Opened);
            let membership = hub.enter(&room, user_id);
            let socket = ServerSocket::new(link.clone(), Unobserved, &recorder);
            membership.subscription().allow_direct_writes(socket.direct());
            quiescence.add(Connection {
                user_id,
                hub: Arc::downgrade(&hub),
                room,
                flags: Arc::clone(membership.subscription().flags()),
                down: link.down,
                told: socket.told(),
                socket: Arc::downgrade(&socket.direct()),
                is_served: Box::new(move || !drain.is_draining() && !own_gate.is_stopped()),
            });
            connection::serve(socket, membership, Arc::default(), guard, ()).await;
        };
        tasks.retain(|task| !task.is_finished());
        tasks.push(tokio::spawn(gate.clone().hold(served)).abort_handle());
        true
    }

    /// Any server serves the page of a room; `None` if there is none, or if it does not answer.
    pub(crate) async fn serve_page(
        &self,
        room: usize,
        name: &RoomName,
        user_id: UserId,
        most_rows: usize,
    ) -> Option<ExistingUsers> {
        let hub = self.hub()?;
        // Without the engine, the page shows what is known.
        let _ = timeout(LONGEST_OPEN, hub.open(name, OpenMode::Look)).await;
        hub.note_page_load(name, user_id);
        let whole = hub.snapshot(name, Some(user_id), usize::MAX);
        if whole.epoch.as_str() != NO_EPOCH {
            let point = Since { epoch: whole.epoch, seq: whole.seq };
            // A list that contradicts another one is found where it is observed.
            let _ = lock(&self.lists[room]).note(&point, whole.users.iter());
        }
        Some(hub.snapshot(name, Some(user_id), most_rows))
    }

    /// The hub of any server that runs.
    pub(crate) fn hub(&self) -> Option<Arc<Hub>> {
        let mut state = lock(&self.state);
        let State { rng, backends } = &mut *state;
        let running = backends.iter().flatten().filter(|backend| !backend.gate.is_stopped());
        rng.choice(running.collect::<Vec<_>>()).map(|backend| Arc::clone(&backend.hub))
    }

    /// The list of any server that runs and reads the room.
    pub(crate) fn list(&self, name: &RoomName, viewer: Option<UserId>) -> Option<ExistingUsers> {
        let state = lock(&self.state);
        let running = state.backends.iter().flatten().filter(|it| !it.gate.is_stopped());
        let mut lists = running.map(|it| it.hub.snapshot(name, viewer, usize::MAX));
        lists.find(|list| list.epoch.as_str() != NO_EPOCH)
    }

    /// Checks the list of a page against all others.
    pub(crate) fn check<'a>(
        &self,
        room: usize,
        point: &Since,
        rows: impl Iterator<Item = &'a User>,
    ) -> Result<(), String> {
        lock(&self.lists[room]).note(point, rows)
    }

    /// Whether a row was in any list.
    pub(crate) fn contains(&self, room: usize, row: &User) -> bool {
        lock(&self.lists[room]).contains(row)
    }

    /// Whether frames may contradict a list at this point, because the engine has lost its numbers.
    pub(crate) fn has_fallen(&self, room: usize, point: &Since) -> bool {
        lock(&self.lists[room]).has_fallen(&point.epoch)
    }
}
