//! Certificates last for weeks and the server for months: SIGHUP has it read the files anew.

use std::{convert::Infallible, io};

use tokio::task::spawn_blocking;

use super::Tls;

/// Reads the files of TLS anew at every SIGHUP.
#[derive(Debug)]
pub struct Renewal {
    tls: Tls,
    #[cfg(unix)]
    hangups: tokio::signal::unix::Signal,
}

impl Renewal {
    /// Hears the signal from now on; without this it would end the process.
    pub fn listen(tls: Tls) -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { tls, hangups: signal(SignalKind::hangup())? })
        }
        #[cfg(not(unix))]
        Ok(Self { tls })
    }

    /// Waits for signals, and does what they ask for.
    pub async fn go_on(mut self) -> Infallible {
        loop {
            self.next().await;
            let tls = self.tls.clone();
            let renewed = spawn_blocking(move || tls.renew()).await;
            match renewed {
                Ok(Ok(())) => tracing::info!("the certificate is read anew"),
                Ok(Err(fault)) => tracing::error!("{fault} The certificate stays as it was."),
                Err(error) => tracing::error!(%error, "the certificate stays as it was"),
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
