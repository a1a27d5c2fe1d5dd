//! The rooms file, in which the rooms survive a restart.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use registry::hub::SavedRooms;
use serde::{Deserialize, Serialize};

use super::private_file;

/// The name of the file in the state directory.
const FILE: &str = "rooms.json";

/// The version of the format that this program reads and writes.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct VersionedFile<Content> {
    version: u32,
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

    /// Loads the rooms and removes the file, so that no process restores them twice.
    ///
    /// An invalid file is renamed; the server starts without rooms then.
    pub fn load_and_remove(&self) -> Option<SavedRooms> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                self.set_aside(&error);
                return None;
            }
        };
        match read(&text) {
            Ok(rooms) => match fs::remove_file(&self.path) {
                Ok(()) => Some(rooms),
                Err(error) => {
                    // The next process would restore the rooms a second time.
                    tracing::warn!(%error, "the rooms file can't be removed, so it is not used");
                    None
                }
            },
            Err(error) => {
                self.set_aside(&error);
                None
            }
        }
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
    pub fn write(&self, rooms: &SavedRooms) -> io::Result<()> {
        private_file::write(&self.path, &written(rooms)?)
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

/// The content of the file for these rooms.
pub fn written(rooms: &SavedRooms) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&VersionedFile { version: VERSION, content: rooms })
}

/// The rooms in a file's content, or why it is invalid.
pub fn read(text: &str) -> Result<SavedRooms, String> {
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
    Ok(file.content)
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

    #[test]
    fn saved_rooms_are_loaded_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = RoomsFile::in_directory(directory.path());
        assert_eq!(file.load_and_remove(), None);
        file.write(&rooms()).unwrap();
        file.write(&rooms()).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&file.path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(file.load_and_remove(), Some(rooms()));
        assert_eq!(file.load_and_remove(), None);
    }

    #[test]
    fn a_damaged_file_is_renamed() {
        let directory = tempfile::tempdir().unwrap();
        let file = RoomsFile::in_directory(directory.path());
        for damage in
            ["", "{", "[]", r#"{"version":2,"ending":"in_order","rooms":[]}"#, "{\"version\":1}"]
        {
            fs::write(&file.path, damage).unwrap();
            assert_eq!(file.load_and_remove(), None, "{damage}");
            assert!(!file.path.exists() && file.path.with_extension("json.damaged").exists());
        }
        fs::write(&file.path, [0xff, 0xfe]).unwrap();
        assert_eq!(file.load_and_remove(), None);
    }
}
