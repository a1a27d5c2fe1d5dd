//! One WebSocket.
//!
//! - `stream`: frames to bytes and back; [`transport`]: the trait that the loop needs of a stream.
//! - [`budget`]: the limits of what a client may send.
//! - [`access`]: who may follow a room over a socket.
//! - [`protocol`]: the state machine of the protocol, pure.
//! - [`connection`]: the loop between a client and its room.

pub mod access;
pub mod budget;
pub mod connection;
pub mod outbox;
pub(crate) mod paid_updates;
pub mod protocol;
pub(crate) mod stream;
pub mod transport;
