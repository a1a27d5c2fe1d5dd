//! What a server needs to share its rooms with others.
//!
//! - [`engine`]: what puts the commands of all servers in one order, as a trait.
//! - [`handle`]: what the rooms of a server know of its cluster.
//! - [`local_connections`]: this server's own sockets, and what the room lacks of them, pure.
//! - [`room_clock`]: the estimate of a room's present, pure.
//! - [`outbox`]: this server's commands on their way to the journal, pure.
//! - [`replica`]: how far this server knows the journal of a room, and what it may append, pure.
//! - [`checkpoints`]: finds a server whose list differs from the others', pure.
//! - [`stats`]: what is counted.
//! - [`lease`]: whether this server may still act, and which others are dead, pure.

pub mod checkpoints;
pub mod engine;
pub mod handle;
pub mod lease;
pub mod local_connections;
pub mod outbox;
pub mod replica;
pub mod room_clock;
pub mod stats;
