//! What Rollcall's browser and server share.
//!
//! # Layout
//!
//! - [`presence`]: the domain and the wire types: the list, its changes, the frames.
//! - [`client`]: the client's half of the protocol, without I/O: a replica of the list, a session, backoff.
//! - `list`: which rows of a list are shown and in which order, pure.
//! - `text`: every text of the page.
//! - `state`: the page's state, as signals and plain data.
//! - `view`: the components, rendered alike on both sides.
//! - `ssr`: what only the server renders: documents, the embed, the chart.
//! - `browser`: what needs a browser: hydration, sockets, timers, storage.
//!
//! [`presence`] and [`client`] are pure (no I/O, no clock, no randomness) and need nothing but serde.
//! The rest is the page, in Leptos; the features `ssr` and `hydrate` choose the side it is built for.

// The server renders a page from one expression, whose type is nested as deeply as the page.
#![recursion_limit = "256"]
// `presence` and `client` are checked without features, where this does not apply.
#![cfg_attr(
    all(any(feature = "ui", feature = "recorded-values"), not(feature = "hydrate")),
    allow(
        dead_code,
        reason = "the server only renders the page; the code that changes it runs in the browser"
    )
)]

#[cfg(feature = "hydrate")]
mod browser;
pub mod client;
#[cfg(any(feature = "ui", feature = "recorded-values"))]
mod list;
pub mod presence;
#[cfg(any(feature = "recorded-values", all(test, feature = "ui")))]
pub mod recorded_values;
#[cfg(feature = "ssr")]
pub mod ssr;
#[cfg(feature = "ui")]
pub mod state;
#[cfg(any(feature = "ui", feature = "recorded-values"))]
mod text;
#[cfg(feature = "ui")]
mod view;

#[cfg(feature = "hydrate")]
pub use browser::Hydration;
#[cfg(any(feature = "ui", feature = "recorded-values"))]
pub use list::search_key::search_key;
