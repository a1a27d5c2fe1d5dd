//! The rooms of a server: who is listed, what changed, and which subscribers receive it.
//!
//! # Layout
//!
//! - [`presence`]: one room, pure: its members, the log of its changes, and the state of each row.
//! - [`encoding`]: events as frames, each encoded once for all who receive it.
//! - [`hub`]: the rooms behind their locks, and what a socket or another reader holds of a room.
//! - [`replication`]: what a server needs to share its rooms with others, pure but for a handle.
//! - [`cluster`]: the task between the rooms and the engine that several servers share. No server has one yet.
//!   For tests there are an engine in memory and the laws of all engines (feature `memory-engine`).
//! - [`wake`]: what wakes a connection or a room: flags with reasons, and one queue of deadlines.
//!
//! Arrows point one way: [`cluster`] → [`hub`] → [`encoding`], [`replication`], [`wake`] → [`presence`] →
//! `app::presence`. The crate depends
//! on no HTTP, settings, metrics or Leptos. It counts in [`hub::HubStats`], which the server reads for its
//! metrics.
//!
//! A join passes through [`hub::Membership::join`] (validates the name), [`presence::room::Room::apply`]
//! (changes list and log) and a broadcast, which wakes the subscribers. Each then calls
//! [`hub::Subscription::poll_updates`], which returns shared frames.

pub mod cluster;
pub mod encoding;
pub mod hub;
pub mod presence;
pub mod replication;
pub mod wake;
