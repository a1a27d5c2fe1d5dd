//! Where the rooms are kept: by this server alone, or by an engine together with other servers.

use std::{future::Future, io, sync::Arc, time::Duration};

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{
    admission::Admission,
    cluster::{ClusterEndedError, ClusterMember},
    config::cluster::Readiness,
    lifecycle::graceful_shutdown::Drain,
    storage::rooms_file::RoomsFile,
    telemetry::metrics::METRICS,
};
use registry::hub::{Hub, HubLimits, SavedRooms};

/// How often memory of ended rooms and clients is freed, and the rooms file is written.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(5);

/// Where the rooms are kept.
pub(crate) enum RoomsBackend {
    /// This server alone, with a file for the next process.
    ThisServer(RoomsFile),
    /// An engine, together with other servers.
    Cluster(ClusterMember),
}

impl RoomsBackend {
    /// With the rooms of the cluster, or with a file for those of this server.
    pub(crate) fn new(cluster: Option<ClusterMember>, rooms_file: RoomsFile) -> Self {
        match cluster {
            Some(member) => {
                rooms_file.warn_if_it_exists();
                Self::Cluster(member)
            }
            None => Self::ThisServer(rooms_file),
        }
    }

    /// The rooms. Those of a server alone are as the last process saved them, and no time passes in them yet.
    pub(crate) fn hub(&self, limits: HubLimits) -> Arc<Hub> {
        match self {
            Self::Cluster(member) => Arc::clone(member.hub()),
            // Removed before the first visitor is served, so that no process restores them twice.
            Self::ThisServer(rooms_file) => match rooms_file.load_and_remove() {
                Some(saved) => Hub::restore(limits, saved),
                None => Hub::new(limits),
            },
        }
    }

    /// An engine that a server alone does not need is never missing.
    pub(crate) fn readiness(&self) -> Readiness {
        match self {
            Self::ThisServer(_) => Readiness::WithoutEngine,
            Self::Cluster(member) => member.readiness(),
        }
    }

    /// Frees memory and saves the rooms at intervals, until the server shuts down.
    pub(crate) fn maintenance(
        &self,
        hub: Arc<Hub>,
        admission: Arc<Admission>,
        closing: CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'static {
        let rooms_file = match self {
            Self::ThisServer(rooms_file) => Some(rooms_file.clone()),
            Self::Cluster(_) => None,
        };
        run_maintenance(hub, admission, rooms_file, closing)
    }

    /// Waits for the signal, or until this server can't go on.
    pub(crate) async fn until_it_ends(
        &mut self,
        signal: impl Future<Output = ()>,
    ) -> Option<ClusterEndedError> {
        match self {
            Self::ThisServer(_) => {
                signal.await;
                None
            }
            Self::Cluster(member) => tokio::select! {
                () = signal => None,
                error = member.ended() => {
                    tracing::error!(%error, "this server shuts down");
                    Some(error)
                }
            },
        }
    }

    /// Closes all sockets, so that nobody is shown as gone for it, and keeps the rooms.
    pub(crate) async fn close(self, hub: &Hub, drain: &Drain, maintenance: JoinHandle<()>) {
        match self {
            Self::ThisServer(rooms_file) => {
                let saved = hub.freeze();
                drain.close_all();
                // An earlier state must not be written after this one.
                let _ = maintenance.await;
                report(write(rooms_file, saved).await);
            }
            Self::Cluster(member) => {
                member.leave().await;
                drain.close_all();
            }
        }
    }
}

fn report(is_saved: bool) {
    if is_saved {
        tracing::info!("rooms saved for the next process");
    } else {
        tracing::error!(
            "the rooms were not saved: the next process starts with those of the last save, if there is one"
        );
    }
}

async fn run_maintenance(
    hub: Arc<Hub>,
    admission: Arc<Admission>,
    rooms_file: Option<RoomsFile>,
    closing: CancellationToken,
) {
    let mut last_written = None;
    while closing.run_until_cancelled(sleep(MAINTENANCE_INTERVAL)).await.is_some() {
        hub.sweep();
        admission.sweep();
        let Some(rooms_file) = &rooms_file else { continue };
        let saved = hub.save();
        // What could not be written is tried again, as a disk may have room again.
        if last_written.as_ref() != Some(&saved) && write(rooms_file.clone(), saved.clone()).await {
            last_written = Some(saved);
        }
    }
}

/// Whether the rooms file was written.
async fn write(rooms_file: RoomsFile, saved: SavedRooms) -> bool {
    let outcome = spawn_blocking(move || rooms_file.write(&saved)).await;
    METRICS.state_writes.count();
    match outcome.map_err(io::Error::other).and_then(|written| written) {
        Ok(()) => true,
        Err(error) => {
            METRICS.state_write_failures.count();
            tracing::warn!(%error, "the rooms file can't be written: a restart would lose the rooms");
            false
        }
    }
}
