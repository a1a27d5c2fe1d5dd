//! What of the page's state shows outside of `<main>`.

use leptos::{prelude::*, web_sys::Element};

use crate::{
    presence::RoomName,
    state::page_state::PageState,
    text::strings,
    view::{header::NEW_ROOM_LINK, reactive::effect},
};

/// Set once the page reacts to the visitor.
const HYDRATED: &str = "data-hydrated";
/// Set while the list is the server's list.
const LIVE: &str = "data-live";
/// Set while the list is known to be old.
const STALE: &str = "data-stale";

/// Set by the server where the page is for a screen on the wall.
const WALL: &str = "data-wall";

/// Whether the page is for a screen on the wall, which shows the room and takes no part in it.
pub(super) fn is_wall() -> bool {
    document().document_element().is_some_and(|html| html.has_attribute(WALL))
}

/// Keeps the title and the root element as the board says.
pub(super) fn bind(page_state: PageState, room_name: RoomName) {
    let Some(html) = document().document_element() else { return };
    set_flag(&html, HYDRATED, true);
    effect(move || {
        let count = page_state.people.with(|people| people.count);
        document().set_title(&strings::title(count, room_name.as_str()));
    });
    let mut was_ever_live = false;
    effect(move || {
        let connection = page_state.ui.with(|ui| ui.connection);
        let is_live = connection.is_live();
        set_flag(&html, LIVE, is_live);
        set_flag(&html, STALE, connection.is_stale());
        if is_live && !std::mem::replace(&mut was_ever_live, true) {
            leave_a_mark_in_the_timeline();
        }
    });
}

/// Lets the link to a new room lead there: only a browser can make up a name that nobody guesses.
pub(super) fn show_new_room(address: &str) {
    if let Some(link) = document().get_element_by_id(NEW_ROOM_LINK) {
        // The name of the attribute is valid.
        let _ = link.set_attribute("href", address);
    }
}

fn leave_a_mark_in_the_timeline() {
    if let Some(performance) = window().performance() {
        // Only measurements look at it.
        let _ = performance.mark("rollcall-live");
    }
}

fn set_flag(root: &Element, attribute: &str, is_set: bool) {
    // Neither can fail: the names are valid.
    let _ = if is_set {
        root.set_attribute(attribute, "true")
    } else {
        root.remove_attribute(attribute)
    };
}
