//! `rollcall host-link ROOM`: the link of any room's host, from the settings alone.

use std::path::PathBuf;

use app::presence::RoomName;

use super::person_cookie::{KEY_FILE, KeyError, PersonCookies};
use crate::config::Config;

/// Why there is no link to print.
#[derive(Debug, thiserror::Error)]
pub enum HostLinkError {
    /// Without it the link has no address.
    #[error(
        "The link needs the address that visitors type: set public-url, for example `rollcall --public-url https://roll.example host-link ROOM`."
    )]
    NoPublicUrl,
    /// The server makes the key when it starts first; with another one the link would be invalid.
    #[error(
        "There is no key in {}. Start the server once, or set state-dir or person-key-file as the server has it.",
        path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The link of a room's host. It creates no key.
pub fn host_link(config: &Config, room: &RoomName) -> Result<String, HostLinkError> {
    let public_url = config.public_url.as_ref().ok_or(HostLinkError::NoPublicUrl)?;
    let scope = config.cookie_scope();
    let persons = if let Some(path) = &config.person_key_file {
        PersonCookies::from_key_file(path, scope)?
    } else {
        let path = config.state_directory.join(KEY_FILE);
        if !path.exists() {
            return Err(HostLinkError::NoKey { path });
        }
        PersonCookies::from_state_directory(&config.state_directory, scope)?
    };
    Ok(persons.hosts().link(&public_url.room(room), room))
}
