//! The keys of a running server, which are read anew when they are needed: a new key works without a restart.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout},
};

use super::{key::ApiKey, key_file};
use crate::telemetry::warning_interval::WarningInterval;

/// How old what is known of the file may be when a key is looked up.
const LIFETIME: Duration = Duration::from_secs(1);

/// How long a request waits for the file: a disk may block.
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// The keys. Nothing is read before the first request with a key.
#[derive(Debug)]
pub(crate) struct ApiKeys {
    file: Arc<KeyFile>,
}

#[derive(Debug)]
struct KeyFile {
    state_directory: PathBuf,
    known: Mutex<Known>,
    /// Else each second one more thread would wait for a disk that blocks.
    is_being_read: AtomicBool,
    warning: WarningInterval,
}

#[derive(Debug, Default)]
struct Known {
    keys: Arc<[ApiKey]>,
    /// When the file was read last, or was to be.
    asked: Option<Instant>,
}

impl ApiKeys {
    pub(crate) fn of_state_directory(state_directory: &Path) -> Self {
        Self {
            file: Arc::new(KeyFile {
                state_directory: state_directory.to_owned(),
                known: Mutex::default(),
                is_being_read: AtomicBool::new(false),
                warning: WarningInterval::default(),
            }),
        }
    }

    /// All keys as of at most a second ago. Where the file can't be read, those that were read last.
    pub(crate) async fn all(&self) -> Arc<[ApiKey]> {
        if self.file.is_to_be_read(Instant::now()) {
            let file = Arc::clone(&self.file);
            // The reading goes on when the wait is over.
            let _ = timeout(READ_TIMEOUT, spawn_blocking(move || file.read())).await;
        }
        Arc::clone(&self.file.known().keys)
    }
}

impl KeyFile {
    /// Whether the caller has to read the file. If so, nobody else does meanwhile.
    fn is_to_be_read(&self, now: Instant) -> bool {
        let mut known = self.known();
        let is_old = known.asked.is_none_or(|asked| now.duration_since(asked) >= LIFETIME);
        if !is_old || self.is_being_read.swap(true, Ordering::AcqRel) {
            return false;
        }
        known.asked = Some(now);
        true
    }

    fn read(&self) {
        match key_file::read(&self.state_directory) {
            Ok(keys) => self.known().keys = keys.into(),
            Err(error) => {
                if self.warning.is_due(Instant::now()) {
                    tracing::error!("{error} The keys that were read last stay in use.");
                }
            }
        }
        self.is_being_read.store(false, Ordering::Release);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;
    use crate::api::{key::KeyHash, scope::Scope};

    fn key(name: &str) -> ApiKey {
        ApiKey {
            name: name.parse().unwrap(),
            scopes: BTreeSet::from([Scope::RoomsRead]).try_into().unwrap(),
            created: 1_790_000_000,
            sha256: KeyHash::of(name),
        }
    }

    async fn names(keys: &ApiKeys) -> Vec<String> {
        keys.all().await.iter().map(|key| key.name.to_string()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn file_is_read_once_a_second_and_what_was_read_last_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let keys = ApiKeys::of_state_directory(path);
        assert_eq!(names(&keys).await, Vec::<String>::new());
        key_file::add(path, key("one")).unwrap();
        assert_eq!(names(&keys).await, Vec::<String>::new());
        tokio::time::advance(LIFETIME).await;
        assert_eq!(names(&keys).await, ["one"]);
        fs::write(path.join("api-keys.json"), "{").unwrap();
        tokio::time::advance(LIFETIME).await;
        assert_eq!(names(&keys).await, ["one"]);
        fs::remove_file(path.join("api-keys.json")).unwrap();
        tokio::time::advance(LIFETIME).await;
        assert_eq!(names(&keys).await, Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn disk_that_blocks_keeps_one_thread_and_requests_wait_a_second() {
        let directory = tempfile::tempdir().unwrap();
        let keys = ApiKeys::of_state_directory(directory.path());
        // As long as a thread reads, the keys that are known are used.
        assert!(keys.file.is_to_be_read(Instant::now()));
        for _ in 0..5 {
            tokio::time::advance(LIFETIME).await;
            assert_eq!(names(&keys).await, Vec::<String>::new());
        }
        key_file::add(directory.path(), key("one")).unwrap();
        keys.file.read();
        assert_eq!(names(&keys).await, ["one"]);
    }
}
