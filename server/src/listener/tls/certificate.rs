//! The files with the certificate and its key.

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

use crate::storage::secret_file::{self, ExposedError, SecretFileError};

/// The setting that names the certificate's file.
pub const CERTIFICATE_SETTING: &str = "tls-certificate";

/// The setting that names the key's file.
pub const KEY_SETTING: &str = "tls-key";

/// The paths of a certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the certificate and its intermediates.
    pub certificate: PathBuf,
    /// PEM: the certificate's private key.
    pub key: PathBuf,
}

/// An error in the TLS files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("{}, which is set as {setting}, can't be read: {source}.", path.display())]
    File {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file has the wrong content.
    #[error("{}, which is set as {setting}, contains no {expected} in PEM: {source}.", path.display())]
    Content {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should contain.
        expected: &'static str,
        /// The parser's error.
        source: pem::Error,
    },
    /// The two files don't match, or can't be used.
    #[error("{CERTIFICATE_SETTING} ({}) and {KEY_SETTING} ({}) can't be used together: {source}.", files.certificate.display(), files.key.display())]
    Pair {
        /// The two files.
        files: TlsFiles,
        /// rustls' error.
        source: rustls::Error,
    },
    /// Others have access to the key.
    #[error(transparent)]
    Exposed(#[from] ExposedError),
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}.")]
    Start(#[from] rustls::Error),
}

impl TlsFiles {
    /// Reads both, and checks that they match.
    pub(super) fn read(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        let (setting, path) = (CERTIFICATE_SETTING, &self.certificate);
        let content_error = |source| {
            let (path, expected) = (path.clone(), "certificate");
            TlsError::Content { setting, path, expected, source }
        };
        let text = content(setting, path)?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<_, _>>()
            .map_err(content_error)?;
        if chain.is_empty() {
            return Err(content_error(pem::Error::NoItemsFound));
        }
        let (setting, path) = (KEY_SETTING, &self.key);
        let key = secret(setting, path)?;
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|source| {
            let expected = "private key without a password";
            TlsError::Content { setting, path: path.clone(), expected, source }
        })?;
        CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map(Arc::new)
            .map_err(|source| TlsError::Pair { files: self.clone(), source })
    }
}

fn content(setting: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File { setting, path: path.to_owned(), source })
}

/// The key lets its reader impersonate this site.
fn secret(setting: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    secret_file::read_given(setting, path).map_err(|error| match error {
        SecretFileError::Unreadable(source) => {
            TlsError::File { setting, path: path.to_owned(), source }
        }
        SecretFileError::Exposed(exposed) => exposed.into(),
    })
}
