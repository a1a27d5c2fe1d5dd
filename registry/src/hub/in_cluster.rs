//! The rooms of a server in a cluster.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use app::presence::RoomName;
use tokio::sync::oneshot;

use super::{Hub, HubClocks, HubLimits, shared_room::SharedRoom};
use crate::{
    presence::server_id::ServerId,
    replication::handle::{ClusterHandle, ClusterRequest, NotOpenedError, OpenMode, OpenRequest},
    wake::wake_flags::WakeReasons,
};

impl Hub {
    /// A hub of a server in a cluster, whose rooms are kept by an engine. [`cluster`](crate::cluster) connects it.
    pub fn in_cluster(
        limits: impl Into<HubLimits>,
        cluster: ClusterHandle,
        clocks: impl Into<HubClocks>,
    ) -> Arc<Self> {
        let hub = Self::with(limits.into(), clocks.into(), Some(Arc::new(cluster)));
        hub.start_clock();
        hub
    }

    /// Waits until this server knows a room. A server alone knows all of its rooms.
    pub async fn open(&self, room_name: &RoomName, mode: OpenMode) -> Result<(), NotOpenedError> {
        let Some(cluster) = &self.context.cluster else { return Ok(()) };
        if self.find(room_name).is_some_and(|room| room.is_open()) {
            return Ok(());
        }
        let (done, opened) = oneshot::channel();
        let request = OpenRequest { room: room_name.clone(), mode, done: Some(done) };
        cluster.request(ClusterRequest::Open(request));
        opened.await.unwrap_or(Err(NotOpenedError::NoEngine))
    }

    /// This server leaves its cluster: nobody is shown as gone for it, and the clients have their grace period to
    /// come to another server. Done at once for a server alone.
    pub async fn leave_cluster(&self) {
        let Some(cluster) = &self.context.cluster else { return };
        self.is_closing.store(true, Ordering::Release);
        let (done, left) = oneshot::channel();
        cluster.request(ClusterRequest::Leave(done));
        // Without an engine the others find out by themselves.
        let _ = left.await;
    }

    /// Whether this server has a list of the room, perhaps an old one. A server alone knows all of its rooms.
    pub fn is_known(&self, room_name: &RoomName) -> bool {
        self.context.cluster.is_none()
            || self.find(room_name).is_some_and(|room| {
                room.read_replica(|replica, _| replica.position()).flatten().is_some()
            })
    }

    /// How long this server has not heard its engine; `None` for a server alone, and before the first word.
    pub fn engine_silence(&self) -> Option<Duration> {
        self.context.cluster.as_ref()?.silence()
    }

    /// Has every reader say how old its list is, or that it no longer is.
    pub(crate) fn tell_freshness(&self) {
        for (_, room, _) in self.rooms_by_name() {
            room.subscribers().notify_all(WakeReasons::FRESHNESS);
        }
    }

    /// The present id of this server; `None` for a server alone.
    pub fn server_id(&self) -> Option<ServerId> {
        self.context.cluster.as_ref().map(|cluster| cluster.server())
    }

    /// The servers that are in a room, in the order of their ids.
    pub fn servers_in(&self, room_name: &RoomName) -> Vec<ServerId> {
        let servers = self
            .find(room_name)
            .and_then(|room| room.read_replica(|_, room| room.servers().iter().collect()));
        servers.unwrap_or_default()
    }

    /// What this server knows of its cluster; `None` for a server alone.
    pub fn cluster(&self) -> Option<&Arc<ClusterHandle>> {
        self.context.cluster.as_ref()
    }

    /// A room of the cluster, which is to be opened.
    pub(crate) fn room_to_open(&self, room_name: &RoomName) -> Arc<SharedRoom> {
        self.lock().add_vacant(room_name, || self.new_room(room_name))
    }

    /// Forgets a room that this server has left, unless somebody has entered it. Returns whether it is forgotten.
    pub(crate) fn forget_unless_entered(&self, room_name: &RoomName) -> bool {
        let mut rooms = self.lock();
        match rooms.vacant_room(room_name) {
            Some(vacant) => rooms.remove(&vacant),
            None => rooms.get(room_name).is_none(),
        }
    }
}
