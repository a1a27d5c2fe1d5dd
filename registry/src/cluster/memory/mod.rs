//! An engine in memory, with faults: what a server can see of Valkey or Redis, and of the network to it.
//!
//! Time is Tokio's, so it can be paused; random choices come from one seed.

mod faults;
mod keyspace;
mod link;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::presence::RoomName;
use fastrand::Rng;
use tokio::{
    sync::{
        Mutex as AsyncMutex, Notify,
        mpsc::{UnboundedSender, unbounded_channel},
    },
    time::Instant,
};

use self::{
    faults::ClientFaults,
    keyspace::{Keyspace, NewEntry},
    link::Arriving,
};
pub use self::{
    faults::{Availability, Faults, Partition},
    link::MemoryLink,
};
use crate::{
    presence::{
        entry::{Batch, Position},
        members::Moment,
    },
    replication::engine::{Appended, Engine, EngineError, Opened, PublishedEntry, RunId},
};

/// The engine as one of its clients sees it.
#[derive(Clone, Debug)]
pub struct MemoryEngine {
    shared: Arc<Shared>,
    client: usize,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    started_at: Instant,
}

#[derive(Debug)]
struct State {
    keyspace: Keyspace,
    rng: Rng,
    run: u64,
    /// The engine's clock when it was started, in milliseconds since 1970.
    clock_at_start: u64,
    links: Vec<Arc<LinkState>>,
    faults: Faults,
    /// Appends that are still under way from links that are over.
    late_appends: Vec<LateAppend>,
}

/// An append that arrives after its link is over: after some later request of any client.
#[derive(Debug)]
struct LateAppend {
    client: usize,
    arrives_at: Instant,
    room: RoomName,
    known: Position,
    due: Option<Moment>,
    batch: Batch,
}

#[derive(Debug)]
struct LinkState {
    client: usize,
    subscribed: Mutex<BTreeSet<RoomName>>,
    /// Dropped when the link is over. Each entry has the time at which it arrives.
    entries: Mutex<Option<UnboundedSender<(Instant, PublishedEntry)>>>,
    is_over: Notify,
}

impl MemoryEngine {
    /// An empty engine, whose clock begins with this number of milliseconds since 1970.
    pub fn new(seed: u64, clock: u64) -> Self {
        let state = State {
            keyspace: Keyspace::default(),
            rng: Rng::with_seed(seed),
            run: 0,
            clock_at_start: clock,
            links: Vec::new(),
            faults: Faults::default(),
            late_appends: Vec::new(),
        };
        let shared = Shared { state: Mutex::new(state), started_at: Instant::now() };
        Self { shared: Arc::new(shared), client: 0 }
    }

    /// The same engine for another client, which has faults of its own.
    #[must_use]
    pub fn for_client(&self, client: usize) -> Self {
        Self { shared: Arc::clone(&self.shared), client }
    }

    /// Changes the faults of the engine and of the network.
    pub fn set_faults(&self, change: impl FnOnce(&mut Faults)) {
        let mut state = self.lock();
        change(&mut state.faults);
        if state.faults.availability == Availability::Away {
            state.end_links(|_| true);
        }
    }

    /// Ends all links of a client.
    pub fn cut(&self, client: usize) {
        self.lock().end_links(|link| link.client == client);
    }

    /// The engine is started again, with its data.
    pub fn restart(&self) {
        let mut state = self.lock();
        state.run += 1;
        state.end_links(|_| true);
    }

    /// The engine is started again, and has lost everything.
    pub fn restart_empty(&self) {
        self.lock().keyspace = Keyspace::default();
        self.restart();
    }

    /// A replica that has not received the last writes to each room goes on as the engine.
    pub fn fall_back(&self, writes: usize) {
        self.lock().keyspace.fall_back(writes);
        self.restart();
    }

    /// The engine's clock jumps by so many milliseconds.
    pub fn jump(&self, milliseconds: i64) {
        let mut state = self.lock();
        state.clock_at_start = state.clock_at_start.saturating_add_signed(milliseconds);
    }

    /// An entry is deleted by hand.
    pub fn delete_entry(&self, room: &RoomName, number: u64) {
        self.lock().keyspace.delete_entry(room, number);
    }

