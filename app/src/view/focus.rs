//! Keyboard focus and form fields: direct access to elements after the first rendering.

use leptos::{
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{HtmlElement, HtmlInputElement},
};

use super::reactive::effect;
use crate::state::page_state::PageState;

/// Focuses the element with this id if the element that had the focus was removed.
///
/// Not in the first rendering, where the page's `autofocus` decides.
pub(crate) fn take_lost_focus(page_state: PageState, id: &'static str) {
    if untrack(move || page_state.is_interactive()) {
        effect(move || {
            let active = document().active_element();
            let is_lost = active.is_none_or(|active| active.tag_name() == "BODY");
            if is_lost && let Some(element) = element::<HtmlElement>(id) {
                // An element that can't be focused is skipped.
                let _ = element.focus();
            }
        });
    }
}

/// The input field with this id.
pub(crate) fn input(id: &str) -> Option<HtmlInputElement> {
    element(id)
}

fn element<E: JsCast>(id: &str) -> Option<E> {
    document().get_element_by_id(id)?.dyn_into().ok()
}
