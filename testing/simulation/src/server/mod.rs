//! The real server: how it is started, ended and killed, and its side of a connection.

pub(crate) mod direct;
pub(crate) mod lifecycle;
pub(crate) mod listen_state;
pub(crate) mod process;
pub(crate) mod quiescence;
pub(crate) mod socket;
pub(crate) mod told;
