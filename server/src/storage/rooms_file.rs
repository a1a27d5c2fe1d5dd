//! What outlives a restart: the rooms, in one file of the state directory.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use registry::hub::SavedRooms;
use serde::{Deserialize, Serialize};

use super::private_file;

/// The file's name in the state directory.
const FILE: &str = "rooms.json";

/// The version of the file that this program reads and writes.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File<Content> {
    version: u32,
    #[serde(flatten)]
    content: Content,
}

/// Where rooms are kept.
#[derive(Clone, Debug)]
pub struct RoomsFile {
    path: PathBuf,
}

impl RoomsFile {
    /// In a state directory, which is there.
    pub fn in_directory(state_directory: &Path) -> Self {
        Self { path: state_directory.join(FILE) }
    }

    /// Takes the rooms out: the file is gone afterwards, so that no process takes them twice.
    ///
    /// A file that can't be read is set aside; nothing of it is fatal.
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
                    // What can't be taken away would be taken twice.
                    tracing::warn!(%error, "the kept rooms can't be taken");
                    None
                }
            },
            Err(error) => {
                self.set_aside(&error);
                None
            }
        }
    }

    /// Writes all rooms, wholly or not at all.
    pub fn write(&self, rooms: &SavedRooms) -> io::Result<()> {
        private_file::write(&self.path, &written(rooms)?)
    }

    fn set_aside(&self, why: &dyn std::fmt::Display) {
        let aside = self.path.with_extension("json.damaged");
        let outcome = fs::rename(&self.path, &aside);
        tracing::warn!(
            "the kept rooms in {} can't be read ({why}) and are set aside{}",
            self.path.display(),
            if outcome.is_ok() { "" } else { ", which failed too" }
        );
    }
}

/// The content of the file that keeps these rooms.
pub fn written(rooms: &SavedRooms) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&File { version: VERSION, content: rooms })
}

/// The rooms of a file's content; else why there are none.
pub fn read(text: &str) -> Result<SavedRooms, String> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let Versioned { version } = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if version != VERSION {
        return Err(format!("they are of version {version}, not {VERSION}"));
    }
    let file: File<SavedRooms> = serde_json::from_str(text).map_err(|error| error.to_string())?;
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
                },
                history: Some(CountHistory::new(29_000_000, 3)),
            }],
        }
    }

    #[test]
    fn what_is_kept_is_taken_once() {
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
    fn what_is_damaged_is_set_aside() {
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
