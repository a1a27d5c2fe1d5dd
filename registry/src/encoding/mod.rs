//! Events as frames: each is encoded once and shared by all who receive it.
//!
//! - [`frame`]: a WebSocket text frame, and batches of them.
//! - [`messages`]: changes and answers as frames of at most 4 KiB.
//! - [`snapshot_pages`]: a whole list in pages, of which only those with a change are encoded again.

pub mod frame;
pub mod messages;
pub mod snapshot_pages;
