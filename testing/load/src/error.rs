//! Errors that end a run. A wrong list is not an error but a result.

use std::{io, time::Duration};

/// The error of a run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// An operation of the system failed.
    #[error("{what}: {source}")]
    Io {
        /// The failed operation.
        what: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The server did not start, or violated the protocol.
    #[error("the server failed: {0}")]
    Server(String),
    /// The URL of the server is invalid.
    #[error("{0} is not a URL of the form http://host:port")]
    Url(String),
    /// A time limit was exceeded.
    #[error("{what} took longer than {within:?}: {state}")]
    Timeout {
        /// The operation.
        what: &'static str,
        /// The time limit.
        within: Duration,
        /// The progress so far.
        state: String,
    },
}
