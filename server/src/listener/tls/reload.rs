//! Reloading the certificate: it expires within weeks, and the server runs for months.

use std::time::Duration;

use tokio::{task::spawn_blocking, time::timeout};

use super::Tls;

/// How long reading the files may take. A file system may block, and a pipe waits for somebody who writes to it.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Loads the certificate again, and logs the outcome.
pub async fn reload_certificate(tls: Option<&Tls>) {
    let Some(tls) = tls.cloned() else {
        tracing::info!("SIGHUP has no effect: there is no certificate to reload");
        return;
    };
    match timeout(RELOAD_TIMEOUT, spawn_blocking(move || tls.reload())).await {
        Ok(Ok(Ok(()))) => tracing::info!("certificate reloaded"),
        Ok(Ok(Err(error))) => tracing::error!("{error} The old certificate stays in use."),
        Ok(Err(error)) => tracing::error!(%error, "certificate reload failed"),
        Err(_) => tracing::error!(
            "The certificate's files could not be read within 10 s. The old certificate stays in use."
        ),
    }
}
