//! What Leptos needs of the crate `wasm-streams` to compile, and nothing that runs.
//!
//! Leptos brings that crate along for server functions that stream, which this page has none of.
//! It exports its classes to JavaScript, and an export is nothing that a linker can leave out: a
//! first visit would load several thousand bytes that nobody calls. So this stands in its place,
//! by `[patch.crates-io]`: a stream that holds nothing.

use futures_util::stream::{self, Stream};
use wasm_bindgen::{JsCast, JsValue};

/// A stream of the browser's.
#[derive(Debug)]
pub struct ReadableStream(web_sys::ReadableStream);

impl ReadableStream {
    /// Takes one of the browser's own.
    pub fn from_raw(raw: web_sys::ReadableStream) -> Self {
        Self(raw)
    }

    /// What comes out of it: nothing.
    pub fn into_stream(self) -> impl Stream<Item = Result<JsValue, JsValue>> {
        stream::empty()
    }

    /// Takes one of Rust's, and drops it.
    pub fn from_stream(_: impl Stream<Item = Result<JsValue, JsValue>> + 'static) -> Self {
        Self(JsValue::UNDEFINED.unchecked_into())
    }

    /// Gives one of the browser's own.
    pub fn into_raw(self) -> web_sys::ReadableStream {
        self.0
    }
}
