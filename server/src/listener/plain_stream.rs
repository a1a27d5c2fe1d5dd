//! A TCP connection without TLS, which can be written to from outside of its task.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use registry::wake::direct_write::DirectSocket;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

use super::in_flight::SystemBuffer;
use crate::telemetry::metrics::METRICS;

/// A TCP connection without TLS.
#[derive(Debug)]
pub(crate) struct PlainStream(Arc<SharedStream>);

/// The connection, shared by its task and by the broadcasts that write to it.
#[derive(Debug)]
struct SharedStream {
    stream: TcpStream,
    /// What may be written directly until the task counts the bytes in flight again.
    direct_bytes_left: AtomicUsize,
}

impl PlainStream {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(Arc::new(SharedStream { stream, direct_bytes_left: AtomicUsize::new(0) }))
    }
}

impl DirectSocket for SharedStream {
    /// This goes past what Tokio knows of the socket's readiness. That is right, because its task does not wait for it:
    /// a task that waits until it can write has kept the right to write.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.direct_bytes_left.load(Ordering::Relaxed);
        let Some(left) = left.checked_sub(bytes.len()) else {
            return Err(ErrorKind::WouldBlock.into());
        };
        let written = send(&self.stream, bytes)?;
        // Nobody else changes it: a broadcast that writes has the right to, and so has the task when it counts.
        self.direct_bytes_left.store(left + (bytes.len() - written), Ordering::Relaxed);
        METRICS.frames_sent.count();
        METRICS.frames_written_directly.count();
        METRICS.bytes_sent.add(u64::try_from(written).unwrap_or_default());
        Ok(written)
    }
}

impl SystemBuffer for PlainStream {
    fn is_sent(&self) -> bool {
        self.0.stream.is_sent()
    }

    fn direct_socket(&self) -> Option<Arc<dyn DirectSocket>> {
        Some(Arc::<SharedStream>::clone(&self.0))
    }

    fn direct_bytes_left(&self) -> usize {
        self.0.direct_bytes_left.load(Ordering::Relaxed)
    }

    fn allow_direct_bytes(&self, bytes: usize) {
        self.0.direct_bytes_left.store(bytes, Ordering::Relaxed);
    }
}

/// One system call less than what writes several slices.
#[cfg(unix)]
fn send(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    // Without a flag against SIGPIPE: Rust programs ignore it.
    Ok(rustix::net::send(stream, bytes, rustix::net::SendFlags::empty())?)
}

#[cfg(not(unix))]
fn send(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    stream.try_write(bytes)
}

#[cfg(unix)]
fn receive(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let (_, read) = rustix::net::recv(stream, buffer, rustix::net::RecvFlags::empty())?;
    Ok(read)
}

#[cfg(not(unix))]
fn receive(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    stream.try_read(buffer)
}

/// Does what the stream is ready for, of so many bytes.
///
/// If only some of them went through, the system's buffer is empty or full: then Tokio is told that the stream is not
/// ready, as it does for its own reads and writes, which saves a system call that would find nothing.
#[cfg(unix)]
fn try_some(
    stream: &TcpStream,
    interest: Interest,
    offered: usize,
    work: impl FnOnce() -> io::Result<usize>,
) -> io::Result<usize> {
    let mut done = None;
    let outcome = stream.try_io(interest, || {
        let count = work()?;
        done = Some(count);
        if 0 < count && count < offered { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    match done {
        Some(count) => Ok(count),
        None => outcome.map(|()| 0),
    }
}

/// Elsewhere this can't be told from a part.
#[cfg(not(unix))]
fn try_some(
    _: &TcpStream,
    _: Interest,
    _: usize,
    work: impl FnOnce() -> io::Result<usize>,
) -> io::Result<usize> {
    work()
}

impl AsyncRead for PlainStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &self.0.stream;
        loop {
            ready!(stream.poll_read_ready(context))?;
            let free = buffer.initialize_unfilled();
            let offered = free.len();
            match try_some(stream, Interest::READABLE, offered, || receive(stream, free)) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if is_temporary(&error) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for PlainStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let stream = &self.0.stream;
        loop {
            ready!(stream.poll_write_ready(context))?;
            match try_some(stream, Interest::WRITABLE, bytes.len(), || send(stream, bytes)) {
                Err(error) if is_temporary(&error) => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [bytes] = slices {
            return self.poll_write(context, bytes);
        }
        let stream = &self.0.stream;
        loop {
            ready!(stream.poll_write_ready(context))?;
            match stream.try_write_vectored(slices) {
                Err(error) if is_temporary(&error) => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = socket2::SockRef::from(&self.0.stream);
        match stream.shutdown(std::net::Shutdown::Write) {
            // The client has closed it already.
            Err(error) if error.kind() == ErrorKind::NotConnected => Poll::Ready(Ok(())),
            outcome => Poll::Ready(outcome),
        }
    }
}

/// Whether the same may succeed when the stream is ready again.
fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn connection() -> (PlainStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        (PlainStream::new(stream), client)
    }

    /// More than any buffer takes, so that reads and writes are partial and wait for one another.
    #[tokio::test]
    async fn much_goes_through_in_both_directions() {
        let (mut server, mut client) = connection().await;
        let sent: Vec<u8> = (0..20_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
        let expected = sent.clone();
        let echo = tokio::spawn(async move {
            let mut received = vec![0; expected.len()];
            client.read_exact(&mut received).await.unwrap();
            assert_eq!(received, expected);
            client.write_all(&received).await.unwrap();
            client.shutdown().await.unwrap();
            client
        });
        let (slices, rest) = sent.split_at(30_000);
        let (one, other) = slices.split_at(10_000);
        let written = server.write_vectored(&[IoSlice::new(one), IoSlice::new(other)]).await;
        assert_eq!(written.unwrap(), slices.len());
        server.write_all(rest).await.unwrap();
        server.shutdown().await.unwrap();
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, sent);
        echo.await.unwrap();
    }

    #[tokio::test]
    async fn direct_writes_end_with_what_was_allowed() {
        let (server, mut client) = connection().await;
        let direct = server.direct_socket().unwrap();
        assert_eq!(direct.try_write(b"first").unwrap_err().kind(), ErrorKind::WouldBlock);
        server.allow_direct_bytes(8);
        assert_eq!(direct.try_write(b"first").unwrap(), 5);
        assert_eq!(server.direct_bytes_left(), 3);
        assert_eq!(direct.try_write(b"more").unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(direct.try_write(b"all").unwrap(), 3);
        let mut received = [0; 8];
        client.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"firstall");
    }
}
