//! Switching to another person in the same browser.

use leptos::{prelude::*, wasm_bindgen::JsCast};
use web_sys::HtmlFormElement;

use super::{document_state::base_path, storage};
use crate::presence::RoomName;

/// Loads the page again with a new identity.
///
/// Only the server can replace the identity: it is in a cookie that scripts can't read. The form is
/// created on demand, so that the page's only form is the one for the name.
pub(super) fn switch_person(room: &RoomName) {
    storage::forget_name();
    let document = document();
    let form = document.create_element("form").ok();
    let form = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
    let (Some(form), Some(body)) = (form, document.body()) else { return };
    form.set_method("post");
    form.set_action(&[&*base_path(), "/r/", room.as_str(), "/someone-else"].concat());
    // Neither can fail: the form is new, and it has no fields to validate.
    let _ = body.append_child(&form);
    let _ = form.submit();
}
