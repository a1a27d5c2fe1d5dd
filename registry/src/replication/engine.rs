//! What puts the commands of all servers in one order.

use std::{future::Future, time::Duration};

use app::presence::RoomName;

use crate::presence::{
    entry::{Batch, Entry, Pause, Position},
    members::Moment,
    room::RoomSnapshot,
    server_id::ServerId,
};

/// Puts what happens to rooms in one order, and knows nothing of presence.
///
/// It keeps a journal and a snapshot for each room, and a lease for each server. Each room has a clock, and
/// the leases have one of their own: neither ever goes back.
pub trait Engine: Clone + Send + Sync + 'static {
    /// A link to the engine.
    type Link: Link;

    /// A new link, which has not received anything yet.
    fn connect(&self) -> impl Future<Output = Result<Self::Link, EngineError>> + Send;
}

/// A link to the engine. It never reconnects by itself, because entries may be lost in between: the link is
/// over at the first error, and the server opens its rooms again over a new one.
///
/// Every call ends within [`REQUEST_TIMEOUT`].
pub trait Link: Send + Sync + 'static {
    /// Which run of the engine this is. Another run may have lost what was written last.
    fn run_id(&self) -> &RunId;

    /// Begins the life of a server. `seen` is the last lease time that it saw in an earlier life: it counts if
    /// the engine has lost its own.
    fn begin(
        &self,
        server: ServerId,
        config: &SharedConfig,
        seen: Option<LeaseTime>,
    ) -> impl Future<Output = Result<Begun, EngineError>> + Send;

    /// Renews the lease of a server; `None` if it has ended.
    fn renew(
        &self,
        server: ServerId,
        lease: Duration,
    ) -> impl Future<Output = Result<Option<Leases>, EngineError>> + Send;

    /// Ends the lease of a server that shuts down.
    fn release(&self, server: ServerId) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// From now on [`Link::next_entry`] returns the entries of this room.
    fn subscribe(&self, room: &RoomName) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// The opposite.
    fn unsubscribe(&self, room: &RoomName) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// What a server needs that knows a room up to `known`. If there is no such room, it is founded with
    /// `founding`. The room's time to live begins anew, and never becomes shorter.
    fn open(
        &self,
        room: &RoomName,
        known: Option<Position>,
        founding: Option<Founding>,
    ) -> impl Future<Output = Result<Opened, EngineError>> + Send;

    /// Appends a batch to the journal of a room, which the server knows up to `known`. With `due` it is
    /// appended only if that deadline has come, and no entry since.
    fn append(
        &self,
        room: &RoomName,
        known: Position,
        due: Option<Moment>,
        batch: &Batch,
    ) -> impl Future<Output = Result<Appended, EngineError>> + Send;

    /// Stores the state of a room after an entry, and drops entries that are no longer needed. Without effect
    /// if a later state is stored already, or if the entry is not in the journal.
    fn save_snapshot(
        &self,
        room: &RoomName,
        at: EntryTime,
        snapshot: &RoomSnapshot,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// The next entry of any subscribed room, in order for each of them. An entry may be missing, but none
    /// comes twice. `None` when the link is over. A caller that stops waiting loses nothing.
    fn next_entry(&self) -> impl Future<Output = Option<PublishedEntry>> + Send;
}

/// How long a call may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// A room is forgotten when no server has opened it for so long, or for as long as who opened it asked for. Servers open
/// their rooms every minute.
pub const ROOM_LIFETIME: Duration = Duration::from_mins(10);

/// For so long an expired lease and a pause are remembered.
pub const LEASE_MEMORY: Duration = Duration::from_mins(10);

/// So many entries before a snapshot stay in the journal, for servers that are a little behind. In a storm each has a
/// hundred commands, which take as much as fifty rows.
pub const MOST_OLDER_ENTRIES: u64 = 32;

/// Why a call failed. The link is over in either case, and the call may have been executed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The engine did not answer in time, or the connection broke.
    #[error("the link to the engine is over")]
    LinkOver,
    /// The engine answered with an error of its own.
    #[error("the engine refused: {0}")]
    Refused(String),
    /// No link could be made. It may be possible later.
    #[error("the engine can't be reached: {0}")]
    Unreachable(String),
    /// No link can be made until somebody changes the configuration of the server or of the engine.
    #[error("the engine can't be used as configured: {0}")]
    Misconfigured(String),
}

/// One run of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunId(pub String);

/// A time by the clock of the leases. It can't be compared with a [`Moment`] of a room: the two clocks may
/// differ, so only durations go from one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeaseTime(Duration);

impl LeaseTime {
    /// So many milliseconds by the clock of the leases.
    pub fn from_millis(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }

    /// How long ago the other time is.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// What all servers of a cluster have to share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedConfig {
    /// A fingerprint of the key that signs the cookies.
    pub key: String,
    /// How long a lease lasts.
    pub lease: Duration,
    /// The scheme of the public address: the cookie's name depends on it.
    pub scheme: String,
}

/// What came of beginning a life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The server has a lease.
    Begun(Leases),
    /// The id is in use, or was lately. The server has to draw another one.
    Taken,
    /// Live servers share another configuration: this one may not begin.
    Mismatch(SharedConfig),
}

/// The leases of all servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leases {
    /// The present.
    pub now: LeaseTime,
    /// The last time without any server.
    pub pause: Option<Pause>,
    /// The servers with a lease.
    pub live: Vec<ServerId>,
    /// The servers whose leases ended lately, and when.
    pub expired: Vec<(ServerId, LeaseTime)>,
}

/// The state to found a room with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founding {
    /// The state.
    pub snapshot: RoomSnapshot,
    /// Its moment: the room's time does not go back behind it.
    pub moment: Moment,
    /// For how long the engine keeps the room from now on, if it does not keep it for longer already.
    pub lifetime: Duration,
}

/// What a server that opens a room has to do.
#[derive(Clone, Debug)]
pub enum Opened {
    /// There is no such room.
    Absent,
    /// Apply these entries, which continue what it knows.
    More {
        /// The present of the room.
        now: Moment,
        /// The entries, perhaps none.
        entries: Vec<Entry>,
    },
    /// Take this state, and apply these entries.
    Whole {
        /// The present of the room.
        now: Moment,
        /// The entry after which this is the state.
        at: EntryTime,
        /// The state.
        snapshot: Box<RoomSnapshot>,
        /// The entries since.
        entries: Vec<Entry>,
    },
}

/// An entry, and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryTime {
    /// Where it is in the journal.
    pub position: Position,
    /// Its time.
    pub moment: Moment,
}

/// What came of appending a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is in the journal.
    Done(EntryTime),
    /// The deadline comes in so long.
    Early(Duration),
    /// An entry after the deadline is in the journal already.
    Past,
    /// The journal does not have the entry that the server knows: the room has to be opened again.
    Diverged,
    /// There is no such room: it has to be opened again.
    Missing,
}

/// An entry of a subscribed room.
#[derive(Clone, Debug)]
pub struct PublishedEntry {
    /// The room.
    pub room: RoomName,
    /// The nonce of the entry before: whoever has another one is on another journal.
    pub previous_nonce: u64,
    /// The entry.
    pub entry: Entry,
}
