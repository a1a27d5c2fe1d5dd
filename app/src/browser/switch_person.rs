//! A browser that several people share.

use leptos::{prelude::*, wasm_bindgen::JsCast};
use web_sys::HtmlFormElement;

use super::storage;
use crate::presence::RoomName;

/// Asks the server for the page again, as somebody who was never here.
///
/// Only the server can do that: what proves a person is in a cookie that no script can read. A form
/// is made for it and not kept in the page, which has one form only, for a name.
pub(super) fn switch_person(room: &RoomName) {
    storage::forget_name();
    let document = document();
    let form = document.create_element("form").ok();
    let form = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
    let (Some(form), Some(body)) = (form, document.body()) else { return };
    form.set_method("post");
    form.set_action(&["/r/", room.as_str(), "/someone-else"].concat());
    // A form that was just made can stand anywhere, and what is sent is nothing but its address.
    let _ = body.append_child(&form);
    let _ = form.submit();
}
