//! A link to the engine in memory, with the network in between.

use std::{sync::Arc, time::Duration};

use app::presence::RoomName;
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc::UnboundedReceiver},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    Availability, LateAppend, LinkState, MemoryEngine, Partition, State, faults::ClientFaults, lock,
};
use crate::{
    presence::{
        entry::{Batch, Position},
        members::Moment,
        room::RoomSnapshot,
        server_id::ServerId,
    },
    replication::engine::{
        Appended, Begun, EngineError, EntryTime, Founding, LeaseTime, Leases, Link, Opened,
        PublishedEntry, REQUEST_TIMEOUT, RunId, SharedConfig,
    },
};

/// A link to the engine in memory.
#[derive(Debug)]
pub struct MemoryLink {
    pub(super) engine: MemoryEngine,
    pub(super) run_id: RunId,
    pub(super) state: Arc<LinkState>,
    pub(super) entries: AsyncMutex<Arriving>,
}

/// Entries on their way to the server, with the times at which they arrive.
#[derive(Debug)]
pub(super) struct Arriving {
    entries: UnboundedReceiver<(Instant, PublishedEntry)>,
    next: Option<(Instant, PublishedEntry)>,
}

impl Arriving {
    pub(super) fn new(entries: UnboundedReceiver<(Instant, PublishedEntry)>) -> Self {
        Self { entries, next: None }
    }
}

impl Link for MemoryLink {
    fn run_id(&self) -> &RunId {
        &self.run_id
    }

    async fn begin(
        &self,
        server: ServerId,
        config: &SharedConfig,
        seen: Option<LeaseTime>,
    ) -> Result<Begun, EngineError> {
        self.request(|state, clock| Ok(state.keyspace.begin(clock, server, config, seen))).await
    }

    async fn renew(
        &self,
        server: ServerId,
        lease: Duration,
    ) -> Result<Option<Leases>, EngineError> {
        self.request(|state, clock| Ok(state.keyspace.renew(clock, server, lease))).await
    }

    async fn release(&self, server: ServerId) -> Result<(), EngineError> {
        self.request(|state, _| {
            state.keyspace.release(server);
            Ok(())
        })
        .await
    }

    async fn subscribe(&self, room: &RoomName) -> Result<(), EngineError> {
        self.request(|_, _| {
            lock(&self.state.subscribed).insert(room.clone());
            Ok(())
        })
        .await
    }

    async fn unsubscribe(&self, room: &RoomName) -> Result<(), EngineError> {
        self.request(|_, _| {
            lock(&self.state.subscribed).remove(room);
            Ok(())
        })
        .await
    }

    async fn open(
        &self,
        room: &RoomName,
        known: Option<Position>,
        founding: Option<Founding>,
    ) -> Result<Opened, EngineError> {
        self.request(|state, clock| {
            let nonce = state.nonce();
            state.keyspace.open(clock, room, known, founding.as_ref(), nonce)
        })
        .await
    }

    async fn append(
        &self,
        room: &RoomName,
        known: Position,
        due: Option<Moment>,
        batch: &Batch,
    ) -> Result<Appended, EngineError> {
        let client = self.engine.client;
        let delay = self.engine.lock().faults.delayed_appends.remove(&client);
        if let Some(delay) = delay {
            // It is on its way, and the link ends before it arrives.
            let (room, batch) = (room.clone(), batch.clone());
            let arrives_at = Instant::now() + delay;
            let append = LateAppend { client, arrives_at, room, known, due, batch };
            let mut state = self.engine.lock();
            state.late_appends.push(append);
            state.end(&self.state);
            return Err(EngineError::LinkOver);
        }
        self.request(|state, clock| state.append(clock, room, known, due, batch)).await
    }

    async fn save_snapshot(
        &self,
        room: &RoomName,
        at: EntryTime,
        snapshot: &RoomSnapshot,
    ) -> Result<(), EngineError> {
        self.request(|state, clock| state.keyspace.save_snapshot(clock, room, at, snapshot)).await
    }

    async fn next_entry(&self) -> Option<PublishedEntry> {
        let mut arriving = self.entries.lock().await;
        if arriving.next.is_none() {
            arriving.next = arriving.entries.recv().await;
        }
        let arrives_at = arriving.next.as_ref().map(|(arrives_at, _)| *arrives_at)?;
        // It stays the next one if the caller stops waiting.
        sleep_until(arrives_at).await;
        let (_, entry) = arriving.next.take()?;
        (!self.state.has_ended()).then_some(entry)
    }
}

impl MemoryLink {
    /// Sends a request and waits for the answer, by the faults of the network. An error ends the link.
    async fn request<T>(
        &self,
        script: impl FnOnce(&mut State, u64) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let ended = self.state.is_over.notified();
        if self.state.has_ended() {
            return Err(EngineError::LinkOver);
        }
        let answer = timeout(REQUEST_TIMEOUT, self.exchange(script));
        let answer = tokio::select! {
            biased;
            () = ended => Err(EngineError::LinkOver),
            answer = answer => answer.unwrap_or(Err(EngineError::LinkOver)),
        };
        if answer.is_err() {
            self.engine.lock().end(&self.state);
        }
        answer
    }

    async fn exchange<T>(
        &self,
        script: impl FnOnce(&mut State, u64) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let ClientFaults { there, back, partition } = self.engine.lock().draw(self.engine.client);
        sleep(there).await;
        let answer = match partition {
            Partition::Both => None,
            Partition::None | Partition::Answers => self.execute(script),
        };
        // Who is not answered waits until the timeout.
        let Some(answer) = answer.filter(|_| partition == Partition::None) else {
            return std::future::pending().await;
        };
        sleep(back).await;
        answer
    }

    /// Runs a script in the engine; `None` if the engine hangs.
    fn execute<T>(
        &self,
        script: impl FnOnce(&mut State, u64) -> Result<T, EngineError>,
    ) -> Option<Result<T, EngineError>> {
        let mut state = self.engine.lock();
        if state.faults.availability != Availability::Up {
            return None;
        }
        let clock = self.engine.clock(&state);
        let answer = script(&mut state, clock);
        // What was sent over links that are over may arrive now.
        state.apply_late_appends(clock);
        Some(answer)
    }
}

impl Drop for MemoryLink {
    fn drop(&mut self) {
        self.engine.lock().end(&self.state);
    }
}
