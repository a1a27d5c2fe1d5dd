//! The JSON codec of the browser: `serde_json` would be a tenth of the page's WASM.

pub(crate) mod frames;
pub(crate) mod json;
