//! Where the rooms are kept: by this server alone, or by an engine together with other servers.

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    admission::Admission,
    cluster::{ClusterEndedError, ClusterMember},
    config::cluster::Readiness,
    lifecycle::graceful_shutdown::Drain,
    processor_time,
    storage::{rooms_file::RoomsFile, rooms_saver::RoomsSaver},
};
use registry::hub::{Hub, HubClocks, HubLimits, ProcessorClock, WallClock};

/// How often memory of ended rooms and clients is freed.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(5);

/// How long the end waits for the last save: a disk may block.
const LAST_SAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// The clocks of the rooms.
pub(crate) fn hub_clocks() -> HubClocks {
    // Elsewhere no thread's time can be read.
    let processor = if cfg!(unix) {
        ProcessorClock::OfThread(processor_time::of_this_thread)
    } else {
        ProcessorClock::Unknown
    };
    HubClocks { wall: WallClock::System, processor }
}

/// Where the rooms are kept.
pub(crate) enum RoomsBackend {
    /// This server alone, which saves them for the next process.
    ThisServer(Arc<RoomsSaver>),
    /// An engine, together with other servers.
    Cluster(ClusterMember),
}

impl RoomsBackend {
    /// With the rooms of the cluster, or with those that the last process of this server saved. No time passes in
    /// the latter yet.
    pub(crate) fn start(
        cluster: Option<ClusterMember>,
        state_directory: &Path,
        limits: HubLimits,
    ) -> (Self, Arc<Hub>) {
        let rooms_file = RoomsFile::in_directory(state_directory);
        if let Some(member) = cluster {
            rooms_file.warn_if_it_exists();
            let hub = Arc::clone(member.hub());
            return (Self::Cluster(member), hub);
        }
        let (saver, rooms) = RoomsSaver::take_over(rooms_file);
        let hub = match rooms {
            Some(rooms) => Hub::restore_by_clocks(limits, rooms, hub_clocks()),
            None => Hub::by_clocks(limits, hub_clocks()),
        };
        (Self::ThisServer(Arc::new(saver)), hub)
    }

    /// An engine that a server alone does not need is never missing.
    pub(crate) fn readiness(&self) -> Readiness {
        match self {
            Self::ThisServer(_) => Readiness::WithoutEngine,
            Self::Cluster(member) => member.readiness(),
        }
    }

    /// Saves the rooms until the server shuts down, if this server keeps them.
    pub(crate) fn saving(
        &self,
        hub: Arc<Hub>,
        closing: CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'static {
        let saver = match self {
            Self::ThisServer(saver) => Some(Arc::clone(saver)),
            Self::Cluster(_) => None,
        };
        async move {
            if let Some(saver) = saver {
                saver.run(hub, closing).await;
            }
        }
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
    pub(crate) async fn close(self, hub: &Hub, drain: &Drain, saving: JoinHandle<()>) {
        match self {
            Self::ThisServer(saver) => {
                let rooms = hub.freeze();
                drain.close_all();
                let last_save = async {
                    // An earlier state must not be written after this one.
                    let _ = saving.await;
                    saver.save_last(rooms).await
                };
                report(timeout(LAST_SAVE_TIMEOUT, last_save).await.unwrap_or(false));
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

/// Frees memory of ended rooms and clients at intervals, until the server shuts down.
pub(crate) async fn run_maintenance(
    hub: Arc<Hub>,
    admission: Arc<Admission>,
    closing: CancellationToken,
) {
    let sweep_hub = sweep_until(closing.clone(), move || hub.sweep());
    tokio::join!(sweep_hub, sweep_until(closing, move || admission.sweep()));
}

/// On threads of its own, as it takes long with many rooms. A panic, which is logged, does not end all later ones.
async fn sweep_until(closing: CancellationToken, sweep: impl Fn() + Send + Sync + 'static) {
    let sweep = Arc::new(sweep);
    while closing.run_until_cancelled(sleep(MAINTENANCE_INTERVAL)).await.is_some() {
        let sweep = Arc::clone(&sweep);
        let _ = spawn_blocking(move || sweep()).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sweep_that_panics_is_not_the_last_one() {
        let closing = CancellationToken::new();
        let (tell, told) = channel();
        let sweeping = tokio::spawn(sweep_until(closing.clone(), move || {
            let _ = tell.send(());
            panic!("a fault of a sweep");
        }));
        let told = spawn_blocking(move || told.iter().take(3).count());
        // The paused clock does not advance by itself while a thread waits.
        while !told.is_finished() && !sweeping.is_finished() {
            tokio::time::advance(MAINTENANCE_INTERVAL).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(told.await.unwrap(), 3);
        closing.cancel();
        sweeping.await.unwrap();
    }
}
