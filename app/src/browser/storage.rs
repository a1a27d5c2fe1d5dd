//! What the browser stores: for all tabs of a person, or for one tab.
//!
//! Errors are ignored: without storage the page works, and only remembers less.

use leptos::{prelude::window, web_sys::Storage};

use super::document_state::base_path;
use crate::{client::removal::RemovalNote, presence::RoomName};

const NAME: &str = "rollcall-name";
const MUTED: &str = "rollcall-muted";
const REMOVAL_PREFIX: &str = "rollcall-left-";
const TAB: &str = "rollcall-tab";

/// The name under which this browser was listed last, in any room.
pub(super) fn remembered_name() -> Option<String> {
    local_storage()?.get_item(NAME).ok()?
}

/// Stores the name for the next visit.
pub(super) fn remember_name(name: &str) {
    if let Some(storage) = local_storage() {
        let _ = storage.set_item(NAME, name);
    }
}

/// Deletes the stored name.
pub(super) fn forget_name() {
    if let Some(storage) = local_storage() {
        let _ = storage.remove_item(NAME);
    }
}

/// Whether announcements of joins and departures are muted in this browser.
pub(super) fn is_muted() -> bool {
    local_storage().and_then(|storage| storage.get_item(MUTED).ok()?).is_some()
}

/// Stores whether announcements are muted.
pub(super) fn set_muted(is_muted: bool) {
    if let Some(storage) = local_storage() {
        let _ = if is_muted { storage.set_item(MUTED, "1") } else { storage.remove_item(MUTED) };
    }
}

/// Why this person's row was taken off the list, if it was.
pub(super) fn removal_note(room: &RoomName) -> Option<RemovalNote> {
    let text = local_storage().and_then(|storage| storage.get_item(&removal_key(room)).ok()?)?;
    Some(RemovalNote::from_text(&text))
}

/// Stores the note for all tabs of this browser, or deletes it.
pub(super) fn set_removal_note(room: &RoomName, note: Option<&RemovalNote>) {
    if let Some(storage) = local_storage() {
        let key = removal_key(room);
        let _ = match note {
            Some(note) => storage.set_item(&key, &note.to_text()),
            None => storage.remove_item(&key),
        };
    }
}

/// Takes the id that the previous page in this tab stored.
pub(super) fn take_tab_id() -> Option<String> {
    let storage = session_storage()?;
    let tab = storage.get_item(TAB).ok()?;
    let _ = storage.remove_item(TAB);
    tab
}

/// Stores this page's id for the next page in this tab.
pub(super) fn store_tab_id(tab: &str) {
    if let Some(storage) = session_storage() {
        let _ = storage.set_item(TAB, tab);
    }
}

/// Sites below different paths of a host share its storage, and have rooms of their own.
fn removal_key(room: &RoomName) -> String {
    [REMOVAL_PREFIX, &base_path(), room.as_str()].concat()
}

fn local_storage() -> Option<Storage> {
    window().local_storage().ok()?
}

fn session_storage() -> Option<Storage> {
    window().session_storage().ok()?
}
