//! All keys of a server, which are read anew on SIGHUP.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{task::spawn_blocking, time::timeout};

use super::{
    key::TokenKey,
    key_file::{KeySource, TokenKeyError},
};

/// One that is in use, and the next one, for several host applications.
pub const MOST_KEYS: usize = 8;

/// How long reading the files may take: a file system may block.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The keys. Cloning is cheap, and all clones share what was read last.
#[derive(Clone, Debug, Default)]
pub struct TokenKeyring {
    sources: Arc<[KeySource]>,
    current: Arc<RwLock<Arc<[TokenKey]>>>,
}

impl TokenKeyring {
    /// Reads the keys.
    ///
    /// # Errors
    /// If a file is unreadable or invalid; the message names the key.
    pub fn read(sources: Vec<KeySource>) -> Result<Self, TokenKeyError> {
        let current = Arc::new(RwLock::new(read(&sources)?));
        Ok(Self { sources: sources.into(), current })
    }

    /// Whether no token can be valid.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Where the keys are.
    pub fn sources(&self) -> &[KeySource] {
        &self.sources
    }

    /// The keys as they were read last.
    pub(crate) fn current(&self) -> Arc<[TokenKey]> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads all keys again. On an error the old ones stay in use, all of them.
    fn reload(&self) -> Result<(), TokenKeyError> {
        let new = read(&self.sources)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }
}

fn read(sources: &[KeySource]) -> Result<Arc<[TokenKey]>, TokenKeyError> {
    sources.iter().map(KeySource::read).collect()
}

/// Reads the keys again, and logs the outcome.
pub async fn reload_token_keys(keyring: &TokenKeyring) {
    if keyring.is_empty() {
        return;
    }
    let keyring = keyring.clone();
    match timeout(RELOAD_TIMEOUT, spawn_blocking(move || keyring.reload())).await {
        Ok(Ok(Ok(()))) => tracing::info!("token keys reloaded"),
        Ok(Ok(Err(error))) => {
            tracing::error!(%error, "the token keys can't be read: the old ones stay in use");
        }
        Ok(Err(error)) => tracing::error!(%error, "reloading the token keys failed"),
        Err(_) => tracing::error!(
            "The token keys' files could not be read within 10 s. The old keys stay in use."
        ),
    }
}
