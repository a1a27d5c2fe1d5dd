//! A stream that answers requests whose head is too long, and notices line feeds alone.
//!
//! hyper would answer them without a word, and close while the browser still sends: the connection would be
//! reset before the answer is read. Cookies are the usual cause: browsers send all of a host, of every port,
//! and keep up to 180 of 4 KiB each.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::line_ends::LineEnds;
use crate::telemetry::metrics::METRICS;

/// The longest head of a request. Nothing of it is kept after the response.
pub(super) const LONGEST_HEAD_IN_BYTES: usize = 64 * 1024;

/// How much of a longer head is read and dropped, so that the browser gets to read the answer: more than all
/// cookies that it can have.
const MOST_DISCARDED_IN_BYTES: usize = 1024 * 1024;

const ANSWER: &str = concat!(
    "HTTP/1.1 431 Request Header Fields Too Large\r\n",
    "content-type: text/html; charset=utf-8\r\n",
    "cache-control: no-store\r\n",
    "content-security-policy: default-src 'none'; base-uri 'none'; frame-ancestors 'none'\r\n",
    "x-content-type-options: nosniff\r\n",
    "connection: close\r\n\r\n",
    "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">",
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
    "<title>Too many cookies · Rollcall</title></head><body><h1>Too many cookies</h1>",
    "<p>Your browser sends too many cookies for this address, more than 64 KiB: other programs on this host ",
    "have set them. Delete the cookies of this site in your browser's settings, then load the page again.</p>",
    "</body></html>\n",
);

/// A stream that answers by itself, and then ends, when more than the longest head is read without an answer
/// in between. No request to this server has a long body.
#[derive(Debug)]
pub(crate) struct HeadLimit<S> {
    stream: S,
    state: State,
    line_ends: LineEnds,
    bare_line_feeds: BareLineFeeds,
}

/// Whether a head of a connection had a line feed without a carriage return.
#[derive(Clone, Debug, Default)]
pub(crate) struct BareLineFeeds(Arc<AtomicBool>);

impl BareLineFeeds {
    /// Of a head that was read until now, so that no response is written in the middle of another one.
    pub(crate) fn were_read(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Marks a request on a connection of which a head had one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BareLineFeed;

#[derive(Debug)]
enum State {
    /// So many bytes were read since the last write.
    Reading(usize),
    /// The rest of the answer is to be written.
    Answering(&'static [u8]),
    /// The sending side is to be closed.
    Closing,
    /// So many more bytes are read and dropped.
    Discarding(usize),
}

impl<S> HeadLimit<S> {
    /// A stream of which nothing was read.
    pub(crate) fn new(stream: S) -> Self {
        let (line_ends, bare_line_feeds) = (LineEnds::default(), BareLineFeeds::default());
        Self { stream, state: State::Reading(0), line_ends, bare_line_feeds }
    }

    /// What is known of line feeds alone; it stays with the stream's owner.
    pub(crate) fn bare_line_feeds(&self) -> BareLineFeeds {
        self.bare_line_feeds.clone()
    }

    /// The stream without the limit.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    fn wrote<T>(&mut self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let (State::Reading(read), Poll::Ready(Ok(_))) = (&mut self.state, &outcome) {
            *read = 0;
            self.line_ends.answered();
        }
        outcome
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for HeadLimit<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, state, line_ends, bare_line_feeds } = &mut *self;
        let mut stream = Pin::new(stream);
        loop {
            match state {
                State::Reading(read) => {
                    let before = buffer.filled().len();
                    ready!(stream.as_mut().poll_read(context, buffer))?;
                    let bytes = buffer.filled().get(before..).unwrap_or_default();
                    if line_ends.read(bytes) {
                        bare_line_feeds.0.store(true, Ordering::Relaxed);
                    }
                    *read += bytes.len();
                    if *read <= LONGEST_HEAD_IN_BYTES {
                        return Poll::Ready(Ok(()));
                    }
                    buffer.set_filled(before);
                    METRICS.responded(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
                    *state = State::Answering(ANSWER.as_bytes());
                }
                State::Answering([]) => *state = State::Closing,
                State::Answering(rest) => {
                    let length = ready!(stream.as_mut().poll_write(context, rest))?;
                    *rest = rest.get(length..).unwrap_or_default();
                }
                State::Closing => {
                    ready!(stream.as_mut().poll_shutdown(context))?;
                    *state = State::Discarding(MOST_DISCARDED_IN_BYTES);
                }
                State::Discarding(left) => {
                    let mut dropped = [0; 4096];
                    let mut dropped = ReadBuf::new(&mut dropped);
                    ready!(stream.as_mut().poll_read(context, &mut dropped))?;
                    *left = left.saturating_sub(dropped.filled().len());
                    if dropped.filled().is_empty() || *left == 0 {
                        // The end of the stream.
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadLimit<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_head_within_the_limit_is_read_after_each_response() {
        let (ours, mut theirs) = duplex(2 * LONGEST_HEAD_IN_BYTES);
        let mut limited = HeadLimit::new(ours);
        let mut head = vec![0; LONGEST_HEAD_IN_BYTES];
        for _ in 0..3 {
            theirs.write_all(&vec![7; LONGEST_HEAD_IN_BYTES]).await.unwrap();
            limited.read_exact(&mut head).await.unwrap();
            assert!(head.iter().all(|byte| *byte == 7));
            limited.write_all(b"response").await.unwrap();
            theirs.read_exact(&mut [0; 8]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_longer_head_is_answered_and_read_to_its_end() {
        let (ours, theirs) = duplex(1_000);
        let mut limited = HeadLimit::new(ours);
        let (mut reader, mut writer) = tokio::io::split(theirs);
        let sending = async move {
            writer.write_all(&vec![7; 5 * LONGEST_HEAD_IN_BYTES]).await.unwrap();
            writer.shutdown().await.unwrap();
        };
        let mut answer = String::new();
        let mut head = Vec::new();
        let ((), length, read) = tokio::join!(
            sending,
            reader.read_to_string(&mut answer),
            limited.read_to_end(&mut head)
        );
        assert!(length.unwrap() > 0 && answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(answer.contains("Your browser sends too many cookies for this address"));
        assert!(read.unwrap() <= LONGEST_HEAD_IN_BYTES);
    }

    #[tokio::test]
    async fn an_endless_head_ends_the_connection() {
        let (ours, mut theirs) = duplex(100_000);
        let mut limited = HeadLimit::new(ours);
        let sending = tokio::spawn(async move {
            let mut sent = 0;
            while theirs.write_all(&[7; 10_000]).await.is_ok() {
                sent += 10_000;
            }
            sent
        });
        limited.read_to_end(&mut Vec::new()).await.unwrap();
        drop(limited);
        assert!(sending.await.unwrap() < LONGEST_HEAD_IN_BYTES + 2 * MOST_DISCARDED_IN_BYTES);
    }
}
