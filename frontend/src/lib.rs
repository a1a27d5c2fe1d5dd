//! The WASM's entry points, for `start.js`.

use std::cell::RefCell;

use app::Hydration;
use wasm_bindgen::prelude::wasm_bindgen;

/// It has a fifth of the code of Rust's default allocator, and every first visit loads it.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

thread_local! {
    static HYDRATION: RefCell<Option<Hydration>> = const { RefCell::new(None) };
}

/// Reads the page's data and its texts, a line each, and returns whether the data can be read. It may be called again
/// with other data, as long as the page is not connected.
#[wasm_bindgen]
pub fn begin(data: &str, texts: &str) -> bool {
    // Debug builds only: the messages of all panics would make every first visit larger.
    #[cfg(debug_assertions)]
    console_error_panic_hook::set_once();
    let hydration = Hydration::new(data, texts);
    let is_readable = hydration.is_some();
    // An owner that was dropped would clean up the state that hydrated parts use.
    std::mem::forget(HYDRATION.replace(hydration));
    is_readable
}

/// Hydrates the sidebar.
#[wasm_bindgen]
pub fn hydrate_sidebar() {
    with(Hydration::sidebar);
}

/// Hydrates everything but the sidebar and the list.
#[wasm_bindgen]
pub fn hydrate_main() {
    with(Hydration::main);
}

/// Hydrates the list.
#[wasm_bindgen]
pub fn hydrate_list() {
    with(Hydration::list);
}

/// Makes the hydrated page interactive.
#[wasm_bindgen]
pub fn connect() {
    with(Hydration::connect);
}

/// How many rows are in the page, as far as it was left as it was rendered.
#[wasm_bindgen]
pub fn rows() -> usize {
    with(Hydration::rows)
}

/// The number of people that the page shows.
#[wasm_bindgen]
pub fn count() -> usize {
    with(Hydration::count)
}

/// The number of rows of the list, in the page or beyond it.
#[wasm_bindgen]
pub fn listed() -> usize {
    with(Hydration::listed)
}

/// Turns a wall's page: so many of those who follow the newest were shown.
#[wasm_bindgen]
pub fn turn_wall(shown: usize) {
    with(|hydration| hydration.turn_wall(shown));
}

fn with<T: Default>(act: impl FnOnce(&Hydration) -> T) -> T {
    HYDRATION.with_borrow(|hydration| hydration.as_ref().map(act)).unwrap_or_default()
}
