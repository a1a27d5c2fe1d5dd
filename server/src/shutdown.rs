//! Going down: who is told, and who is waited for.

use std::{future::Future, io, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

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

    /// The socket's task, which is waited for.
    pub fn track<F: Future>(&self, socket: F) -> impl Future<Output = F::Output> + use<F> {
        self.sockets.track_future(socket)
    }

    /// Waits until every socket has said goodbye.
    pub async fn sockets_ended(&self) {
        self.sockets.close();
        self.sockets.wait().await;
    }
}

/// Waits for Ctrl-C or, on Unix, SIGTERM.
pub async fn signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
