//! Stands in for the crate `wasm-streams`: what Leptos needs of it to compile.
//!
//! Leptos uses that crate for server functions that stream, of which this page has none. Its classes are
//! exported to JavaScript, and no linker removes an export: every first visit would load several thousand
//! bytes that are never called. So `[patch.crates-io]` puts this crate in its place, which panics if it is
//! called after all. It can go once `server_fn` has a feature that leaves the crate out.

use std::convert::Infallible;

use futures_util::stream::{Empty, Stream};
use wasm_bindgen::JsValue;

/// Why a call panics.
const REASON: &str = "streaming server functions need the real wasm-streams: \
     remove its entry in [patch.crates-io]";

/// A stream of the browser, of which there is none.
#[derive(Debug)]
pub struct ReadableStream(Infallible);

impl ReadableStream {
    /// Would take a stream of the browser.
    ///
    /// # Panics
    /// Always: nothing would read the stream.
    pub fn from_raw(_: web_sys::ReadableStream) -> Self {
        panic!("{REASON}")
    }

    /// Can't be called: there is no stream.
    pub fn into_stream(self) -> Empty<Result<JsValue, JsValue>> {
        match self.0 {}
    }

    /// Would take a stream of Rust.
    ///
    /// # Panics
    /// Always: what is sent would be lost.
    pub fn from_stream(_: impl Stream<Item = Result<JsValue, JsValue>> + 'static) -> Self {
        panic!("{REASON}")
    }

    /// Can't be called: there is no stream.
    pub fn into_raw(self) -> web_sys::ReadableStream {
        match self.0 {}
    }
}
