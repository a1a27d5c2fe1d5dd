//! Not losing the keyboard with what goes by itself.

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};
use web_sys::FocusOptions;

use crate::view::{connection_banner::BANNER, name_form::FIELD, own_status::SENTENCE};

/// Takes the keyboard out of the banner, which is about to go, to where the visitor is named.
///
/// The page does not scroll for it: the visitor is reading.
pub(super) fn restore_focus() {
    let document = document();
    let banner = document.get_element_by_id(BANNER);
    let active = document.active_element();
    let (Some(banner), Some(active)) = (banner, active) else { return };
    if !banner.contains(Some(&active)) {
        return;
    }
    let place = [SENTENCE, FIELD].into_iter().find_map(|id| document.get_element_by_id(id));
    if let Some(place) = place.and_then(|place| place.dyn_into::<HtmlElement>().ok()) {
        let options = FocusOptions::new();
        options.set_prevent_scroll(true);
        // Both can take it.
        let _ = place.focus_with_options(&options);
    }
}
