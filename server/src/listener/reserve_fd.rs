//! Rejecting connections when no more files can be opened.

use std::{
    fs::File,
    io::{Read, Write},
    net::TcpStream,
};

use crate::admission::Rejection;

/// An open file that is closed to accept and reject a connection at the limit of open files. Without it
/// such connections would wait in the system's queue without an answer.
#[derive(Debug)]
pub(crate) struct ReserveFd(Option<File>);

impl ReserveFd {
    /// Opens the file; none at the limit of open files.
    pub(crate) fn open() -> Self {
        #[cfg(unix)]
        return Self(File::open("/dev/null").ok());
        #[cfg(not(unix))]
        Self(None)
    }

    /// Accepts one connection in its place, answers 503 and closes it.
    pub(crate) fn reject_one(&mut self, accept: impl FnOnce() -> Option<TcpStream>) {
        if self.0.take().is_none() {
            *self = Self::open();
            return;
        }
        if let Some(mut stream) = accept() {
            let sentence = format!("{}\n", Rejection::TooManyConnections);
            let response = format!(
                "HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n{sentence}",
                sentence.len()
            );
            // Neither blocks: the response fits into the socket's buffer, or is lost. The request is read
            // first, as closing a socket with unread data would discard the response.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write(response.as_bytes());
        }
        *self = Self::open();
    }
}
