//! One task that connects the rooms of a server to the engine.
//!
//! It owns the link. When the link is over it drops it, connects again and opens every room anew: nothing is
//! appended to a room over a link before the room was opened over it, so that nothing is missed in between.

mod appends;
mod leases;
mod rooms;
mod silence;

use std::{collections::BTreeMap, convert::Infallible, fmt, ops::Range, sync::Arc, time::Duration};

use app::presence::RoomName;
use tokio::{
    sync::{mpsc::UnboundedReceiver, oneshot},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};

use self::{appends::AppendOutcome, rooms::OpenOutcome};
use crate::{
    hub::Hub,
    presence::server_id::ServerId,
    replication::{
        engine::{Engine, EngineError, Leases, Link, SharedConfig},
        handle::{ClusterHandle, ClusterRequest, NotOpenedError},
        lease::Lease,
    },
};

pub use self::leases::ClusterError;

/// The pause between two attempts to connect, in milliseconds.
const RECONNECT: Range<u64> = 50..250;

/// How often the node looks for entries that did not arrive, and for servers that are dead.
const CHECK: Duration = Duration::from_millis(250);

/// How often every room is opened anew: that keeps it in the engine, and finds a last entry that was lost.
const REFRESH: Duration = Duration::from_mins(1);

/// What a node needs besides the engine.
pub struct NodeConfig {
    /// What all servers of the cluster have to share.
    pub shared: SharedConfig,
    /// A source of random numbers.
    pub random: Box<dyn FnMut() -> u64 + Send>,
}

impl fmt::Debug for NodeConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("NodeConfig").field(&self.shared).finish()
    }
}

impl NodeConfig {
    /// A node with the system's random numbers.
    pub fn new(shared: SharedConfig) -> Self {
        // Without random numbers two servers may draw one id, and the engine refuses the second.
        Self { shared, random: Box::new(|| getrandom::u64().unwrap_or_default()) }
    }
}

/// Connects the rooms of a hub to the engine, until the hub's cluster is left. Ends early only if this server may
/// not take part. Waits for the engine as long as it takes.
pub async fn run<E: Engine>(
    engine: E,
    hub: Arc<Hub>,
    mut requests: UnboundedReceiver<ClusterRequest>,
    config: NodeConfig,
) -> Result<(), ClusterError> {
    let Some(mut node) = Node::new(hub, config) else { return Ok(()) };
    node.run(engine, None, &mut requests).await
}

/// Takes the first lease over a link that is there already, so that a server that may not take part ends before
/// it begins.
pub async fn join<E: Engine>(
    engine: E,
    link: E::Link,
    hub: Arc<Hub>,
    requests: UnboundedReceiver<ClusterRequest>,
    config: NodeConfig,
) -> Result<Member<E>, JoinError> {
    let mut node = Node::new(hub, config);
    if let Some(node) = &mut node {
        node.take_lease(&link).await.map_err(|end| match end {
            End::Refused(error) => JoinError::Refused(error),
            End::Failed(error) => JoinError::Engine(error),
            End::Left => JoinError::Engine(EngineError::LinkOver),
        })?;
    }
    Ok(Member { node, engine, link, requests })
}

/// A server that has its first lease.
pub struct Member<E: Engine> {
    /// None without a cluster.
    node: Option<Node>,
    engine: E,
    link: E::Link,
    requests: UnboundedReceiver<ClusterRequest>,
}

impl<E: Engine> fmt::Debug for Member<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Member").finish_non_exhaustive()
    }
}

impl<E: Engine> Member<E> {
    /// The same as [`run`], from there on.
    pub async fn run(self) -> Result<(), ClusterError> {
        let Self { node, engine, link, mut requests } = self;
        let Some(mut node) = node else { return Ok(()) };
        node.run(engine, Some(link), &mut requests).await
    }
}

/// Why a server could not take part from the start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// It may not.
    #[error(transparent)]
    Refused(#[from] ClusterError),
    /// The engine failed.
    #[error(transparent)]
    Engine(EngineError),
}