    /// After how long a room ends that nobody opens again.
    pub fn remaining_lifetime(&self, room: &RoomName) -> Duration {
        let state = self.lock();
        let clock = self.clock(&state);
        state.keyspace.remaining_lifetime(clock, room)
    }

    /// Whether an append of this client is on its way from a link that is over.
    pub fn has_late_append(&self, client: usize) -> bool {
        self.lock().late_appends.iter().any(|append| append.client == client)
    }

    /// What the engine stores of a room, without a network in between: its entries after a position, or else its
    /// snapshot and the entries after that. `None` if the engine does not have the room.
    pub fn read_journal(&self, room: &RoomName, known: Option<Position>) -> Option<Opened> {
        let state = self.lock();
        let clock = self.clock(&state);
        state.keyspace.read(clock, room, known)
    }

    fn clock(&self, state: &State) -> u64 {
        let passed = self.shared.started_at.elapsed().as_millis();
        state.clock_at_start + u64::try_from(passed).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}

impl Engine for MemoryEngine {
    type Link = MemoryLink;

    async fn connect(&self) -> Result<MemoryLink, EngineError> {
        let (entries, received) = unbounded_channel();
        let link = Arc::new(LinkState {
            client: self.client,
            subscribed: Mutex::default(),
            entries: Mutex::new(Some(entries)),
            is_over: Notify::new(),
        });
        let run_id = {
            let mut state = self.lock();
            if !state.faults.is_reachable(self.client) {
                return Err(EngineError::LinkOver);
            }
            state.links.push(Arc::clone(&link));
            RunId(format!("run-{}", state.run))
        };
        let entries = AsyncMutex::new(Arriving::new(received));
        Ok(MemoryLink { engine: self.clone(), run_id, state: link, entries })
    }
}

impl LinkState {
    fn has_ended(&self) -> bool {
        lock(&self.entries).is_none()
    }
}

impl State {
    /// 62 random bits, as in the id of a stream's entry.
    fn nonce(&mut self) -> u64 {
        self.rng.u64(..1 << 62)
    }

    fn append(
        &mut self,
        clock: u64,
        room: &RoomName,
        known: Position,
        due: Option<Moment>,
        batch: &Batch,
    ) -> Result<Appended, EngineError> {
        if self.faults.is_out_of_memory {
            return Err(EngineError::Refused("out of memory".to_owned()));
        }
        let nonce = self.nonce();
        let (appended, entry) = self.keyspace.append(clock, room, known, due, nonce, batch)?;
        if let Some(NewEntry { previous_nonce, entry }) = entry {
            self.publish(&PublishedEntry { room: room.clone(), previous_nonce, entry });
        }
        Ok(appended)
    }

    fn publish(&mut self, published: &PublishedEntry) {
        let Self { links, faults, rng, .. } = self;
        for link in links.iter().filter(|link| lock(&link.subscribed).contains(&published.room)) {
            // Nothing arrives through a partition, and nobody is told.
            if faults.draw(rng, link.client).partition == Partition::None
                && rng.f64() >= faults.lost_messages
                && let Some(entries) = &*lock(&link.entries)
            {
                let arrives_at = Instant::now() + faults.draw(rng, link.client).back;
                // A receiver that is gone has no use for it.
                let _ = entries.send((arrives_at, published.clone()));
            }
        }
    }

    fn draw(&mut self, client: usize) -> ClientFaults {
        self.faults.draw(&mut self.rng, client)
    }

    fn apply_late_appends(&mut self, clock: u64) {
        let now = Instant::now();
        let has_arrived = |append: &mut LateAppend| append.arrives_at <= now;
        let late: Vec<_> = self.late_appends.extract_if(.., has_arrived).collect();
        for LateAppend { room, known, due, batch, .. } in late {
            // Nobody waits for the answer.
            let _ = self.append(clock, &room, known, due, &batch);
        }
    }

    fn end_links(&mut self, which: impl Fn(&LinkState) -> bool) {
        let ending: Vec<_> = self.links.iter().filter(|link| which(link)).cloned().collect();
        for link in &ending {
            self.end(link);
        }
    }

    fn end(&mut self, link: &Arc<LinkState>) {
        self.links.retain(|other| !Arc::ptr_eq(other, link));
        lock(&link.entries).take();
        link.is_over.notify_waiters();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
