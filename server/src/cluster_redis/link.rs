//! A link: one connection for requests, and one that listens.

use std::time::Duration;

use app::presence::RoomName;
use redis::{RedisError, ScriptInvocation, Value, aio::MultiplexedConnection, cmd};
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use registry::{
    presence::{
        entry::{Batch, Position},
        members::Moment,
        room::RoomSnapshot,
        server_id::ServerId,
    },
    replication::engine::{
        Appended, Begun, EngineError, EntryTime, Founding, LEASE_MEMORY, LeaseTime, Leases, Link,
        MOST_OLDER_ENTRIES, Opened, PublishedEntry, ROOM_LIFETIME, RunId, SharedConfig,
    },
};

use super::{
    answers,
    incoming::{Arrived, Message},
    keys::{Keys, RoomKeys, ServerKeys},
    scripts, shared_config,
};

/// How often the listening connection is pinged. An answer that does not come in time ends the link.
const PING_INTERVAL: Duration = Duration::from_millis(500);

/// A link to Valkey or Redis. Any error ends it.
#[derive(Debug)]
pub struct RedisLink {
    run_id: RunId,
    keys: Keys,
    requests: MultiplexedConnection,
    listening: MultiplexedConnection,
    arrived: Arrived,
    over: CancellationToken,
    _pinging: AbortOnDropHandle<()>,
}

/// What a link is made of.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) requests: MultiplexedConnection,
    pub(super) listening: MultiplexedConnection,
    pub(super) arrived: Arrived,
    /// Cancelled when the listening connection ends.
    pub(super) over: CancellationToken,
}

impl RedisLink {
    pub(super) fn new(run_id: RunId, keys: Keys, connections: Connections) -> Self {
        let Connections { requests, listening, arrived, over } = connections;
        let ping = tokio::spawn(ping(listening.clone(), over.clone()));
        let pinging = AbortOnDropHandle::new(ping);
        Self { run_id, keys, requests, listening, arrived, over, _pinging: pinging }
    }

    /// Executes a script.
    async fn execute(&self, script: &ScriptInvocation<'_>) -> Result<Value, EngineError> {
        let mut connection = self.requests.clone();
        self.answer(script.invoke_async(&mut connection)).await
    }

    /// Waits for an answer, or for the end of the link.
    async fn answer(
        &self,
        answer: impl Future<Output = Result<Value, RedisError>>,
    ) -> Result<Value, EngineError> {
        let answer = tokio::select! {
            biased;
            () = self.over.cancelled() => return Err(EngineError::LinkOver),
            answer = answer => answer,
        };
        answer.map_err(|error| {
            self.over.cancel();
            engine_error(&error)
        })
    }

    /// What can't be read ends the link too.
    fn read<T>(&self, answer: Result<T, EngineError>) -> Result<T, EngineError> {
        answer.inspect_err(|_| self.over.cancel())
    }

    /// Begins a lease or renews it.
    async fn take_lease(
        &self,
        server: ServerId,
        lease: Duration,
        begin: Option<(&SharedConfig, Option<LeaseTime>)>,
    ) -> Result<Value, EngineError> {
        let ServerKeys { leases, expired, clock, pause, config } = self.keys.servers();
        let mut script = scripts::RENEW.prepare_invoke();
        script.key(leases).key(expired).key(clock).key(pause).key(config);
        script.arg(u32::from(server)).arg(in_milliseconds(lease));
        let (begins, seen, shared) = match begin {
            None => (0, None, String::new()),
            Some((shared, seen)) => (1, seen, shared_config::format(shared)),
        };
        let seen = seen.map(|seen| in_milliseconds(seen.since(LeaseTime::from_millis(0))));
        script.arg(begins).arg(in_milliseconds(LEASE_MEMORY));
        script.arg(seen.unwrap_or_default()).arg(shared);
        self.execute(&script).await
    }

    async fn set_subscribed(&self, command: &str, room: &RoomName) -> Result<(), EngineError> {
        let mut connection = self.listening.clone();
        let mut subscribe = cmd(command);
        subscribe.arg(self.keys.room(room).channel);
        self.answer(subscribe.query_async(&mut connection)).await.map(drop)
    }
}

impl Link for RedisLink {
    fn run_id(&self) -> &RunId {
        &self.run_id
    }

    async fn begin(
        &self,
        server: ServerId,
        config: &SharedConfig,
        seen: Option<LeaseTime>,
    ) -> Result<Begun, EngineError> {
        let answer = self.take_lease(server, config.lease, Some((config, seen))).await?;
        self.read(answers::begun(&answer))
    }

    async fn renew(
        &self,
        server: ServerId,
        lease: Duration,
    ) -> Result<Option<Leases>, EngineError> {
        let answer = self.take_lease(server, lease, None).await?;
        self.read(answers::renewed(&answer))
    }

