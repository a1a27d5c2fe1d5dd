//! The client's half of the protocol, without I/O: it reads no clock, opens no socket and draws no random number.
//!
//! - [`Replica`]: the client's copy of the list.
//! - [`Session`]: which frames a client sends, and when, over any number of sockets.
//! - [`Backoff`]: when to reconnect.
//! - `codec`: frames to and from text.

mod backoff;
pub(crate) mod codec;
pub(crate) mod intent;
#[cfg(test)]
mod recorded_frames;
pub(crate) mod removal;
mod replica;
pub(crate) mod session;

pub use backoff::Backoff;
pub use codec::{
    frames::{read_build, read_frame, write_frame},
    json::ParseError,
};
pub use intent::Intent;
pub use removal::{Departed, RemovalNote, RowEnd};
pub use replica::{Gap, Progress, Replica};
pub use session::{Environment, Outcome, Session, Unlisted};
