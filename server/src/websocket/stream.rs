//! A WebSocket over a stream, which writes shared frames without copying them.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};
use tokio_tungstenite::WebSocketStream;
use tungstenite::{
    Error, Message,
    protocol::{Role, WebSocketConfig},
};

use super::{
    budget::{ByteBudget, FrameLimits},
    outbox::Outbox,
    transport::Socket,
};
use crate::telemetry::metrics::METRICS;

/// The size of the read buffer. Clients send little, and every socket keeps a buffer: tungstenite's default of
/// 128 KiB would be most of the memory of an idle socket. Most frames fit in it; one of 4 KiB takes sixteen reads.
const READ_BUFFER_IN_BYTES: usize = 256;

/// The maximum of pending control frames; tungstenite's default is no limit. Shared frames don't go through
/// this buffer.
const MOST_WRITE_BUFFER_IN_BYTES: usize = 16 * 1024;

/// How much is read of one socket before other tasks run: these can be thousands of empty frames.
const MOST_BYTES_READ_IN_A_TURN: usize = 16 * 1024;

/// The maximum size of a frame where no limit is set.
const MOST_BYTES_OF_A_FRAME: usize = 16 * 1024 * 1024;

/// The maximum number of frames in one write: the cost is per write, not per byte.
const MOST_FRAMES_IN_A_WRITE: usize = 16;

