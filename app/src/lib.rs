//! What Rollcall's browser and server share.
//!
//! # Layout
//!
//! - [`presence`]: the domain and the wire types: who is here, what changed, what goes over the wire.
//! - [`client`]: the client's half of the protocol, without I/O: a replica of the list, a session, when to reconnect.
//! - `list`: which rows of a list are shown and in which order, pure.
//! - `text`: every sentence of the page.
//! - `state`: the page's state, as signals and plain data.
//! - `view`: the components, rendered alike on both sides.
//! - `ssr`: documents that only the server renders.
//! - `browser`: what needs a browser: sockets, timers, storage, hydration.
//!
//! [`presence`] and [`client`] are pure (no I/O, no clock, no randomness) and need nothing but serde.
//! The rest is the page, in Leptos; the features `ssr` and `hydrate` choose the side it is built for.

// A page's type is as deep as the page: on the server it is rendered from one expression.
#![recursion_limit = "256"]
#![cfg_attr(
    not(feature = "hydrate"),
    allow(
        dead_code,
        reason = "the server renders the first pass; what changes the page is the browser's"
    )
)]

#[cfg(feature = "hydrate")]
mod browser;
pub mod client;
#[cfg(feature = "ui")]
mod list;
pub mod presence;
#[cfg(feature = "ssr")]
pub mod ssr;
#[cfg(feature = "ui")]
pub mod state;
#[cfg(feature = "ui")]
mod text;
#[cfg(feature = "ui")]
mod view;

#[cfg(feature = "hydrate")]
pub use browser::hydrate;
