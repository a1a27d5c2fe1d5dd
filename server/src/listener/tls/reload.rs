//! Reloading the certificate: it expires within weeks, and the server runs for months.

use tokio::task::spawn_blocking;

use super::Tls;

/// Loads the certificate again, and logs the outcome.
pub async fn reload_certificate(tls: Option<&Tls>) {
    let Some(tls) = tls.cloned() else {
        tracing::info!("SIGHUP has no effect: there is no certificate to reload");
        return;
    };
    match spawn_blocking(move || tls.reload()).await {
        Ok(Ok(())) => tracing::info!("certificate reloaded"),
        Ok(Err(error)) => tracing::error!("{error} The old certificate stays in use."),
        Err(error) => tracing::error!(%error, "certificate reload failed"),
    }
}