struct Node {
    hub: Arc<Hub>,
    cluster: Arc<ClusterHandle>,
    config: SharedConfig,
    random: Box<dyn FnMut() -> u64 + Send>,
    origin: Instant,
    lease: Option<Lease>,
    /// Who waits for a room to be opened.
    waiting: BTreeMap<RoomName, rooms::Waiting>,
    /// Who waits for this server to have left.
    leaving: Option<oneshot::Sender<()>>,
}

/// What the node does over one link.
struct Session<L> {
    link: Arc<L>,
    tasks: JoinSet<Done>,
    /// What was appended and has not arrived yet, and since when.
    unconfirmed: BTreeMap<RoomName, (u64, Instant)>,
    /// Dead servers in rooms, since when that is known, and whether the room was told.
    dead: BTreeMap<(RoomName, ServerId), Dead>,
    is_renewing: bool,
}

struct Dead {
    since: Instant,
    submitted_at: Option<Instant>,
}

/// The end of a request.
enum Done {
    Opened(OpenOutcome),
    Appended(AppendOutcome),
    Renewed { sent_at: Duration, result: Result<Option<Leases>, EngineError> },
    Saved(Result<(), EngineError>),
    Unsubscribed(Result<(), EngineError>),
}

/// Logs why links end: the same reason at most once a minute, as a new link is tried several times a second.
#[derive(Default)]
struct FailureLog {
    last: Option<(EngineError, Instant)>,
}

impl FailureLog {
    fn log(&mut self, error: EngineError) {
        let is_new = self
            .last
            .as_ref()
            .is_none_or(|(last, at)| *last != error || at.elapsed() >= Duration::from_mins(1));
        if is_new {
            tracing::warn!(%error, "the link to the engine failed: a new one is tried");
            self.last = Some((error, Instant::now()));
        }
    }
}

/// Why a session ended.
enum End {
    /// The link is over.
    Failed(EngineError),
    /// This server has left the cluster.
    Left,
    /// This server may not take part.
    Refused(ClusterError),
}

impl From<EngineError> for End {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

impl Node {
    /// None for a hub that is in no cluster.
    fn new(hub: Arc<Hub>, config: NodeConfig) -> Option<Self> {
        let cluster = hub.cluster().cloned()?;
        Some(Self {
            hub,
            cluster,
            config: config.shared,
            random: config.random,
            origin: Instant::now(),
            lease: None,
            waiting: BTreeMap::new(),
            leaving: None,
        })
    }

    /// Serves over one link after another, and tells readers when the engine falls silent.
    async fn run<E: Engine>(
        &mut self,
        engine: E,
        link: Option<E::Link>,
        requests: &mut UnboundedReceiver<ClusterRequest>,
    ) -> Result<(), ClusterError> {
        let silence = silence::watch(Arc::clone(&self.hub), Arc::clone(&self.cluster));
        tokio::select! {
            ended = self.serve_over_links(engine, link, requests) => ended,
            never = silence => match never {},
        }
    }

    async fn serve_over_links<E: Engine>(
        &mut self,
        engine: E,
        mut link: Option<E::Link>,
        requests: &mut UnboundedReceiver<ClusterRequest>,
    ) -> Result<(), ClusterError> {
        let mut failures = FailureLog::default();
        loop {
            let connected = match link.take() {
                Some(link) => Ok(link),
                None => engine.connect().await,
            };
            match connected {
                Ok(link) => {
                    let Err(end) = self.serve(Arc::new(link), requests).await;
                    for (_, room, _) in self.hub.rooms_by_name() {
                        room.interrupt();
                    }
                    match end {
                        End::Failed(error) => failures.log(error),
                        End::Left => return Ok(()),
                        End::Refused(error) => return Err(error),
                    }
                }
                Err(error) => failures.log(error),
            }
            if self.wait_to_reconnect(requests).await {
                return Ok(());
            }
        }
    }

