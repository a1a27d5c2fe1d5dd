//! A room in which something happens all the time.

use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};

use super::*;
use crate::{
    cluster::memory::MemoryLink,
    presence::{
        entry::{Batch, Entry, Position},
        members::Moment,
        room::RoomSnapshot,
    },
    replication::engine::{
        Appended, Begun, EntryTime, Founding, LeaseTime, Opened, PublishedEntry, RunId,
    },
};

/// An engine whose entries never pause. It tells the longest time without a renewal of the lease.
#[derive(Clone)]
struct BusyEngine {
    inner: MemoryEngine,
    renewed_at: watch::Sender<Instant>,
    longest: watch::Sender<Duration>,
}

struct BusyLink {
    inner: MemoryLink,
    engine: BusyEngine,
    entries: AsyncMutex<mpsc::Receiver<PublishedEntry>>,
}

impl Engine for BusyEngine {
    type Link = BusyLink;

    async fn connect(&self) -> Result<BusyLink, EngineError> {
        let inner = self.inner.connect().await?;
        let (sender, entries) = mpsc::channel(4_096);
        tokio::spawn(feed(sender));
        Ok(BusyLink { inner, engine: self.clone(), entries: AsyncMutex::new(entries) })
    }
}

/// The queue is full whenever the server has taken something from it, and that took time.
async fn feed(sender: mpsc::Sender<PublishedEntry>) {
    let position = Position { number: 1, nonce: 1 };
    let server = ServerId::try_from(9).unwrap();
    let batch = Batch { server, number: 1, joined: None, commands: Vec::new() };
    let entry = Entry { position, moment: Moment::ZERO, batch };
    // Of a room that this server does not know.
    let room = "elsewhere".parse().unwrap();
    let published = PublishedEntry { room, previous_nonce: 0, entry };
    while !sender.is_closed() {
        while sender.try_send(published.clone()).is_ok() {}
        tokio::time::advance(Duration::from_millis(10)).await;
    }
}

impl Link for BusyLink {
    fn run_id(&self) -> &RunId {
        self.inner.run_id()
    }

    async fn begin(
        &self,
        server: ServerId,
        config: &SharedConfig,
        seen: Option<LeaseTime>,
    ) -> Result<Begun, EngineError> {
        self.inner.begin(server, config, seen).await
    }

    async fn renew(
        &self,
        server: ServerId,
        lease: Duration,
    ) -> Result<Option<Leases>, EngineError> {
        let renewed_at = self.engine.renewed_at.send_replace(Instant::now());
        self.engine.longest.send_modify(|longest| *longest = (*longest).max(renewed_at.elapsed()));
        self.inner.renew(server, lease).await
    }

    async fn release(&self, server: ServerId) -> Result<(), EngineError> {
        self.inner.release(server).await
    }

    async fn subscribe(&self, room: &RoomName) -> Result<(), EngineError> {
        self.inner.subscribe(room).await
    }

    async fn unsubscribe(&self, room: &RoomName) -> Result<(), EngineError> {
        self.inner.unsubscribe(room).await
    }

    async fn open(
        &self,
        room: &RoomName,
        known: Option<Position>,
        founding: Option<Founding>,
    ) -> Result<Opened, EngineError> {
        self.inner.open(room, known, founding).await
    }

    async fn append(
        &self,
        room: &RoomName,
        known: Position,
        due: Option<Moment>,
        batch: &Batch,
    ) -> Result<Appended, EngineError> {
        self.inner.append(room, known, due, batch).await
    }

    async fn save_snapshot(
        &self,
        room: &RoomName,
        at: EntryTime,
        snapshot: &RoomSnapshot,
    ) -> Result<(), EngineError> {
        self.inner.save_snapshot(room, at, snapshot).await
    }

    async fn next_entry(&self) -> Option<PublishedEntry> {
        self.entries.lock().await.recv().await
    }
}

#[tokio::test(start_paused = true)]
async fn lease_and_requests_do_not_wait_for_the_end_of_the_entries() {
    let inner = engine().for_client(1);
    let (renewed_at, longest) = (watch::Sender::new(Instant::now()), watch::Sender::default());
    let busy = BusyEngine { inner, renewed_at, longest: longest.clone() };
    let wall = WallClock::Simulated { set_at: Instant::now(), unix_milliseconds: 1 };
    let (cluster, requests) = ClusterHandle::new(ServerId::try_from(1).unwrap(), LIMITS);
    let hub = Hub::in_cluster(LIMITS, cluster, wall);
    let node = tokio::spawn(run(busy, Arc::clone(&hub), requests, NodeConfig::new(config())));
    let opened = timeout(10 * SECOND, hub.open(&room(), OpenMode::Found)).await;
    assert_eq!(opened, Ok(Ok(())));
    sleep(10 * SECOND).await;
    // A lease of two seconds is renewed twice a second.
    let longest = *longest.borrow();
    assert!(Duration::ZERO < longest && longest < SECOND, "{longest:?} without a renewal");
    node.abort();
}
