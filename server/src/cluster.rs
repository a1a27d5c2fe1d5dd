//! Taking part in a cluster: from the settings to a task that connects the rooms to the engine.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use registry::{
    cluster::node::{self, ClusterError, JoinError, NodeConfig},
    hub::{Hub, HubLimits},
    presence::server_id::ServerId,
    replication::{
        engine::{Engine, EngineError, SharedConfig},
        handle::ClusterHandle,
    },
};

use crate::{
    cluster_redis::{EngineFileError, RedisEngine},
    config::{
        cluster::{ClusterConfig, Readiness},
        value::Value,
    },
    rooms_backend::hub_clocks,
};

/// The pause between two attempts to reach the engine at the start.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// How long a shutdown waits for the engine to be told. Without it the others find out by themselves.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// This server among others.
#[derive(Debug)]
pub struct ClusterMember {
    hub: Arc<Hub>,
    node: JoinHandle<Result<(), ClusterError>>,
    readiness: Readiness,
}

/// Why a server can't take part in its cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterStartError {
    /// A file of the settings is no use.
    #[error(transparent)]
    File(#[from] EngineFileError),
    /// The engine can't be reached, or not yet.
    #[error(
        "Can't connect to cluster-engine {address}: {reason}. Check that it runs and that the address is right, or set cluster-wait to wait for it."
    )]
    Unreachable {
        /// The addresses in the settings.
        address: String,
        /// What the client says.
        reason: EngineError,
    },
    /// Somebody has to change the configuration.
    #[error(
        "Can't use cluster-engine {address}: {reason}. Check cluster-user, cluster-password-file, cluster-sentinel and the engine's version and access control list."
    )]
    Misconfigured {
        /// The addresses in the settings.
        address: String,
        /// What the client says.
        reason: EngineError,
    },
    /// The other servers have another key.
    #[error(
        "The other servers of this cluster sign cookies with another key (theirs has the fingerprint {theirs}, this one's has {ours}): set person-key-file to the same key on all of them, or choose another cluster-prefix."
    )]
    OtherKey {
        /// Its fingerprint.
        theirs: String,
        /// That of this server's key.
        ours: String,
    },
    /// The other servers have another lease.
    #[error(
        "The other servers of this cluster have cluster-lease {theirs}, this one has {ours}: set it to the same value on all of them."
    )]
    OtherLease {
        /// Theirs.
        theirs: String,
        /// This server's.
        ours: String,
    },
    /// The other servers are reached by another scheme.
    #[error(
        "Visitors reach the other servers of this cluster by {theirs}, this one by {ours}: set public-url to the same address on all of them."
    )]
    OtherScheme {
        /// Theirs.
        theirs: String,
        /// This server's.
        ours: String,
    },
    /// The system provides no random numbers.
    #[error("The system provides no random numbers for the id of this server: {0}.")]
    Randomness(#[from] getrandom::Error),
}

impl ClusterStartError {
    /// Whether the same start may succeed later, without a change of the settings.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

impl ClusterMember {
    /// Connects to the engine, and takes a lease. Nothing has begun if it fails.
    pub async fn join(
        config: &ClusterConfig,
        limits: impl Into<HubLimits>,
        shared: SharedConfig,
    ) -> Result<Self, ClusterStartError> {
        let limits = limits.into();
        let engine = RedisEngine::new(&config.engine)?;
        // If it is taken, the node draws another one.
        let server = ServerId::draw(getrandom::u32)?;
        let addresses = config.engine.addresses.iter().map(ToString::to_string);
        let address = addresses.collect::<Vec<_>>().join(",");
        let deadline = Instant::now() + config.wait;
        let mut is_told = false;
        loop {
            let failed = match Self::try_to_join(&engine, server, limits, shared.clone()).await {
                Ok((hub, node)) => return Ok(Self { hub, node, readiness: config.readiness }),
                Err(failed) => failed,
            };
            match failed {
                JoinError::Refused(ClusterError::Mismatch(theirs)) => {
                    return Err(mismatch(theirs, shared));
                }
                JoinError::Engine(reason @ EngineError::Misconfigured(_)) => {
                    return Err(ClusterStartError::Misconfigured { address, reason });
                }
                JoinError::Engine(reason) if deadline <= Instant::now() => {
                    return Err(ClusterStartError::Unreachable { address, reason });
                }
                JoinError::Engine(reason) => {
                    if !std::mem::replace(&mut is_told, true) {
                        tracing::warn!(%reason, "waiting for the engine");
                    }
                    sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    async fn try_to_join(
        engine: &RedisEngine,
        server: ServerId,
        limits: HubLimits,
        shared: SharedConfig,
    ) -> Result<(Arc<Hub>, JoinHandle<Result<(), ClusterError>>), JoinError> {
        let link = engine.connect().await.map_err(JoinError::Engine)?;
        let (handle, requests) = ClusterHandle::new(server, limits.room);
        let hub = Hub::in_cluster(limits, handle, hub_clocks());
        let config = NodeConfig::new(shared);
        let member = node::join(engine.clone(), link, Arc::clone(&hub), requests, config).await?;
        Ok((hub, tokio::spawn(member.run())))
    }

    /// The rooms.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Whether it is ready while the engine is silent.
    pub fn readiness(&self) -> Readiness {
        self.readiness
    }

    /// Waits until this server may no longer take part.
    pub async fn ended(&mut self) -> ClusterEndedError {
        match (&mut self.node).await {
            Ok(Err(error)) => ClusterEndedError::Refused(error),
            Ok(Ok(())) | Err(_) => ClusterEndedError::Stopped,
        }
    }

    /// Leaves the cluster: the clients have their grace period to come to another server.
    pub async fn leave(self) {
        if timeout(LEAVE_TIMEOUT, self.hub.leave_cluster()).await.is_err() {
            tracing::warn!(
                "the engine was not told of the shutdown: people are shown as reconnecting until they are on another server"
            );
        }
        self.node.abort();
    }
}

/// Why a server that took part no longer does.
#[derive(Debug, thiserror::Error)]
pub enum ClusterEndedError {
    /// It may not.
    #[error(
        "This server can no longer take part in its cluster: {0}. Compare the settings of all servers."
    )]
    Refused(ClusterError),
    /// Its task failed.
    #[error("The task that connects this server to its cluster has failed.")]
    Stopped,
}

fn mismatch(theirs: SharedConfig, ours: SharedConfig) -> ClusterStartError {
    let text = |lease: Duration| lease.format().unwrap_or_default();
    if theirs.key != ours.key {
        ClusterStartError::OtherKey { theirs: theirs.key, ours: ours.key }
    } else if theirs.lease != ours.lease {
        ClusterStartError::OtherLease { theirs: text(theirs.lease), ours: text(ours.lease) }
    } else {
        ClusterStartError::OtherScheme { theirs: theirs.scheme, ours: ours.scheme }
    }
}
