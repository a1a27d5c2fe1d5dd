//! The network between pages and the server, and how it fails.

pub(crate) mod connect;
pub(crate) mod link;
pub(crate) mod pipe;
