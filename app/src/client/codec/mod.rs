//! Text to event and event to text, for the browser: serde's own JSON is a tenth of the page's WASM.

pub(crate) mod frames;
pub(crate) mod json;
