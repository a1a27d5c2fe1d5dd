//! The page's state outside of `<main>`: the title and attributes of the root element.

use leptos::{prelude::*, web_sys::Element};

use crate::{
    presence::RoomName, state::page_state::PageState, text::strings, view::reactive::effect,
};

/// Set once the page is interactive.
const HYDRATED: &str = "data-hydrated";
/// Set while the list is live.
const LIVE: &str = "data-live";
/// Set while the list is known to be old.
const STALE: &str = "data-stale";

/// Set while no socket gets through; `start.js` asks the server for the reason.
const BLOCKED: &str = "data-blocked";

/// The server's build, as the connection's last first frame named it; `start.js` reloads an older page.
const BUILD: &str = "data-build";

/// Set by the server in kiosk mode.
const KIOSK: &str = "data-wall";

/// Set by the server where the site is served below a path.
const BASE_PATH: &str = "data-base";

/// The path below which the site is served: empty, or like `/rollcall`.
pub(super) fn base_path() -> String {
    document().document_element().and_then(|html| html.get_attribute(BASE_PATH)).unwrap_or_default()
}

/// Whether the page is in kiosk mode: it shows the room and does not join it.
pub(super) fn is_kiosk() -> bool {
    document().document_element().is_some_and(|html| html.has_attribute(KIOSK))
}

/// Keeps the title and the root element's attributes in step with the page's state.
pub(super) fn bind(page_state: PageState, room_name: RoomName) {
    let Some(html) = document().document_element() else { return };
    set_flag(&html, HYDRATED, true);
    effect(move || {
        let here = page_state.here();
        document().set_title(&strings::title(here, room_name.as_str()));
    });
    let mut was_ever_live = false;
    effect(move || {
        let connection = page_state.ui.with(|ui| ui.connection);
        let is_live = connection.is_live();
        set_flag(&html, LIVE, is_live);
        set_flag(&html, STALE, connection.is_stale());
        if is_live && !std::mem::replace(&mut was_ever_live, true) {
            mark_first_live();
        }
    });
}

/// Marks that no socket gets through, or that one does again.
pub(super) fn set_blocked(is_blocked: bool) {
    if let Some(html) = document().document_element() {
        set_flag(&html, BLOCKED, is_blocked);
    }
}

/// Whether no socket gets through.
pub(super) fn is_blocked() -> bool {
    document().document_element().is_some_and(|html| html.has_attribute(BLOCKED))
}

/// Tells which build of the server is connected.
pub(super) fn set_build(build: &str) {
    if let Some(html) = document().document_element() {
        // It can't fail: the attribute's name is valid.
        let _ = html.set_attribute(BUILD, build);
    }
}

fn mark_first_live() {
    if let Some(performance) = window().performance() {
        // Read by measurements only, so a failure does not matter.
        let _ = performance.mark("rollcall-live");
    }
}

fn set_flag(root: &Element, attribute: &str, is_set: bool) {
    // Neither can fail: the attributes' names are valid.
    let _ = if is_set {
        root.set_attribute(attribute, "true")
    } else {
        root.remove_attribute(attribute)
    };
}
