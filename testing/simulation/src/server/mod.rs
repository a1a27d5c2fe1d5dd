//! The server: the real one, started, ended and killed.

pub(crate) mod lifecycle;
pub(crate) mod listen_state;
pub(crate) mod process;
pub(crate) mod socket;
