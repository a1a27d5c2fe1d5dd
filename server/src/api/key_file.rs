//! The file with the keys' hashes, in the state directory: reading it, and adding and removing keys.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::key::{ApiKey, KeyName};
use crate::storage::{
    private_file,
    secret_file::{self, ExposedError, SecretFileError},
};

/// The name of the file.
const FILE: &str = "api-keys.json";

/// Locked while keys are added or removed, so that two commands at once lose none.
const LOCK: &str = "api-keys.lock";

/// The form of the file.
const VERSION: u32 = 1;

/// Each request compares all of them.
pub const MOST_KEYS: usize = 100;

/// An error with the file of keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It can't be read.
    #[error("The API keys in {} can't be read: {source}. Run this as the user that runs the server.", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It can't be written.
    #[error("The API keys in {} can't be written: {source}. Run this as the user that runs the server, with the same state-dir.", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It was not written by this program.
    #[error("The API keys in {} are not in the form that `rollcall key add` writes: {source}. If you remove the file, there are no keys.", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A later version wrote it.
    #[error("The API keys in {} were written by another version of Rollcall: use that one, or remove the file and make new keys.", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
    },
    /// Others have access to it.
    #[error(transparent)]
    Exposed(#[from] ExposedError),
    /// The server could not read what another user writes.
    #[error("The state directory {} belongs to another user: run this as that user, for example with `sudo -u`, or the server can't read the keys.", path.display())]
    OtherUser {
        /// The directory.
        path: PathBuf,
    },
    /// The name is taken.
    #[error("There is a key {name} already. `rollcall key remove {name}` removes it.")]
    Exists {
        /// The name.
        name: KeyName,
    },
    /// There is no key with this name.
    #[error("There is no key {name}. `rollcall key list` shows all keys.")]
    Absent {
        /// The name.
        name: KeyName,
    },
    /// No further key can be added.
    #[error("There are {MOST_KEYS} keys already: remove one with `rollcall key remove NAME`.")]
    TooMany,
    /// The system provides no random numbers.
    #[error("The system provides no random numbers for a key: {0}.")]
    Randomness(#[from] getrandom::Error),
}

impl KeyFileError {
    /// Whether the file is as it should be, and only the command asks for what can't be done.
    pub fn is_about_the_command(&self) -> bool {
        matches!(self, Self::Exists { .. } | Self::Absent { .. } | Self::TooMany)
    }
}

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    keys: Vec<ApiKey>,
}

/// Only the version, which stays in its place in every form of the file.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// The keys of a state directory; none where there is no file.
pub fn read(state_directory: &Path) -> Result<Vec<ApiKey>, KeyFileError> {
    let path = state_directory.join(FILE);
    let content = match secret_file::read_own(&path) {
        Ok(content) => content,
        Err(SecretFileError::Unreadable(error)) if is_missing(&error) => return Ok(Vec::new()),
        Err(SecretFileError::Unreadable(source)) => {
            return Err(KeyFileError::Unreadable { path, source });
        }
        Err(SecretFileError::Exposed(exposed)) => return Err(exposed.into()),
    };
    match serde_json::from_slice(&content) {
        Ok(Version { version: VERSION }) => {}
        Ok(_) => return Err(KeyFileError::OtherVersion { path }),
        Err(source) => return Err(KeyFileError::Malformed { path, source }),
    }
    match serde_json::from_slice(&content) {
        Ok(Content { keys, .. }) => Ok(keys),
        Err(source) => Err(KeyFileError::Malformed { path, source }),
    }
}

/// Also where the state directory is none, which is said where it is needed.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Adds a key. A server that runs knows it within a second.
pub fn add(state_directory: &Path, key: ApiKey) -> Result<(), KeyFileError> {
    change(state_directory, |keys| {
        if keys.iter().any(|known| known.name == key.name) {
            return Err(KeyFileError::Exists { name: key.name });
        }
        if keys.len() >= MOST_KEYS {
            return Err(KeyFileError::TooMany);
        }
        keys.push(key);
        Ok(())
    })
}

