//! What is done when no more files may be open.

use std::{
    fs::File,
    io::{Read, Write},
    net::TcpStream,
};

use crate::admission::Rejection;

/// An open file for the moment when there are no others: without it, connections that can't be accepted
/// would wait where nobody tells them anything.
#[derive(Debug)]
pub(crate) struct ReserveFd(Option<File>);

impl ReserveFd {
    /// Opens it, while that can be done.
    pub(crate) fn open() -> Self {
        #[cfg(unix)]
        return Self(File::open("/dev/null").ok());
        #[cfg(not(unix))]
        Self(None)
    }

    /// Accepts one connection in its place, tells it that there is no room, and closes it at once.
    pub(crate) fn reject_one(&mut self, accept: impl FnOnce() -> Option<TcpStream>) {
        if self.0.take().is_none() {
            *self = Self::open();
            return;
        }
        if let Some(mut stream) = accept() {
            let sentence = format!("{}\n", Rejection::TooManyConnections);
            let answer = format!(
                "HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n{sentence}",
                sentence.len()
            );
            // Nothing is waited for: it fits into what the system keeps, or it is lost. What is left
            // unread would make the system throw the answer away.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write(answer.as_bytes());
        }
        *self = Self::open();
    }
}
