//! The registry: it keeps who is here.
//!
//! # Layout
//!
//! - [`presence`]: one room, pure: members, the log of changes, what happens to a row.
//! - [`encoding`]: events as frames, each encoded once for all who receive it.
//! - [`hub`]: the rooms behind their locks; what a reader and what a socket hold of one.
//! - [`wake`]: what wakes a connection, and the queue of its timers.
//!
//! Arrows point one way: [`hub`] → [`encoding`], [`wake`] → [`presence`] → `app::presence`.
//! The crate knows no HTTP, no settings, no metrics and no Leptos. It counts what it does in
//! [`hub::HubStats`], which the server reads when its metrics are scraped.

pub mod encoding;
pub mod hub;
pub mod presence;
pub mod wake;
