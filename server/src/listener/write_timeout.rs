//! A stream whose other end must take some of what it is sent within a time.

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

/// A stream whose other end must take some of what it is sent within a time, or it breaks.
///
/// There is a timer only while something waits to be written.
#[derive(Debug)]
pub(crate) struct WriteTimeout<S> {
    stream: S,
    within: Option<Duration>,
    writing: Timer,
    /// By itself: where a stream keeps nothing, this is through at once, whatever waits to be written.
    flushing: Timer,
}

/// When it is too late, where something waits.
#[derive(Debug, Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl<S> WriteTimeout<S> {
    /// Without a time it waits for ever.
    pub(crate) fn new(stream: S, within: Option<Duration>) -> Self {
        Self { stream, within, writing: Timer::default(), flushing: Timer::default() }
    }

    /// The stream itself, which is waited for no more.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl Timer {
    fn check<T>(
        &mut self,
        within: Option<Duration>,
        outcome: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.0 = None;
            return outcome;
        }
        let Some(within) = within else { return Poll::Pending };
        let overdue = self.0.get_or_insert_with(|| Box::pin(sleep(within)));
        ready!(overdue.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "nothing of it is taken")))
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
        this.writing.check(this.within, outcome, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.writing.check(this.within, outcome, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// TLS says that it took what it only keeps, up to its bound.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_flush(context);
        this.flushing.check(this.within, outcome, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_shutdown(context);
        this.flushing.check(this.within, outcome, context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, BufWriter, duplex},
        time::Instant,
    };

    use super::*;

    const WITHIN: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up() {
        let (ours, _theirs) = duplex(100);
        let mut patient = WriteTimeout::new(ours, Some(WITHIN));
        let begun = Instant::now();
        let fault = patient.write_all(&[0; 1_000]).await.unwrap_err();
        assert_eq!(fault.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed(), WITHIN);
    }

    /// As with TLS: what is small is taken by the stream itself, and nobody else.
    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_what_the_stream_keeps_is_given_up() {
        for ends in [false, true] {
            let (ours, _theirs) = duplex(100);
            let mut patient = WriteTimeout::new(BufWriter::new(ours), Some(WITHIN));
            patient.write_all(&[0; 1_000]).await.unwrap();
            let begun = Instant::now();
            let waiting =
                async { if ends { patient.shutdown().await } else { patient.flush().await } };
            let outcome = tokio::time::timeout(2 * WITHIN, waiting).await.unwrap();
            assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert_eq!(begun.elapsed(), WITHIN);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_a_little_at_a_time_is_waited_for() {
        let (ours, mut theirs) = duplex(100);
        let mut patient = WriteTimeout::new(ours, Some(WITHIN));
        let taking = tokio::spawn(async move {
            let mut taken = Vec::new();
            while taken.len() < 1_000 {
                sleep(WITHIN * 9 / 10).await;
                let mut some = [0; 100];
                let length = theirs.read(&mut some).await.unwrap();
                taken.extend_from_slice(&some[..length]);
            }
            taken
        });
        patient.write_all(&[7; 1_000]).await.unwrap();
        assert_eq!(taking.await.unwrap(), [7; 1_000]);
        assert!(patient.writing.0.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_time_it_waits_for_ever() {
        let (ours, _theirs) = duplex(100);
        let mut patient = WriteTimeout::new(ours, None);
        let written = patient.write_all(&[0; 1_000]);
        assert!(tokio::time::timeout(100 * WITHIN, written).await.is_err());
    }
}