/// A WebSocket over a stream of bytes.
///
/// tungstenite does all but the writing of shared frames: reading, pings and pongs, the closing handshake.
#[derive(Debug)]
pub(crate) struct WebSocket<S> {
    inner: WebSocketStream<FramedStream<S>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The server's end of a stream after the handshake, with the bytes that were read after it.
    pub(crate) async fn new(stream: S, already_read: &[u8], limits: FrameLimits) -> Self {
        let stream = FramedStream {
            stream,
            partial_frame: Bytes::default(),
            read_in_this_turn: 0,
            opened: Instant::now(),
            budget: ByteBudget::new(limits),
        };
        // There is always a limit, since memory is allocated for the length that a header announces.
        let longest =
            Some(limits.longest.number().unwrap_or(usize::MAX).min(MOST_BYTES_OF_A_FRAME));
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_IN_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(MOST_WRITE_BUFFER_IN_BYTES)
            .max_message_size(longest)
            .max_frame_size(longest);
        let inner = WebSocketStream::from_partially_read(
            stream,
            already_read.to_vec(),
            Role::Server,
            Some(config),
        );
        Self { inner: inner.await }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for WebSocket<S> {
    /// Writes frames, which thousands of sockets share, without a copy and without a buffer.
    fn poll_send(
        &mut self,
        outbox: &mut Outbox,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        // A control frame that tungstenite has begun to write has to be finished first.
        ready!(self.inner.poll_flush_unpin(context))?;
        let stream = self.inner.get_mut();
        while !outbox.is_empty() {
            ready!(stream.poll_write_frames(outbox, context))?;
        }
        // The last frame may be written in part, and the stream may have a buffer, as TLS has.
        ready!(Pin::new(stream).poll_flush(context))?;
        Poll::Ready(Ok(()))
    }

    fn finish_frame(&mut self, rest: Bytes) {
        let stream = self.inner.get_mut();
        debug_assert!(stream.partial_frame.is_empty(), "nobody else writes while a task writes");
        stream.partial_frame = rest;
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.inner.poll_next_unpin(context);
        if let Poll::Ready(Some(Ok(_))) = next {
            self.inner.get_mut().budget.on_message();
        }
        next
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for WebSocket<S> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready_unpin(context)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.inner.start_send_unpin(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_flush_unpin(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_close_unpin(context)
    }
}

/// The byte stream below a WebSocket. It finishes a partly written shared frame before any other write.
#[derive(Debug)]
struct FramedStream<S> {
    stream: S,
    /// The rest of a partly written shared frame.
    partial_frame: Bytes,
    /// Bytes read since this last yielded to other tasks, or since there was nothing to read.
    read_in_this_turn: usize,
    opened: Instant,
    budget: ByteBudget,
}

impl<S: AsyncWrite + Unpin> FramedStream<S> {
    /// Writes the rest of a partly written frame.
    fn poll_finish_frame(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.partial_frame.is_empty() {
            let written =
                ready!(Pin::new(&mut self.stream).poll_write(context, &self.partial_frame))?;
            self.partial_frame.advance(nonzero(written)?);
            METRICS.bytes_sent.add(u64::try_from(written).unwrap_or_default());
        }
        Poll::Ready(Ok(()))
    }

    /// Writes as many frames as one write takes, and removes those that were written at least in part.
    fn poll_write_frames(
        &mut self,
        outbox: &mut Outbox,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_finish_frame(context))?;
        let mut slices = [IoSlice::new(&[]); MOST_FRAMES_IN_A_WRITE];
        let mut count = 0;
        for (slice, frame) in slices.iter_mut().zip(outbox.remaining()) {
            *slice = IoSlice::new(frame.bytes());
            count += 1;
        }
        let stream = Pin::new(&mut self.stream);
        let slices = slices.get(..count).unwrap_or_default();
        let mut written = nonzero(ready!(stream.poll_write_vectored(context, slices))?)?;
        let bytes_written = u64::try_from(written).unwrap_or_default();
        let mut frames = 0;
        while written > 0
            && let Some(frame) = outbox.take_next()
        {
            frames += 1;
            let bytes = frame.bytes();
            if written < bytes.len() {
                self.partial_frame = bytes.slice(written..);
            }
            written = written.saturating_sub(bytes.len());
        }
        // Per write and not per frame, so that the atomics cost nothing in comparison.
        METRICS.frames_sent.add(frames);
        METRICS.bytes_sent.add(bytes_written);
        Poll::Ready(Ok(()))
    }
}

/// A write of zero bytes means that the stream takes no more.
fn nonzero(written: usize) -> io::Result<usize> {
    if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(written) }
}

impl<S: AsyncRead + Unpin> AsyncRead for FramedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read_in_this_turn >= MOST_BYTES_READ_IN_A_TURN {
            self.read_in_this_turn = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) else {
            self.read_in_this_turn = 0;
            return Poll::Pending;
        };
        read?;
        let (bytes, since_opening) = (buffer.filled().len() - before, self.opened.elapsed());
        self.read_in_this_turn += bytes;
        if !self.budget.take(bytes, since_opening) {
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FramedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_finish_frame(context))?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_finish_frame(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::Arc, time::Duration};

    use proptest::prelude::*;
    use tokio::{
        io::{BufStream, duplex},
        runtime::Builder,
        time::timeout,
    };

    use super::*;
    use registry::encoding::frame::{Batch, Frame};

    /// A step of one end of a connection.
    #[derive(Clone, Debug)]
    enum Sent {
        ServerSends(Vec<String>),
        ServerPings,
        ClientPings,
    }

    fn any_step() -> impl Strategy<Value = Sent> {
        prop_oneof![
            3 => prop::collection::vec("[a-z]{0,300}", 1..20).prop_map(Sent::ServerSends),
            1 => Just(Sent::ServerPings),
            2 => Just(Sent::ClientPings),
        ]
    }

    /// Runs all steps over a connection with a small buffer, closes it, and returns what the client read.
    async fn run(steps: Vec<Sent>, buffer_in_bytes: usize) -> Vec<Message> {
        let (ours, theirs) = duplex(buffer_in_bytes);
        let mut server = WebSocket::new(ours, &[], FrameLimits::default()).await;
        let client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let (mut client_sink, client_stream) = client.split();
        let (to_client, mut client_pings) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(()) = client_pings.recv().await {
                // It fails if the server has closed the socket meanwhile.
                let _ = client_sink.send(Message::Ping("hello".into())).await;
            }
        });
        let client = tokio::spawn(client_stream.map(Result::unwrap).collect::<Vec<_>>());
        for step in steps {
            match step {
                Sent::ServerSends(texts) => {
                    let frames: Vec<Frame> = texts.iter().map(|text| Frame::new(text)).collect();
                    let mut outbox = Outbox::from(Batch::from(frames));
                    // Reads whenever something arrives, as a connection does.
                    poll_fn(|context| {
                        let sent = server.poll_send(&mut outbox, context);
                        while let Poll::Ready(message) = server.poll_next_unpin(context) {
                            message.unwrap().unwrap();
                        }
                        sent
                    })
                    .await
                    .unwrap();
                }
                Sent::ServerPings => server.send(Message::Ping(Bytes::new())).await.unwrap(),
                Sent::ClientPings => to_client.send(()).unwrap(),
            }
        }
        server.send(Message::Close(None)).await.unwrap();
        while let Some(Ok(_)) = server.next().await {}
        drop(server);
        client.await.unwrap()
    }

    proptest! {
        /// Shared frames arrive whole and in order, whatever control frames tungstenite writes in between, and
        /// however small the writes are.
        #[test]
        fn shared_frames_and_control_frames_do_not_interleave(
            steps in prop::collection::vec(any_step(), 1..12),
            buffer_in_bytes in 1..400_usize,
        ) {
            let runtime = Builder::new_current_thread().build().unwrap();
            let sent: Vec<String> = steps
                .iter()
                .filter_map(|step| if let Sent::ServerSends(texts) = step { Some(texts) } else { None })
                .flatten()
                .cloned()
                .collect();
            let read = runtime.block_on(run(steps, buffer_in_bytes));
            let texts: Vec<String> =
                read.into_iter().filter(Message::is_text).map(|text| text.to_string()).collect();
            prop_assert_eq!(texts, sent);
        }
    }

    #[tokio::test]
    async fn reading_yields_to_other_tasks_and_continues() {
        let mut stream = FramedStream {
            stream: tokio::io::repeat(0),
            partial_frame: Bytes::default(),
            read_in_this_turn: 0,
            opened: Instant::now(),
            budget: ByteBudget::new(FrameLimits::default()),
        };
        let mut turns = 0;
        poll_fn(|context| {
            let mut read = 0;
            let mut buffer = [0; 1_000];
            while let Poll::Ready(outcome) =
                Pin::new(&mut stream).poll_read(context, &mut ReadBuf::new(&mut buffer))
            {
                outcome.unwrap();
                stream.budget.on_message();
                read += buffer.len();
            }
            assert!((1..MOST_BYTES_READ_IN_A_TURN + buffer.len()).contains(&read));
            turns += 1;
            if turns < 10 { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    /// Like TLS, the stream has a buffer of its own.
    #[tokio::test(start_paused = true)]
    async fn a_stream_with_a_buffer_is_flushed() {
        let (ours, theirs) = duplex(64 * 1024);
        let mut server = WebSocket::new(BufStream::new(ours), &[], FrameLimits::default()).await;
        let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let mut outbox = Outbox::from(Batch::from(vec![Frame::new("news")]));
        poll_fn(|context| server.poll_send(&mut outbox, context)).await.unwrap();
        let message = timeout(Duration::from_secs(1), client.next()).await.unwrap();
        assert_eq!(message.unwrap().unwrap(), Message::text("news"));
    }

    #[tokio::test]
    async fn a_socket_keeps_no_reference_to_sent_frames() {
        let (ours, _theirs) = duplex(64 * 1024);
        let mut server = WebSocket::new(ours, &[], FrameLimits::default()).await;
        let frames: Arc<[Frame]> = vec![Frame::new("news"); 30].into();
        let mut outbox = Outbox::from(Batch::from(Arc::clone(&frames)));
        poll_fn(|context| server.poll_send(&mut outbox, context)).await.unwrap();
        assert!(outbox.is_empty());
        assert_eq!(Arc::strong_count(&frames), 1);
    }
}
