//! What the rooms of a server know of its cluster.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::presence::RoomName;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

use super::stats::ClusterStats;
use crate::presence::{
    entry::{Pause, ServerJoined},
    room::RoomLimits,
    server_id::ServerId,
};

/// The newest rules of the fold that this version can apply.
pub const RULES: u32 = 2;

/// The first rules with [`Command::JoiningChanged`](crate::presence::command::Command::JoiningChanged): servers of
/// earlier versions can't read it.
pub(crate) const RULES_OF_CLOSED_ROOMS: u32 = 2;

/// After so long without a word from the engine, lists are said to be old.
pub const STALE_AFTER: Duration = Duration::from_secs(2);

/// What the rooms of a server know of its cluster: who the server is, and whom to tell that they have something
/// to append. It knows no engine and no task.
#[derive(Debug)]
pub struct ClusterHandle {
    identity: Mutex<Identity>,
    limits: RoomLimits,
    requests: mpsc::UnboundedSender<ClusterRequest>,
    /// When the engine was heard last.
    heard_at: watch::Sender<Option<Instant>>,
    /// How many servers have a lease.
    servers: AtomicUsize,
    stats: ClusterStats,
}

#[derive(Clone, Copy, Debug)]
struct Identity {
    server: ServerId,
    /// Over all rooms.
    last_batch: u64,
    pause: Option<Pause>,
}

/// What a room or a reader wants of the tasks that talk to the engine.
#[derive(Debug)]
pub enum ClusterRequest {
    /// The room has something to append.
    Append(RoomName),
    /// The room is to be opened.
    Open(OpenRequest),
    /// The room has no reader on this server, which is to leave it now: another one needs its place.
    Vacate(RoomName),
    /// The room no longer counts this life of the server.
    Fenced(ServerId),
    /// The server shuts down: it leaves all rooms and ends its lease. Answered when that is done.
    Leave(oneshot::Sender<()>),
}

/// A wish to read a room.
#[derive(Debug)]
pub struct OpenRequest {
    /// The room.
    pub room: RoomName,
    /// Whether it is made if nobody has it.
    pub mode: OpenMode,
    /// Told when it is open, or why it is not.
    pub done: Option<oneshot::Sender<Result<(), NotOpenedError>>>,
}

impl OpenRequest {
    /// A room that a subscriber has entered, who does not wait for it.
    pub fn of(room: RoomName) -> Self {
        Self { room, mode: OpenMode::Found, done: None }
    }
}

/// Whether opening a room makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// A room that nobody has is not made: whoever asks for a page leaves no trace.
    Look,
    /// It is made.
    Found,
}

/// Why a room was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpenedError {
    /// Nobody has it.
    #[error("there is no such room")]
    Absent,
    /// The engine does not answer.
    #[error("the engine does not answer")]
    NoEngine,
}

impl ClusterHandle {
    /// A server that begins its first life under this id, and what its rooms ask for.
    pub fn new(
        server: ServerId,
        limits: RoomLimits,
    ) -> (Self, mpsc::UnboundedReceiver<ClusterRequest>) {
        let (requests, received) = mpsc::unbounded_channel();
        let identity = Mutex::new(Identity { server, last_batch: 0, pause: None });
        let (heard_at, _) = watch::channel(None);
        let (servers, stats) = (AtomicUsize::new(0), ClusterStats::default());
        (Self { identity, limits, requests, heard_at, servers, stats }, received)
    }

    /// What is counted.
    pub fn stats(&self) -> &ClusterStats {
        &self.stats
    }

    /// How many servers have a lease, this one included.
    pub fn live_servers(&self) -> usize {
        self.servers.load(Ordering::Relaxed)
    }

    /// So many servers have a lease.
    pub fn note_live_servers(&self, number: usize) {
        self.servers.store(number, Ordering::Relaxed);
    }

    /// The engine has answered.
    pub fn note_heard(&self) {
        self.heard_at.send_replace(Some(Instant::now()));
    }

    /// How long the engine has not been heard; `None` before the first time.
    pub fn silence(&self) -> Option<Duration> {
        self.heard_at.borrow().map(|heard_at| heard_at.elapsed())
    }

    /// The same, if it is so long that the lists are old.
    pub fn stale_for(&self) -> Option<Duration> {
        self.silence().filter(|silence| *silence >= STALE_AFTER)
    }

    /// Told whenever the engine is heard.
    pub fn watch_heard(&self) -> watch::Receiver<Option<Instant>> {
        self.heard_at.subscribe()
    }

    /// The present id of the server.
    pub fn server(&self) -> ServerId {
        self.lock().server
    }

    /// The server goes on under another id.
    pub fn begin_incarnation(&self, server: ServerId) {
        self.lock().server = server;
    }

    /// The last time without any server, as the engine says.
    pub fn note_pause(&self, pause: Option<Pause>) {
        self.lock().pause = pause;
    }

    /// The number of the next batch.
    pub fn next_batch(&self) -> u64 {
        let mut identity = self.lock();
        identity.last_batch += 1;
        identity.last_batch
    }

    /// What the server brings to a room that it joins.
    pub fn joining(&self) -> ServerJoined {
        ServerJoined { limits: self.limits, rules: RULES, pause: self.lock().pause }
    }

    /// Asks for something. Without tasks, which is only at the end of the process, nothing happens.
    pub fn request(&self, request: ClusterRequest) {
        let _ = self.requests.send(request);
    }

    fn lock(&self) -> MutexGuard<'_, Identity> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
