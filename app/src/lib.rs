//! What Rollcall's browser and server share.
//!
//! [`presence`] is the domain: who is here, what changed, what goes over the wire.
//! It is pure (no I/O, no clock, no randomness) and needs nothing but serde.
//! `ui` is the page, in Leptos; the features `ssr` and `hydrate` choose the side it is built for.

// A page's type is as deep as the page: on the server it is rendered from one expression.
#![recursion_limit = "256"]

pub mod presence;

#[cfg(feature = "ui")]
pub mod ui;
