//! Errors that end a run. A wrong list is not an error but a result.

use std::{io, time::Duration};

use crate::client::handshake::HandshakeError;

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
    /// The server refused a client that is within its limits.
    #[error("the server refused a client: {0}")]
    Refused(String),
    /// The engine of several servers failed.
    #[error("the engine failed: {0}")]
    Engine(#[from] redis::RedisError),
    /// No engine is installed.
    #[error(
        "there is no valkey-server and no redis-server: install one, or name it in ROLLCALL_ENGINE"
    )]
    NoEngine,
    /// The scenario needs servers that this program starts.
    #[error("{0} needs --servers 2 or more")]
    OneServer(&'static str),
    /// `greedy` has no such phase.
    #[error("there is no phase {name}: choose of {known}")]
    UnknownPhase {
        /// What was asked for.
        name: String,
        /// All phases.
        known: String,
    },
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

impl From<HandshakeError> for LoadError {
    fn from(error: HandshakeError) -> Self {
        Self::Refused(error.to_string())
    }
}
