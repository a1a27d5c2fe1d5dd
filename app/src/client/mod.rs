//! The client's half of the protocol, without I/O: it reads no clock, opens no socket and draws no random number.
//!
//! - [`Replica`]: a list that follows the server's.
//! - [`Session`]: what a client says and when, over however many sockets it takes.
//! - [`Backoff`](Retry): when to reconnect.
//! - `codec`: between text and event.

mod backoff;
pub(crate) mod codec;
pub(crate) mod intent;
pub(crate) mod removal;
mod replica;
pub(crate) mod session;

pub use backoff::Backoff;
pub use codec::{
    frames::{read_frame, write_frame},
    json::ParseError,
};
pub use intent::Intent;
pub use removal::{Departed, RemovalNote, RowEnd};
pub use replica::{Gap, Progress, Replica};
pub use session::{Environment, Outcome, Session, Unlisted};
