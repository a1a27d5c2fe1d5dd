//! Why a run can't go on. A wrong list is no fault: it is a result.

use std::{io, time::Duration};

/// Why a run can't go on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What.
        what: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// The server did not start.
    #[error("the server did not start; it said: {0}")]
    Server(String),
    /// The address is none.
    #[error("{0} is no address of the form http://host:port")]
    Url(String),
    /// Something took too long.
    #[error("{what} took longer than {within:?}: {state}")]
    TooLong {
        /// What.
        what: &'static str,
        /// How long was waited.
        within: Duration,
        /// How far it came.
        state: String,
    },
    /// More sockets are wanted than files may be open.
    #[error("{wanted} sockets are wanted and {limit} files may be open: raise `ulimit -n`")]
    TooFewFiles {
        /// How many.
        wanted: usize,
        /// The limit.
        limit: u64,
    },
}