/// Removes a key. A server that runs refuses it within a second.
pub fn remove(state_directory: &Path, name: &KeyName) -> Result<(), KeyFileError> {
    change(state_directory, |keys| {
        let before = keys.len();
        keys.retain(|key| key.name != *name);
        if keys.len() < before { Ok(()) } else { Err(KeyFileError::Absent { name: name.clone() }) }
    })
}

fn change(
    state_directory: &Path,
    change: impl FnOnce(&mut Vec<ApiKey>) -> Result<(), KeyFileError>,
) -> Result<(), KeyFileError> {
    let path = state_directory.join(FILE);
    let unwritable = |source| KeyFileError::Unwritable { path: path.clone(), source };
    private_file::create_directory(state_directory).map_err(unwritable)?;
    if secret_file::is_of_another_user(state_directory) {
        return Err(KeyFileError::OtherUser { path: state_directory.to_owned() });
    }
    let _lock = lock(state_directory).map_err(unwritable)?;
    let mut keys = read(state_directory)?;
    change(&mut keys)?;
    let content = Content { version: VERSION, keys };
    let text = serde_json::to_vec_pretty(&content)
        .map_err(|source| KeyFileError::Malformed { path: path.clone(), source })?;
    private_file::write(&path, &text).map_err(unwritable)
}

/// Waits for another command, and locks others out until the file is dropped.
fn lock(state_directory: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(state_directory.join(LOCK))?;
    match file.lock() {
        // Some file systems have no locks: two commands at the same moment are rare.
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
        _ => Ok(file),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, thread};

    use super::*;
    use crate::api::{
        key::{KeyHash, new_key},
        scope::Scope,
    };

    fn key(name: &str) -> ApiKey {
        ApiKey {
            name: name.parse().unwrap(),
            scopes: BTreeSet::from([Scope::RoomsRead]).try_into().unwrap(),
            created: 1_790_000_000,
            sha256: KeyHash::of(&new_key().unwrap()),
        }
    }

    #[test]
    fn keys_are_added_and_removed_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        assert_eq!(read(&state).unwrap(), []);
        let (one, two) = (key("one"), key("two"));
        add(&state, one.clone()).unwrap();
        add(&state, two.clone()).unwrap();
        assert!(matches!(add(&state, key("one")), Err(KeyFileError::Exists { .. })));
        assert_eq!(read(&state).unwrap(), [one.clone(), two.clone()]);
        remove(&state, &one.name).unwrap();
        assert!(matches!(remove(&state, &one.name), Err(KeyFileError::Absent { .. })));
        assert_eq!(read(&state).unwrap(), [two]);
    }

    #[test]
    fn commands_at_once_lose_no_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || add(path, key(&format!("key-{number}"))).unwrap());
            }
        });
        assert_eq!(read(path).unwrap().len(), 8);
    }

    #[cfg(unix)]
    #[test]
    fn file_is_for_the_servers_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        add(directory.path(), key("one")).unwrap();
        let file = directory.path().join(FILE);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(directory.path()), Err(KeyFileError::Exposed(_))));
        assert!(matches!(add(directory.path(), key("two")), Err(KeyFileError::Exposed(_))));
    }

    #[test]
    fn file_of_another_form_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        add(directory.path(), key("one")).unwrap();
        let file = directory.path().join(FILE);
        let text = fs::read_to_string(&file).unwrap();
        for (other, is_version) in [
            (text.replace("\"version\": 1", "\"version\": 2"), true),
            (text.replace("rooms:read", "rooms:write"), false),
            (text.replace("\"rooms:read\"", ""), false),
            (String::new(), false),
        ] {
            fs::write(&file, &other).unwrap();
            let error = read(directory.path()).unwrap_err();
            assert_eq!(matches!(error, KeyFileError::OtherVersion { .. }), is_version, "{error}");
            assert!(is_version || matches!(error, KeyFileError::Malformed { .. }), "{error}");
        }
    }
}
