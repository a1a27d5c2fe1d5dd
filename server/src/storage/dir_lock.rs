//! One server at a time has a state directory: two would take each other's rooms, and write over them.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// The file's name in the state directory; there is nothing in it.
const FILE: &str = "lock";

/// How long the server before this one may take to go down.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How often to see whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Nobody else uses the directory, until this is dropped or the process ends, however it does.
#[derive(Debug)]
pub struct StateDirectory {
    /// None where the system locks no files there.
    _lock: Option<File>,
}

/// Another server has the directory, and keeps it.
#[derive(Debug, thiserror::Error)]
#[error(
    "Another Rollcall has its state in {}: stop it, or choose another directory with --state-dir.",
    directory.display()
)]
pub struct AlreadyLocked {
    directory: PathBuf,
}

impl StateDirectory {
    /// Takes the directory, and makes it where there is none; waits a few seconds for a server that is going down.
    ///
    /// Where nothing can be locked or written it is used as it is: who can't keep rooms serves all the same.
    pub async fn lock(directory: &Path) -> Result<Self, AlreadyLocked> {
        let file = match fs::create_dir_all(directory).and_then(|()| open(directory)) {
            Ok(file) => file,
            Err(error) => return Ok(Self::without_lock(&error)),
        };
        let mut is_waiting = false;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _lock: Some(file) }),
                Err(TryLockError::WouldBlock) if begun.elapsed() < LONGEST_WAIT => {
                    if !std::mem::replace(&mut is_waiting, true) {
                        tracing::info!("waiting for another server to leave the state directory");
                    }
                    sleep(LOOK_EVERY).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(AlreadyLocked { directory: directory.to_owned() });
                }
                Err(TryLockError::Error(error)) => return Ok(Self::without_lock(&error)),
            }
        }
    }

    fn without_lock(error: &io::Error) -> Self {
        tracing::warn!(%error, "the state directory can't be locked: no other server may have it");
        Self { _lock: None }
    }
}

fn open(directory: &Path) -> io::Result<File> {
    // Some systems lock no file that is open for appending alone.
    File::options().create(true).read(true).append(true).open(directory.join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_has_it_and_the_next_one_waits_a_little() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        let first = StateDirectory::lock(&path).await.unwrap();
        let refusal = StateDirectory::lock(&path).await.unwrap_err();
        assert!(refusal.to_string().contains("--state-dir"), "{refusal}");

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
    async fn where_nothing_can_be_written_it_is_used_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(StateDirectory::lock(&file.join("state")).await.is_ok());
    }
}
