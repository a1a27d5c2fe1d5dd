//! A certificate and its key, in files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_rustls::rustls::{
    self,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    sign::CertifiedKey,
};

/// The setting that names the certificate's file.
pub const CERTIFICATE_SETTING: &str = "tls-certificate";

/// The setting that names the key's file.
pub const KEY_SETTING: &str = "tls-key";

/// Where a certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate in PEM, with those between it and one that browsers know.
    pub certificate: PathBuf,
    /// The certificate's key in PEM.
    pub key: PathBuf,
}

/// What is wrong with the files of TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("{}, which {setting} names, can't be read: {source}.", path.display())]
    File {
        /// The setting that names it.
        setting: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{}, which {setting} names, holds no {wanted} in PEM: {source}.", path.display())]
    Content {
        /// The setting that names it.
        setting: &'static str,
        /// Which file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
        /// What is wrong with what it holds.
        source: pem::Error,
    },
    /// The two files don't belong together, or can't be used.
    #[error("{CERTIFICATE_SETTING} ({}) and {KEY_SETTING} ({}) can't be used together: {source}.", files.certificate.display(), files.key.display())]
    Pair {
        /// The two.
        files: TlsFiles,
        /// Why.
        source: rustls::Error,
    },
    /// TLS itself can't begin.
    #[error("TLS can't be spoken: {0}.")]
    Start(#[from] rustls::Error),
}

impl TlsFiles {
    /// What they hold, if both belong together.
    pub(super) fn read(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        let (setting, path) = (CERTIFICATE_SETTING, &self.certificate);
        let wrong = |source| {
            let (path, wanted) = (path.clone(), "certificate");
            TlsError::Content { setting, path, wanted, source }
        };
        let text = content(setting, path)?;
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(wrong)?;
        if chain.is_empty() {
            return Err(wrong(pem::Error::NoItemsFound));
        }
        let (setting, path) = (KEY_SETTING, &self.key);
        let key = PrivateKeyDer::from_pem_slice(&content(setting, path)?).map_err(|source| {
            let wanted = "private key without a password";
            TlsError::Content { setting, path: path.clone(), wanted, source }
        })?;
        warn_where_others_may_read(path);
        CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map(Arc::new)
            .map_err(|source| TlsError::Pair { files: self.clone(), source })
    }
}

fn content(setting: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File { setting, path: path.to_owned(), source })
}

/// Whoever reads the key can pass for this site. A group may be meant to: the proxy's, for one.
fn warn_where_others_may_read(key: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if key.metadata().is_ok_and(|file| file.permissions().mode() & 0o007 != 0) {
            tracing::warn!(
                "Everybody on this machine may read or change {}, which {KEY_SETTING} names: chmod o= it.",
                key.display()
            );
        }
    }
    #[cfg(not(unix))]
    let _ = key;
}
