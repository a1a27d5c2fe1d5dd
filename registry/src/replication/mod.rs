//! What a server needs to share its rooms with others.
//!
//! - [`engine`]: what puts the commands of all servers in one order, as a trait.

pub mod engine;
