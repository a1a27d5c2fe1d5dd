//! SIGHUP reloads the certificate: it expires within weeks, and the server runs for months.

use std::{convert::Infallible, io};

use tokio::task::spawn_blocking;

use super::Tls;

/// Reloads the certificate at every SIGHUP.
#[derive(Debug)]
pub struct CertificateReload {
    tls: Tls,
    #[cfg(unix)]
    hangups: tokio::signal::unix::Signal,
}

impl CertificateReload {
    /// Registers the signal's handler; without one SIGHUP would end the process.
    pub fn listen(tls: Tls) -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { tls, hangups: signal(SignalKind::hangup())? })
        }
        #[cfg(not(unix))]
        Ok(Self { tls })
    }

    /// Waits for signals and reloads.
    pub async fn run(mut self) -> Infallible {
        loop {
            self.next().await;
            let tls = self.tls.clone();
            let reloaded = spawn_blocking(move || tls.reload()).await;
            match reloaded {
                Ok(Ok(())) => tracing::info!("certificate reloaded"),
                Ok(Err(error)) => tracing::error!("{error} The old certificate stays in use."),
                Err(error) => tracing::error!(%error, "certificate reload failed"),
            }
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if self.hangups.recv().await.is_some() {
            return;
        }
        std::future::pending::<()>().await;
    }
}
