//! Putting the address of the room on the clipboard.

use gloo_timers::callback::Timeout;
use leptos::{
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{HtmlElement, HtmlInputElement},
};
use web_sys::HtmlDocument;

use super::super::board::Board;

/// For how long the button says what became of it, in milliseconds.
const TIME_TO_READ: u32 = 2_500;

/// Copies the address of the page, and says on the board whether it worked.
pub(super) fn copy_link(board: Board) {
    let address = window().location().href().unwrap_or_default();
    let is_copied = copy(&address);
    board.desk.update(|desk| desk.is_link_copied = Some(is_copied));
    let forget = move || board.desk.update(|desk| desk.is_link_copied = None);
    Timeout::new(TIME_TO_READ, forget).forget();
}

/// Copies a text by way of a field, the old way.
///
/// Every browser has it, and the new way is kept from pages that came over plain HTTP from another
/// machine, as they do in many an office.
fn copy(text: &str) -> bool {
    let document = document();
    let field = document.create_element("input").ok();
    let field = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
    let (Some(field), Some(body)) = (field, document.body()) else { return false };
    let keyboard = document.active_element();
    field.set_class_name("to-copy-from");
    field.set_value(text);
    // A field that was just made can stand anywhere.
    let _ = body.append_child(&field);
    // What is copied is the selection of what has the keyboard.
    let _ = field.focus();
    field.select();
    let is_copied =
        document.unchecked_ref::<HtmlDocument>().exec_command("copy").unwrap_or_default();
    field.remove();
    if let Some(keyboard) = keyboard.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = keyboard.focus();
    }
    is_copied
}
