//! The lock on the state directory: two servers would overwrite each other's rooms.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::private_file;

/// The name of the lock file, which is empty.
const FILE: &str = "lock";

/// How long to wait for the previous server to shut down.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How often to retry meanwhile.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// The lock, held until this is dropped or the process ends in any way.
#[derive(Debug)]
pub struct StateDirectory {
    /// None where the file system supports no locks.
    _lock: Option<File>,
}

/// Another server holds the lock.
#[derive(Debug, thiserror::Error)]
#[error(
    "Another Rollcall uses the state directory {}: stop it, or choose another directory with --state-dir.",
    directory.display()
)]
pub struct AlreadyLocked {
    directory: PathBuf,
}

impl StateDirectory {
    /// Creates the directory if needed and locks it; waits a few seconds for a server that is shutting down.
    ///
    /// If it can't be created or locked, the server runs without a lock: it serves visitors all the same.
    pub async fn lock(directory: &Path) -> Result<Self, AlreadyLocked> {
        let file = match private_file::create_directory(directory).and_then(|()| open(directory)) {
            Ok(file) => file,
            Err(error) => return Ok(Self::without_lock(&error)),
        };
        let mut is_waiting = false;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _lock: Some(file) }),
                Err(TryLockError::WouldBlock) if started.elapsed() < LONGEST_WAIT => {
                    if !std::mem::replace(&mut is_waiting, true) {
                        tracing::info!("waiting for another server to release the state directory");
                    }
                    sleep(RETRY_INTERVAL).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(AlreadyLocked { directory: directory.to_owned() });
                }
                Err(TryLockError::Error(error)) => return Ok(Self::without_lock(&error)),
            }
        }
    }

    fn without_lock(error: &io::Error) -> Self {
        tracing::warn!(%error, "the state directory can't be locked: make sure that no other server uses it");
        Self { _lock: None }
    }
}

fn open(directory: &Path) -> io::Result<File> {
    // Some systems can't lock a file that is open for appending only.
    let mut options = File::options();
    options.create(true).read(true).append(true);
    // Whoever can open it can lock it, and keep the server from starting.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(directory.join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_lock_waits_and_then_fails() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        let first = StateDirectory::lock(&path).await.unwrap();
        let error = StateDirectory::lock(&path).await.unwrap_err();
        assert!(error.to_string().contains("--state-dir"), "{error}");

        let second = tokio::spawn({
            let path = path.clone();
            async move { StateDirectory::lock(&path).await }
        });
        sleep(LONGEST_WAIT / 2).await;
        assert!(!second.is_finished());
        drop(first);
        assert!(second.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_created_is_used_without_a_lock() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(StateDirectory::lock(&file.join("state")).await.is_ok());
    }
}
