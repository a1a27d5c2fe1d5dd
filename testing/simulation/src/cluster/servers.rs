//! The servers of a cluster: their start, and each of their ends.

use std::sync::Arc;

use fastrand::Rng;
use registry::{
    cluster::{
        memory::MemoryEngine,
        node::{self, NodeConfig},
    },
    hub::{Hub, HubClocks},
    presence::{room::RoomLimits, server_id::ServerId},
    replication::{engine::SharedConfig, handle::ClusterHandle},
};
use tokio::{task::AbortHandle, time::Duration};

use super::gate::Gate;

/// A process.
pub(super) struct Server {
    pub(super) hub: Arc<Hub>,
    pub(super) gate: Gate,
    /// Its id since it was heard first: a cut may hide from it that the engine has taken the one before.
    pub(super) first: Option<ServerId>,
    node: AbortHandle,
}

impl Server {
    pub(super) fn start(
        engine: &MemoryEngine,
        client: usize,
        limits: RoomLimits,
        clocks: HubClocks,
        rng: &mut Rng,
    ) -> Self {
        let first = loop {
            if let Ok(server) = ServerId::try_from(rng.u32(..)) {
                break server;
            }
        };
        let (cluster, requests) = ClusterHandle::new(first, limits);
        let hub = Hub::in_cluster(limits, cluster, clocks);
        let mut own = rng.fork();
        let shared = SharedConfig {
            key: "key".to_owned(),
            lease: Duration::from_secs(2),
            scheme: "https".to_owned(),
        };
        let config = NodeConfig { shared, random: Box::new(move || own.u64(..)) };
        let gate = Gate::default();
        let node = node::run(engine.for_client(client), Arc::clone(&hub), requests, config);
        let node = tokio::spawn(gate.clone().hold(node)).abort_handle();
        Self { hub, gate, first: None, node }
    }

    /// The process is gone at once.
    pub(super) fn kill(self) {
        self.node.abort();
    }
}