    /// Waits before the next attempt. Returns whether the server leaves meanwhile: then no one is told.
    async fn wait_to_reconnect(
        &mut self,
        requests: &mut UnboundedReceiver<ClusterRequest>,
    ) -> bool {
        let pause = sleep(Duration::from_millis(self.random(RECONNECT)));
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return self.leaving.is_some(),
                request = requests.recv() => match request {
                    None => return true,
                    Some(ClusterRequest::Leave(done)) => {
                        drop(done);
                        return true;
                    }
                    Some(ClusterRequest::Open(request)) => {
                        if let Some(done) = request.done {
                            let _ = done.send(Err(NotOpenedError::NoEngine));
                        }
                    }
                    // All rooms are opened and asked after the link is there.
                    Some(
                        ClusterRequest::Append(_)
                        | ClusterRequest::Vacate(_)
                        | ClusterRequest::Fenced(_),
                    ) => {}
                }
            }
        }
    }

    async fn serve<L: Link>(
        &mut self,
        link: Arc<L>,
        requests: &mut UnboundedReceiver<ClusterRequest>,
    ) -> Result<Infallible, End> {
        self.take_lease(&*link).await?;
        self.cluster.stats().links.count();
        let mut session = Session {
            link,
            tasks: JoinSet::new(),
            unconfirmed: BTreeMap::new(),
            dead: BTreeMap::new(),
            is_renewing: false,
        };
        self.open_all(&mut session);
        let (mut check, mut refresh) = (interval(CHECK), interval(REFRESH));
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
        refresh.reset();
        let link = Arc::clone(&session.link);
        loop {
            let renewal = self.next_renewal();
            tokio::select! {
                biased;
                // What has a time comes first: in a storm there is always another entry.
                () = sleep_until(renewal), if !session.is_renewing => self.renew(&mut session),
                _ = check.tick() => self.check(&mut session).await?,
                _ = refresh.tick() => self.refresh(&mut session),
                Some(done) = session.tasks.join_next() => match done {
                    Ok(done) => self.on_done(&mut session, done).await?,
                    // A panic in a request is as good as a link that is over.
                    Err(_) => return Err(EngineError::LinkOver.into()),
                },
                entry = link.next_entry() => match entry {
                    Some(entry) => {
                        self.deliver(&mut session, entry);
                        // In turn with the rooms' requests, which would wait for ever too.
                        if let Ok(request) = requests.try_recv() {
                            self.on_request(&mut session, request).await?;
                        }
                    }
                    None => return Err(EngineError::LinkOver.into()),
                },
                request = requests.recv() => match request {
                    Some(request) => self.on_request(&mut session, request).await?,
                    None => return Err(End::Left),
                },
            }
        }
    }

    async fn on_request<L: Link>(
        &mut self,
        session: &mut Session<L>,
        request: ClusterRequest,
    ) -> Result<(), End> {
        match request {
            ClusterRequest::Append(room) => self.append(session, &room),
            ClusterRequest::Open(request) => self.open(session, request),
            ClusterRequest::Vacate(room) => self.vacate(session, &room),
            // Several rooms may say it of the same life.
            ClusterRequest::Fenced(server) if server == self.cluster.server() => {
                self.begin_incarnation(&*session.link).await?;
            }
            ClusterRequest::Fenced(_) => {}
            ClusterRequest::Leave(done) => self.leave(session, done),
        }
        Ok(())
    }

    async fn on_done<L: Link>(&mut self, session: &mut Session<L>, done: Done) -> Result<(), End> {
        match done {
            Done::Opened(opened) => self.on_opened(session, opened)?,
            Done::Appended(appended) => self.on_appended(session, appended)?,
            Done::Renewed { sent_at, result } => {
                session.is_renewing = false;
                match result? {
                    Some(leases) => self.on_renewed(leases, sent_at),
                    None => self.begin_incarnation(&*session.link).await?,
                }
            }
            Done::Saved(result) | Done::Unsubscribed(result) => result?,
        }
        Ok(())
    }

    /// A random number of a range.
    fn random(&mut self, range: Range<u64>) -> u64 {
        range.start + (self.random)() % (range.end - range.start)
    }

    /// The time by the clock that the lease and its renewals are measured with.
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}

#[cfg(test)]
mod tests;
