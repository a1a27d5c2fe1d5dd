//! All keys of a server, which are read anew on SIGHUP.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
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
    reloads: Arc<AtomicU64>,
    current: Arc<RwLock<Current>>,
}

/// The keys of a reload.
#[derive(Debug, Default)]
struct Current {
    keys: Arc<[TokenKey]>,
    /// Zero for the keys of the start.
    reload: u64,
}

/// What a reload has found.
#[derive(Debug)]
enum Reloaded {
    /// The keys are in use; of these files there is none.
    Replaced(Vec<TokenKeyError>),
    /// A later one was faster.
    Late,
}

impl TokenKeyring {
    /// Reads the keys.
    ///
    /// # Errors
    /// If a file is unreadable or invalid; the message names the key.
    pub fn read(sources: Vec<KeySource>) -> Result<Self, TokenKeyError> {
        let keys = sources.iter().map(KeySource::read).collect::<Result<_, _>>()?;
        let current = Arc::new(RwLock::new(Current { keys, reload: 0 }));
        Ok(Self { sources: sources.into(), reloads: Arc::default(), current })
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
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).keys)
    }

    /// Begins a reload: of two, the one that began later counts.
    fn begin_reload(&self) -> u64 {
        self.reloads.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Reads all keys again. One whose file is gone is used no longer; one that can't be read stays as it was.
    fn reload(&self, reload: u64) -> Reloaded {
        let read: Vec<_> = self.sources.iter().map(|source| (source, source.read())).collect();
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if reload < current.reload {
            return Reloaded::Late;
        }
        let (mut keys, mut errors) = (Vec::new(), Vec::new());
        for (source, read) in read {
            match read {
                Ok(key) => keys.push(key),
                Err(error) => {
                    let before = current.keys.iter().find(|key| key.has_id(&source.id));
                    keys.extend(before.filter(|_| !error.is_gone()).cloned());
                    errors.push(error);
                }
            }
        }
        *current = Current { keys: keys.into(), reload };
        Reloaded::Replaced(errors)
    }
}

/// Reads the keys again, and logs the outcome.
pub async fn reload_token_keys(keyring: &TokenKeyring) {
    if keyring.is_empty() {
        return;
    }
    let (keyring, reload) = (keyring.clone(), keyring.begin_reload());
    match timeout(RELOAD_TIMEOUT, spawn_blocking(move || keyring.reload(reload))).await {
        Ok(Ok(Reloaded::Replaced(errors))) if errors.is_empty() => {
            tracing::info!("token keys reloaded");
        }
        Ok(Ok(Reloaded::Replaced(errors))) => {
            for error in errors {
                if error.is_gone() {
                    tracing::error!(%error, "a token key is gone: its tokens are refused from now on");
                } else {
                    tracing::error!(%error, "a token key can't be read: the one before stays in use");
                }
            }
        }
        Ok(Ok(Reloaded::Late)) => {}
        Ok(Err(error)) => tracing::error!(%error, "reloading the token keys failed"),
        Err(_) => tracing::error!(
            "The token keys' files could not be read within 10 s. The old keys stay in use until they are read."
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::tokens::key::Algorithm;

    const SECRETS: [&str; 3] = [
        "f2a8d0b7139c5e64a1f08b3c7d92e6540b1c9a37",
        "0b1c9a37f2a8d0b7139c5e64a1f08b3c7d92e654",
        "7d92e6540b1c9a37f2a8d0b7139c5e64a1f08b3c",
    ];

    fn write(directory: &Path, id: &str, secret: &str) -> KeySource {
        let file = directory.join(id);
        fs::write(&file, secret).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let algorithm = Algorithm::Hs256;
        KeySource { id: id.parse().unwrap(), algorithm, file, issuer: None, audience: None }
    }

    /// Which of the secrets the keys with these ids have.
    fn secrets(keyring: &TokenKeyring) -> Vec<(String, usize)> {
        let secret_of = |key: &TokenKey| {
            let signed = |secret: &&str| {
                let own = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
                key.has_signed(b"m", ring::hmac::sign(&own, b"m").as_ref())
            };
            (key.id().to_owned(), SECRETS.iter().position(signed).unwrap())
        };
        keyring.current().iter().map(secret_of).collect()
    }

    fn keyring_in(directory: &Path) -> TokenKeyring {
        let sources = ["a", "b", "c"].map(|id| write(directory, id, SECRETS[0]));
        TokenKeyring::read(sources.into()).unwrap()
    }

    #[test]
    fn key_whose_file_is_gone_is_dropped_and_the_others_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let keyring = keyring_in(directory.path());
        fs::remove_file(directory.path().join("a")).unwrap();
        write(directory.path(), "b", "short");
        write(directory.path(), "c", SECRETS[1]);
        let Reloaded::Replaced(errors) = keyring.reload(1) else { panic!("it is the only one") };
        assert_eq!(secrets(&keyring), [("b".to_owned(), 0), ("c".to_owned(), 1)]);
        let [gone, invalid] = &*errors else { panic!("{errors:?}") };
        assert!(gone.is_gone() && gone.to_string().contains("token key a"), "{gone}");
        assert!(!invalid.is_gone() && invalid.to_string().contains("token key b"), "{invalid}");
        // It comes back, and no key is lost for good.
        write(directory.path(), "a", SECRETS[2]);
        keyring.reload(2);
        assert_eq!(secrets(&keyring)[0], ("a".to_owned(), 2));
    }

    #[test]
    fn reload_that_ends_late_replaces_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let keyring = keyring_in(directory.path());
        let (first, second) = (keyring.begin_reload(), keyring.begin_reload());
        write(directory.path(), "c", SECRETS[2]);
        assert!(matches!(keyring.reload(second), Reloaded::Replaced(_)));
        write(directory.path(), "c", SECRETS[1]);
        assert!(matches!(keyring.reload(first), Reloaded::Late));
        assert_eq!(secrets(&keyring)[2], ("c".to_owned(), 2));
    }
}
