//! The operator's token. It is in the state directory, so access to that makes an operator.

use std::{
    collections::BTreeSet,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use crate::storage::{
    private_file,
    secret_file::{self, ExposedError, SecretFileError},
};

/// The name of the token's file in the state directory.
const TOKEN_FILE: &str = "operator.token";

/// Of random letters and digits, 16 have about 80 bits.
const SHORTEST_TOKEN: usize = 16;

/// Sixteen random hexadecimal digits have about ten different ones.
const FEWEST_CHARACTERS: usize = 4;

/// The operator's token. Only its hash is in memory, so that the time of a comparison reveals nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminToken(Arc<[u8; 32]>);

impl fmt::Debug for AdminToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AdminToken(secret)")
    }
}

/// An error with the token's file.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It can't be read or created.
    #[error("The operator's token in {} can't be used: {source}. Set state-dir to a directory that the server can write to.", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It is empty, and would admit requests without a token.
    #[error("{} is empty. If you remove it, the server creates a new token.", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Somebody wrote it who did not take random numbers.
    #[error("The token in {} can be guessed: it needs at least {SHORTEST_TOKEN} characters, and {FEWEST_CHARACTERS} different ones. If you remove it, the server creates a new token.", path.display())]
    Guessable {
        /// The file.
        path: PathBuf,
    },
    /// Others have access to it.
    #[error(transparent)]
    Exposed(#[from] ExposedError),
    /// The system provides no random numbers.
    #[error("The system provides no random numbers for a token: {0}.")]
    Randomness(#[from] getrandom::Error),
}

impl AdminToken {
    /// The token in `state_directory`, created there (mode 0600) if there is none.
    pub fn from_state_directory(state_directory: &Path) -> Result<Self, TokenError> {
        let path = state_directory.join(TOKEN_FILE);
        let file_error = |source| TokenError::File { path: path.clone(), source };
        match secret_file::read_own(&path).map(|text| String::from_utf8_lossy(&text).into_owned()) {
            Ok(text) if text.trim().is_empty() => Err(TokenError::Empty { path }),
            Ok(text) if is_guessable(text.trim()) => Err(TokenError::Guessable { path }),
            Ok(text) => Ok(Self::of(text.trim())),
            Err(SecretFileError::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound => {
                let mut secret = [0; 24];
                getrandom::fill(&mut secret)?;
                let token = crate::hex::hex(&secret);
                private_file::create_directory(state_directory).map_err(file_error)?;
                private_file::write(&path, format!("{token}\n").as_bytes()).map_err(file_error)?;
                Ok(Self::of(&token))
            }
            Err(SecretFileError::Unreadable(source)) => Err(file_error(source)),
            Err(SecretFileError::Exposed(exposed)) => Err(exposed.into()),
        }
    }

    /// Whether [`AdminToken::from_state_directory`] would succeed; creates nothing.
    pub fn check_state_directory(state_directory: &Path) -> Result<(), TokenError> {
        let path = state_directory.join(TOKEN_FILE);
        if path.exists() {
            return Self::from_state_directory(state_directory).map(drop);
        }
        private_file::check_creatable(state_directory)
            .map_err(|source| TokenError::File { path, source })
    }

    /// A token from its text.
    pub fn of(token: &str) -> Self {
        Self(Arc::new(Sha256::digest(token).into()))
    }

    /// Whether this is the token.
    pub(super) fn is(&self, token: &str) -> bool {
        Self::of(token) == *self
    }
}

/// Whether a token was obviously not made of random numbers.
fn is_guessable(token: &str) -> bool {
    let different: BTreeSet<char> = token.chars().collect();
    token.chars().count() < SHORTEST_TOKEN || different.len() < FEWEST_CHARACTERS
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_token_is_created_once_and_kept_secret() {
        let directory = tempfile::tempdir().unwrap();
        let created = AdminToken::from_state_directory(directory.path()).unwrap();
        assert_eq!(AdminToken::from_state_directory(directory.path()).unwrap(), created);
        let path = directory.path().join(TOKEN_FILE);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.trim().len(), 48);
        assert_eq!(AdminToken::of(text.trim()), created);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, "\n").unwrap();
        let error = AdminToken::from_state_directory(directory.path());
        assert!(matches!(error, Err(TokenError::Empty { .. })));
        for guessable in
            ["a", "123456789012345", "aaaaaaaaaaaaaaaaaaaaaaaa", "abababababababababab"]
        {
            fs::write(&path, guessable).unwrap();
            let error = AdminToken::from_state_directory(directory.path()).unwrap_err();
            assert!(matches!(error, TokenError::Guessable { .. }), "{guessable}: {error}");
        }
        fs::write(&path, "correct-horse-battery").unwrap();
        let own = AdminToken::from_state_directory(directory.path()).unwrap();
        assert_eq!(own, AdminToken::of("correct-horse-battery"));
    }

    #[test]
    fn any_other_token_is_refused() {
        let token = AdminToken::of("abc");
        assert!(token.is("abc"));
        for other in ["ab", "abcd", "ABC", ""] {
            assert!(!token.is(other), "{other}");
        }
    }
}
