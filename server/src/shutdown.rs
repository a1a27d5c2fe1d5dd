//! Going down: who is told, and who is waited for.

use std::{future::Future, io, time::Duration};

use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// How long sockets may take to say goodbye, and requests to end, once the server goes down.
pub const DEADLINE: Duration = Duration::from_secs(3);

/// Tells everyone that the server goes down, and knows who has not gone yet.
///
/// axum's own graceful shutdown knows nothing of upgraded sockets, hence this.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    closing: CancellationToken,
    sockets: TaskTracker,
}

impl Shutdown {
    /// The server goes down.
    pub fn begin(&self) {
        self.closing.cancel();
    }

    /// Cancelled when the server goes down.
    pub fn closing(&self) -> CancellationToken {
        self.closing.clone()
    }

    /// A socket, which is waited for until this is dropped.
    pub fn socket(&self) -> TaskTrackerToken {
        self.sockets.token()
    }

    /// Waits until every socket has said goodbye.
    pub async fn sockets_ended(&self) {
        self.sockets.close();
        self.sockets.wait().await;
    }
}

/// Hears Ctrl-C and, on Unix, SIGTERM from now on; what is returned is ready when one came.
pub fn listen_for_signals() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