    async fn release(&self, server: ServerId) -> Result<(), EngineError> {
        let mut connection = self.requests.clone();
        let mut remove = cmd("ZREM");
        remove.arg(self.keys.servers().leases).arg(u32::from(server));
        self.answer(remove.query_async(&mut connection)).await.map(drop)
    }

    async fn subscribe(&self, room: &RoomName) -> Result<(), EngineError> {
        self.set_subscribed("SSUBSCRIBE", room).await
    }

    async fn unsubscribe(&self, room: &RoomName) -> Result<(), EngineError> {
        self.set_subscribed("SUNSUBSCRIBE", room).await
    }

    async fn open(
        &self,
        room: &RoomName,
        known: Option<Position>,
        founding: Option<Founding>,
    ) -> Result<Opened, EngineError> {
        let RoomKeys { head, journal, snapshot, .. } = self.keys.room(room);
        let mut script = scripts::OPEN.prepare_invoke();
        script.key(head).key(journal).key(snapshot);
        let (state, moment, lifetime) = match &founding {
            None => (String::new(), Duration::ZERO, ROOM_LIFETIME),
            Some(Founding { snapshot, moment, lifetime }) => (json(snapshot)?, *moment, *lifetime),
        };
        script.arg(known.map(entry_id).unwrap_or_default()).arg(state).arg(nonce()?);
        script.arg(in_milliseconds(lifetime)).arg(in_milliseconds(moment));
        let answer = self.execute(&script).await?;
        self.read(answers::opened(&answer))
    }

    async fn append(
        &self,
        room: &RoomName,
        known: Position,
        due: Option<Moment>,
        batch: &Batch,
    ) -> Result<Appended, EngineError> {
        let RoomKeys { head, journal, channel, .. } = self.keys.room(room);
        let nonce = nonce()?;
        let mut script = scripts::APPEND.prepare_invoke();
        script.key(head).key(journal);
        script.arg(entry_id(known)).arg(due.map(in_milliseconds).unwrap_or_default());
        script.arg(nonce).arg(channel).arg(json(batch)?);
        let answer = self.execute(&script).await?;
        self.read(answers::appended(&answer, nonce))
    }

    async fn save_snapshot(
        &self,
        room: &RoomName,
        EntryTime { position, moment }: EntryTime,
        state: &RoomSnapshot,
    ) -> Result<(), EngineError> {
        let RoomKeys { head, journal, snapshot, .. } = self.keys.room(room);
        let mut script = scripts::SNAPSHOT.prepare_invoke();
        script.key(head).key(journal).key(snapshot);
        script.arg(position.number).arg(position.nonce).arg(in_milliseconds(moment));
        script.arg(json(state)?).arg(MOST_OLDER_ENTRIES);
        self.execute(&script).await.map(drop)
    }

    async fn next_entry(&self) -> Option<PublishedEntry> {
        loop {
            let Message { channel, payload } = tokio::select! {
                biased;
                () = self.over.cancelled() => return None,
                message = self.arrived.next() => message?,
            };
            // Nothing else is subscribed to.
            let Some(room) = self.keys.room_of_channel(&channel) else { continue };
            match answers::published(&payload) {
                Ok((previous_nonce, entry)) => {
                    return Some(PublishedEntry { room, previous_nonce, entry });
                }
                Err(error) => {
                    tracing::error!(%error, "an entry of a room can't be read");
                    self.over.cancel();
                }
            }
        }
    }
}

/// Asks whether the listening connection still is one, until the link is over.
async fn ping(mut connection: MultiplexedConnection, over: CancellationToken) {
    let mut ticks = interval(PING_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let answer: Result<Value, _> = cmd("PING").query_async(&mut connection).await;
        if let Err(error) = answer {
            tracing::debug!(%error, "the listening connection to the engine is over");
            over.cancel();
            return;
        }
    }
}

/// An error that the engine has sent is told apart from a connection that is over.
fn engine_error(error: &RedisError) -> EngineError {
    if let Some(code) = error.code() {
        return EngineError::Refused(format!("{code} {}", error.detail().unwrap_or_default()));
    }
    tracing::debug!(%error, "the link to the engine is over");
    EngineError::LinkOver
}

/// As the journal's stream names an entry.
fn entry_id(Position { number, nonce }: Position) -> String {
    format!("{number}-{nonce}")
}

/// The random part of an entry's name. Not of all 64 bits: the entries after the largest id have no range.
fn nonce() -> Result<u64, EngineError> {
    let random = getrandom::u64().map_err(|error| EngineError::Refused(error.to_string()))?;
    Ok(random >> 2)
}

fn json(value: &impl Serialize) -> Result<String, EngineError> {
    serde_json::to_string(value).map_err(|error| EngineError::Refused(error.to_string()))
}

fn in_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
