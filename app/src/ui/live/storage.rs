//! What the browser keeps: for all pages of a person, or for one tab.
//!
//! A full or forbidden storage costs a visitor only comfort, so that it failed is nowhere told.

use leptos::{prelude::window, web_sys::Storage};

use crate::presence::RoomName;

const NAME: &str = "rollcall-name";
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

/// Whether this person left the room, and has not joined again since.
pub(super) fn has_left(room: &RoomName) -> bool {
    let left = of_all_pages().and_then(|storage| storage.get_item(&left_key(room)).ok()?);
    left.is_some()
}

/// Lets all pages know that this person left the room, or that they did not.
pub(super) fn note_left(room: &RoomName, has_left: bool) {
    if let Some(storage) = of_all_pages() {
        let key = left_key(room);
        let _ = if has_left { storage.set_item(&key, "1") } else { storage.remove_item(&key) };
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
