//! The simulated network between pages and the server, and its failures.

pub(crate) mod connect;
pub(crate) mod link;
pub(crate) mod pipe;
