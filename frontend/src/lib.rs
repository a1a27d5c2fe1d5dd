//! The page's entry in the browser.

use wasm_bindgen::prelude::wasm_bindgen;

/// Brings the page to life; its scripts call this once they are loaded.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    app::ui::hydrate();
}
