//! One WebSocket.
//!
//! - `stream`: frames to bytes and back; [`transport`]: what the loop needs of a stream.
//! - [`budget`]: how much a client may send.
//! - [`protocol`]: what a text means at this point, pure.
//! - [`connection`]: the loop between a client and its room.

pub mod budget;
pub mod connection;
pub mod protocol;
pub(crate) mod stream;
pub mod transport;
