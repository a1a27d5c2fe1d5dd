//! Events as frames: each is encoded once and shared by all who receive it.
//!
//! - [`frame`]: a WebSocket text frame, header included, and batches of frames.
//! - [`messages`]: events as JSON, and long differences split into frames of at most 4 KiB.
//! - [`server_build`]: the server's build, which first frames name.
//! - [`snapshot_pages`]: a whole list in pages, of which only those with a change are encoded again.
//!
//! What differs from reader to reader (`you`, `now`) is written around the shared rows at the last moment.

pub mod frame;
pub mod messages;
pub mod server_build;
pub mod snapshot_pages;
