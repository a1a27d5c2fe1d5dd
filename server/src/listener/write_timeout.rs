//! A stream that fails when its peer reads nothing for too long.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// A stream that fails when nothing of a pending write goes through within a time limit.
///
/// A timer exists only while a write or flush is pending.
#[derive(Debug)]
pub(crate) struct WriteTimeout<S> {
    stream: S,
    timeout: Option<Duration>,
    write_timer: Timer,
    /// Separate, as flushing a stream without a buffer is always ready, and would reset the other timer.
    flush_timer: Timer,
}

/// The deadline of a pending operation.
#[derive(Debug, Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl<S> WriteTimeout<S> {
    /// With no timeout it waits forever.
    pub(crate) fn new(stream: S, timeout: Option<Duration>) -> Self {
        Self { stream, timeout, write_timer: Timer::default(), flush_timer: Timer::default() }
    }

    /// The stream without the time limit.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl Timer {
    fn check<T>(
        &mut self,
        timeout: Option<Duration>,
        outcome: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.0 = None;
            return outcome;
        }
        let Some(timeout) = timeout else { return Poll::Pending };
        let deadline = self.0.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer reads nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WriteTimeout<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.write_timer.check(this.timeout, outcome, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.write_timer.check(this.timeout, outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// TLS accepts writes into its buffer: only the flush shows whether the peer reads.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(context);
        this.flush_timer.check(this.timeout, outcome, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(context);
        this.flush_timer.check(this.timeout, outcome, context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, BufWriter, duplex},
        time::Instant,
    };

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_times_out() {
        let (ours, _theirs) = duplex(100);
        let mut limited = WriteTimeout::new(ours, Some(TIMEOUT));
        let started = Instant::now();
        let error = limited.write_all(&[0; 1_000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed(), TIMEOUT);
    }

    /// Like TLS, the stream accepts a small write into its own buffer.
    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_drains_the_streams_buffer_times_out() {
        for is_shutdown in [false, true] {
            let (ours, _theirs) = duplex(100);
            let mut limited = WriteTimeout::new(BufWriter::new(ours), Some(TIMEOUT));
            limited.write_all(&[0; 1_000]).await.unwrap();
            let started = Instant::now();
            let pending = async {
                if is_shutdown { limited.shutdown().await } else { limited.flush().await }
            };
            let outcome = tokio::time::timeout(2 * TIMEOUT, pending).await.unwrap();
            assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert_eq!(started.elapsed(), TIMEOUT);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_does_not_time_out() {
        let (ours, mut theirs) = duplex(100);
        let mut limited = WriteTimeout::new(ours, Some(TIMEOUT));
        let reading = tokio::spawn(async move {
            let mut received = Vec::new();
            while received.len() < 1_000 {
                sleep(TIMEOUT * 9 / 10).await;
                let mut buffer = [0; 100];
                let length = theirs.read(&mut buffer).await.unwrap();
                received.extend_from_slice(&buffer[..length]);
            }
            received
        });
        limited.write_all(&[7; 1_000]).await.unwrap();
        assert_eq!(reading.await.unwrap(), [7; 1_000]);
        assert!(limited.write_timer.0.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_a_timeout_waits_forever() {
        let (ours, _theirs) = duplex(100);
        let mut limited = WriteTimeout::new(ours, None);
        let pending = limited.write_all(&[0; 1_000]);
        assert!(tokio::time::timeout(100 * TIMEOUT, pending).await.is_err());
    }
}
