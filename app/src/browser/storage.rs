//! What the browser keeps: for all pages of a person, or for one tab.
//!
//! A full or forbidden storage costs a visitor only comfort, so that it failed is nowhere told.

use leptos::{prelude::window, web_sys::Storage};

use crate::{client::removal::RemovalNote, presence::RoomName};

const NAME: &str = "rollcall-name";
const MUTED: &str = "rollcall-muted";
const LEFT: &str = "rollcall-left-";
const TAB: &str = "rollcall-tab";

/// The name under which this browser was listed last, in any room.
pub(super) fn remembered_name() -> Option<String> {
    of_all_pages()?.get_item(NAME).ok()?
}

/// Keeps the name for next time.
pub(super) fn remember_name(name: &str) {
    if let Some(storage) = of_all_pages() {
        let _ = storage.set_item(NAME, name);
    }
}

/// Nobody's name is known any more.
pub(super) fn forget_name() {
    if let Some(storage) = of_all_pages() {
        let _ = storage.remove_item(NAME);
    }
}

/// Whether this browser is not to say aloud who comes and goes.
pub(super) fn is_muted() -> bool {
    of_all_pages().and_then(|storage| storage.get_item(MUTED).ok()?).is_some()
}

/// Keeps that for next time.
pub(super) fn note_muted(is_muted: bool) {
    if let Some(storage) = of_all_pages() {
        let _ = if is_muted { storage.set_item(MUTED, "1") } else { storage.remove_item(MUTED) };
    }
}

/// What became of a row of this person that was taken off the list.
pub(super) fn removal(room: &RoomName) -> Option<RemovalNote> {
    let text = of_all_pages().and_then(|storage| storage.get_item(&left_key(room)).ok()?)?;
    Some(RemovalNote::from_text(&text))
}

/// Lets all pages know what became of it.
pub(super) fn note_absence(room: &RoomName, removal: Option<&RemovalNote>) {
    if let Some(storage) = of_all_pages() {
        let key = left_key(room);
        let _ = match removal {
            Some(removal) => storage.set_item(&key, &removal.to_text()),
            None => storage.remove_item(&key),
        };
    }
}

/// Takes the name of the page that was in this tab before.
pub(super) fn take_tab() -> Option<String> {
    let storage = of_this_tab()?;
    let tab = storage.get_item(TAB).ok()?;
    let _ = storage.remove_item(TAB);
    tab
}

/// Leaves this page's name to the page after it.
pub(super) fn leave_tab(tab: &str) {
    if let Some(storage) = of_this_tab() {
        let _ = storage.set_item(TAB, tab);
    }
}

fn left_key(room: &RoomName) -> String {
    [LEFT, room.as_str()].concat()
}

fn of_all_pages() -> Option<Storage> {
    window().local_storage().ok()?
}

fn of_this_tab() -> Option<Storage> {
    window().session_storage().ok()?
}
