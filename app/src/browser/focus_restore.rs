//! Keeps the keyboard focus when the element that has it disappears by itself.

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};
use web_sys::FocusOptions;

use crate::view::{connection_banner::BANNER, name_form::FIELD, own_status::SENTENCE};

/// Moves the focus out of the banner, which is about to disappear, to the visitor's own name.
///
/// The page does not scroll for it: the visitor may be reading elsewhere.
pub(super) fn restore_focus() {
    let document = document();
    let banner = document.get_element_by_id(BANNER);
    let active = document.active_element();
    let (Some(banner), Some(active)) = (banner, active) else { return };
    if !banner.contains(Some(&active)) {
        return;
    }
    let target = [SENTENCE, FIELD].into_iter().find_map(|id| document.get_element_by_id(id));
    if let Some(target) = target.and_then(|target| target.dyn_into::<HtmlElement>().ok()) {
        let options = FocusOptions::new();
        options.set_prevent_scroll(true);
        // Both elements are focusable.
        let _ = target.focus_with_options(&options);
    }
}
