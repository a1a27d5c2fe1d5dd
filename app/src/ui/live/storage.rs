//! The name of last time, kept by the browser.

use leptos::{prelude::window, web_sys::Storage};

const NAME: &str = "rollcall-name";

/// The name under which this browser was listed last, in any room.
pub(super) fn remembered_name() -> Option<String> {
    storage()?.get_item(NAME).ok()?
}

/// Keeps the name for next time, where the browser lets us.
pub(super) fn remember_name(name: &str) {
    if let Some(storage) = storage() {
        // A full or forbidden storage costs a visitor only the comfort of next time.
        let _ = storage.set_item(NAME, name);
    }
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
