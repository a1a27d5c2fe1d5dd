//! The rooms file, in which the rooms survive a restart.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use registry::hub::SavedRooms;
use serde::{Deserialize, Serialize};

use super::private_file;

/// The name of the file in the state directory.
pub const FILE: &str = "rooms.json";

/// The version of the format that this program reads and writes.
const VERSION: u32 = 1;

/// When a file was written, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveTimes {
    /// When it was written. Earlier servers did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<u64>,
    /// Since when no process has lived for long enough to know which of the restored rows are still true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_since: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct VersionedFile<Content> {
    version: u32,
    #[serde(flatten)]
    times: SaveTimes,
    #[serde(flatten)]
    content: Content,
}

/// The file in which the rooms are saved.
#[derive(Clone, Debug)]
pub struct RoomsFile {
    path: PathBuf,
}

impl RoomsFile {
    /// In an existing state directory.
    pub fn in_directory(state_directory: &Path) -> Self {
        Self { path: state_directory.join(FILE) }
    }

    /// Loads the rooms, and leaves the file until it is replaced.
    ///
    /// An invalid file is renamed; the server starts without rooms then.
    pub fn load(&self) -> Option<(SavedRooms, SaveTimes)> {
        match self.read() {
            Ok(loaded) => Some(loaded),
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.set_aside(&error);
                None
            }
        }
    }

    fn read(&self) -> Result<(SavedRooms, SaveTimes), ReadError> {
        // Opening a pipe would wait for somebody who writes to it.
        if !fs::metadata(&self.path)?.is_file() {
            return Err(ReadError::Content("it is not a file".to_owned()));
        }
        read(&fs::read_to_string(&self.path)?).map_err(ReadError::Content)
    }

    /// In a cluster the file is neither read nor written: the engine has the rooms.
    pub fn warn_if_it_exists(&self) {
        if self.path.exists() {
            tracing::warn!(
                path = %self.path.display(),
                "the rooms file is left alone: in a cluster the engine has the rooms"
            );
        }
    }

    /// Writes all rooms, atomically.
    pub fn write(&self, rooms: &SavedRooms, times: SaveTimes) -> io::Result<()> {
        private_file::write(&self.path, &written(rooms, times)?)
    }

    fn set_aside(&self, why: &dyn std::fmt::Display) {
        let aside = self.path.with_extension("json.damaged");
        let outcome = fs::rename(&self.path, &aside);
        tracing::warn!(
            "{} is not a valid rooms file ({why}); {}",
            self.path.display(),
            if outcome.is_ok() { "it was renamed" } else { "renaming it failed too" }
        );
    }
}

/// Why a file can't be used.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Content(String),
}

/// The content of the file for these rooms.
pub fn written(rooms: &SavedRooms, times: SaveTimes) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&VersionedFile { version: VERSION, times, content: rooms })
}

/// The rooms in a file's content, or why it is invalid.
pub fn read(text: &str) -> Result<(SavedRooms, SaveTimes), String> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let Versioned { version } = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if version != VERSION {
        return Err(format!("its version is {version}, not {VERSION}"));
    }
    let file: VersionedFile<SavedRooms> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok((file.content, file.times))
}

#[cfg(test)]
mod tests {
    use app::presence::{Epoch, RoomName};
    use registry::{
        hub::{NamedRoom, Shutdown},
        presence::{count_history::CountHistory, room::SavedRoom},
    };

    use super::*;

    fn rooms() -> SavedRooms {
        SavedRooms {
            ending: Shutdown::Clean,
            rooms: vec![NamedRoom {
                name: RoomName::lobby(),
                epoch: Epoch::from_number(5),
                room: SavedRoom {
                    seq: 0,
                    users: Vec::new(),
                    people: Vec::new(),
                    changes: Vec::new(),
                    is_closed: false,
                    attendance: None,
                },
                history: Some(CountHistory::new(29_000_000, 3)),
            }],
            ended: Vec::new(),
        }
    }

    const TIMES: SaveTimes = SaveTimes { saved_at: Some(1_700_000_000), held_since: None };

    #[test]
    fn file_stays_until_the_next_one_replaces_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = RoomsFile::in_directory(directory.path());
        assert_eq!(file.load(), None);
        file.write(&rooms(), SaveTimes::default()).unwrap();
        file.write(&rooms(), TIMES).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&file.path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(file.load(), Some((rooms(), TIMES)));
        assert_eq!(file.load(), Some((rooms(), TIMES)));
        let later = SaveTimes { held_since: Some(5), ..TIMES };
        file.write(&rooms(), later).unwrap();
        assert_eq!(file.load(), Some((rooms(), later)));
    }

    #[test]
    fn file_of_an_earlier_server_has_no_times() {
        let text = String::from_utf8(written(&rooms(), SaveTimes::default()).unwrap()).unwrap();
        assert!(!text.contains("saved_at") && !text.contains("held_since"), "{text}");
        assert_eq!(read(&text), Ok((rooms(), SaveTimes::default())));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn pipe_in_the_place_of_the_file_is_renamed() {
        let directory = tempfile::tempdir().unwrap();
        let file = RoomsFile::in_directory(directory.path());
        assert!(std::process::Command::new("mkfifo").arg(&file.path).status().unwrap().success());
        // A thread of its own, so that the test fails instead of waiting for ever.
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn({
            let file = file.clone();
            move || tell.send(file.load())
        });
        assert_eq!(told.recv_timeout(std::time::Duration::from_secs(30)), Ok(None));
        assert!(!file.path.exists());
    }

    #[test]
    fn a_damaged_file_is_renamed() {
        let directory = tempfile::tempdir().unwrap();
        let file = RoomsFile::in_directory(directory.path());
        for damage in
            ["", "{", "[]", r#"{"version":2,"ending":"in_order","rooms":[]}"#, "{\"version\":1}"]
        {
            fs::write(&file.path, damage).unwrap();
            assert_eq!(file.load(), None, "{damage}");
            assert!(!file.path.exists() && file.path.with_extension("json.damaged").exists());
        }
        fs::write(&file.path, [0xff, 0xfe]).unwrap();
        assert_eq!(file.load(), None);
    }
}
