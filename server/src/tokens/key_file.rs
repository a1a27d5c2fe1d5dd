//! The file of a key: where it is, and reading it.

use std::{fs, io, path::PathBuf};

use super::key::{Algorithm, KeyContentError, KeyId, TokenKey};
use crate::storage::secret_file::{self, ExposedError, SecretFileError};

/// Where a key is, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySource {
    /// Its name.
    pub id: KeyId,
    /// How tokens are signed with it.
    pub algorithm: Algorithm,
    /// Its file.
    pub file: PathBuf,
    /// The only issuer of its tokens, if there is one.
    pub issuer: Option<String>,
    /// The audience that its tokens have to name; without it they may name none.
    pub audience: Option<String>,
}

/// An error with the file of a key.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    /// It can't be read.
    #[error("the file of the token key {id}, {}, can't be read: {source}", path.display())]
    File {
        /// The key.
        id: KeyId,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It has no such key.
    #[error("the file of the token key {id}, {}, has no key: {source}", path.display())]
    Content {
        /// The key.
        id: KeyId,
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyContentError,
    },
    /// Others have access to a secret.
    #[error(transparent)]
    Exposed(#[from] ExposedError),
}

impl TokenKeyError {
    /// Whether there is no file any more: somebody has removed the key.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl KeySource {
    /// Reads the key. A secret that all users can read is refused; a public key is for everybody.
    pub(super) fn read(&self) -> Result<TokenKey, TokenKeyError> {
        let Self { id, algorithm, file, issuer, audience } = self;
        let unreadable =
            |source| TokenKeyError::File { id: id.clone(), path: file.clone(), source };
        let content = match algorithm {
            Algorithm::Hs256 => secret_file::read_given("file in [[token-keys]]", file).map_err(
                |error| match error {
                    SecretFileError::Unreadable(source) => unreadable(source),
                    SecretFileError::Exposed(exposed) => exposed.into(),
                },
            )?,
            Algorithm::EdDsa => fs::read(file).map_err(unreadable)?,
        };
        let key = TokenKey::parse(id.clone(), *algorithm, &content).map_err(|source| {
            TokenKeyError::Content { id: id.clone(), path: file.clone(), source }
        })?;
        Ok(key.for_parties(issuer.clone(), audience.clone()))
    }
}
