//! The WASM's entry point.

use wasm_bindgen::prelude::wasm_bindgen;

/// It has a fifth of the code of Rust's default allocator, and every first visit loads it.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Hydrates the page; the page's script calls it once the WASM is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    // Debug builds only: the messages of all panics would make every first visit larger.
    #[cfg(debug_assertions)]
    console_error_panic_hook::set_once();
    app::hydrate();
}
