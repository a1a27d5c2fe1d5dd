//! The token that proves an operator: whoever can read the state directory is the operator.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::storage::private_file;

/// The token's file in the state directory.
const TOKEN_FILE: &str = "operator.token";

/// What proves an operator. Only its hash is kept in memory, so that comparing tells no part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminToken(Arc<[u8; 32]>);

impl fmt::Debug for AdminToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OperatorToken(secret)")
    }
}

/// What is wrong with the token's file.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It can't be read or made.
    #[error("The operator's token in {} can't be used: {source}. Name a folder that the server may write to as state-dir.", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Anybody would be the operator.
    #[error("{} is empty. Remove it, and the server makes a new one.", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("The system gives no random numbers for a token: {0}.")]
    Randomness(#[from] getrandom::Error),
}

impl AdminToken {
    /// The one that is kept in `state_directory`, made there (mode 0600) if there is none.
    pub fn from_state_directory(state_directory: &Path) -> Result<Self, TokenError> {
        let path = state_directory.join(TOKEN_FILE);
        let file_fault = |source| TokenError::File { path: path.clone(), source };
        match fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => Err(TokenError::Empty { path }),
            Ok(text) => Ok(Self::of(text.trim())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut secret = [0; 24];
                getrandom::fill(&mut secret)?;
                let token = crate::hex::hex(&secret);
                fs::create_dir_all(state_directory).map_err(file_fault)?;
                private_file::write(&path, format!("{token}\n").as_bytes()).map_err(file_fault)?;
                Ok(Self::of(&token))
            }
            Err(source) => Err(file_fault(source)),
        }
    }

    /// The token that is written like this.
    pub fn of(token: &str) -> Self {
        Self(Arc::new(Sha256::digest(token).into()))
    }

    /// Whether a request brings it, as `Authorization: Bearer TOKEN` (RFC 6750, section 2.1).
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| value.strip_prefix("Bearer "));
        token.is_some_and(|token| Self::of(token.trim()) == *self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_made_once_and_kept_to_oneself() {
        let directory = tempfile::tempdir().unwrap();
        let made = AdminToken::from_state_directory(directory.path()).unwrap();
        assert_eq!(AdminToken::from_state_directory(directory.path()).unwrap(), made);
        let path = directory.path().join(TOKEN_FILE);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.trim().len(), 48);
        assert_eq!(AdminToken::of(text.trim()), made);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, "\n").unwrap();
        let fault = AdminToken::from_state_directory(directory.path());
        assert!(matches!(fault, Err(TokenError::Empty { .. })));
    }

    #[test]
    fn only_the_very_token_is_taken() {
        let token = AdminToken::of("abc");
        let with =
            |value: &str| HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        assert!(token.is_in(&with("Bearer abc")));
        for value in ["abc", "Bearer ab", "Bearer abcd", "Bearer", "Basic abc", ""] {
            assert!(!token.is_in(&with(value)), "{value}");
        }
        assert!(!token.is_in(&HeaderMap::new()));
    }
}
