//! The few things that are done to elements by hand, after the first pass.

use leptos::{
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{HtmlElement, HtmlInputElement},
};

use super::reactive::effect;
use crate::state::page_state::PageState;

/// Gives the keyboard to something new, by its id, where what had the keyboard is gone.
///
/// In the first pass nothing is gone yet: there the page's `autofocus` says what has it.
pub(crate) fn take_lost_focus(page_state: PageState, id: &'static str) {
    if untrack(move || page_state.is_interactive()) {
        effect(move || {
            let active = document().active_element();
            let is_lost = active.is_none_or(|active| active.tag_name() == "BODY");
            if is_lost && let Some(element) = element::<HtmlElement>(id) {
                // An element that can't take the keyboard is no reason to stop.
                let _ = element.focus();
            }
        });
    }
}

/// The field of a form.
pub(crate) fn input(id: &str) -> Option<HtmlInputElement> {
    element(id)
}

fn element<E: JsCast>(id: &str) -> Option<E> {
    document().get_element_by_id(id)?.dyn_into().ok()
}
