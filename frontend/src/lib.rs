//! The page's entry in the browser.

use wasm_bindgen::prelude::wasm_bindgen;

/// A fifth of the code of Rust's own allocator, which every first visit would have to load.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Brings the page to life; its scripts call this once they are loaded.
#[wasm_bindgen]
pub fn hydrate() {
    // In a release the sentences of all panics would be a part of what every first visit loads.
    #[cfg(debug_assertions)]
    console_error_panic_hook::set_once();
    app::hydrate();
}
