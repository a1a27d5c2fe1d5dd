//! A real WebSocket, which writes shared frames as they are.

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
    connection::Outbox,
    transport::Socket,
};
use crate::telemetry::metrics::METRICS;

/// What is read at a time: what clients say is short, and this much is kept for every socket
/// (128 KiB by default, which is most of what an idle socket costs).
const READ_BUFFER_IN_BYTES: usize = 1024;

/// What may wait to be written besides shared frames, which are pings and goodbyes;
/// by default there is no bound.
const MOST_WRITE_BUFFER_IN_BYTES: usize = 16 * 1024;

/// How much one socket may have read while the others wait: of frames without content that are thousands.
const MOST_BYTES_READ_IN_A_TURN: usize = 16 * 1024;

/// The longest frame that is read, where there is no limit for it.
const MOST_BYTES_OF_A_FRAME: usize = 16 * 1024 * 1024;

/// How many frames go into one write at the most: writes cost, and bytes hardly do.
const MOST_FRAMES_IN_A_WRITE: usize = 16;

/// A WebSocket over a stream of bytes.
///
/// All but the shared frames is the library's: reading, pings and pongs, goodbyes.
#[derive(Debug)]
pub(crate) struct WebSocket<S> {
    inner: WebSocketStream<FramedStream<S>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The server's end of a stream on which the handshake is through, and what came after that already.
    pub(crate) async fn new(stream: S, already_read: &[u8], limits: FrameLimits) -> Self {
        let wire = FramedStream {
            stream,
            partial_frame: Bytes::default(),
            read_in_this_turn: 0,
            opened: Instant::now(),
            bucket: ByteBudget::new(limits),
        };
        // What a header only announces is memory already: there is always a bound.
        let longest =
            Some(limits.longest.number().unwrap_or(usize::MAX).min(MOST_BYTES_OF_A_FRAME));
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_IN_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(MOST_WRITE_BUFFER_IN_BYTES)
            .max_message_size(longest)
            .max_frame_size(longest);
        let inner = WebSocketStream::from_partially_read(
            wire,
            already_read.to_vec(),
            Role::Server,
            Some(config),
        );
        Self { inner: inner.await }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Socket for WebSocket<S> {
    type Fault = Error;

    /// No copy is made and no buffer kept: a frame that is shared by thousands is written from where it is.
    fn poll_send(
        &mut self,
        outbox: &mut Outbox,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        // What the library has begun to write must be whole before anything else is.
        ready!(self.inner.poll_flush_unpin(context))?;
        let wire = self.inner.get_mut();
        while !outbox.is_empty() {
            ready!(wire.poll_write_frames(outbox, context))?;
        }
        // The last frame may be a part of one, and a stream may keep what it took: TLS does.
        ready!(Pin::new(wire).poll_flush(context))?;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.inner.poll_next_unpin(context);
        if let Poll::Ready(Some(Ok(_))) = next {
            self.inner.get_mut().bucket.is_whole();
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

/// The bytes below a WebSocket: a shared frame that was begun is finished before anything else is written.
#[derive(Debug)]
struct FramedStream<S> {
    stream: S,
    /// The rest of the shared frame that was begun.
    partial_frame: Bytes,
    /// How much was read since there was nothing to read, or since the others had their turn.
    read_in_this_turn: usize,
    opened: Instant,
    /// What may still be read.
    bucket: ByteBudget,
}

impl<S: AsyncWrite + Unpin> FramedStream<S> {
    fn poll_finish(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.partial_frame.is_empty() {
            let written =
                ready!(Pin::new(&mut self.stream).poll_write(context, &self.partial_frame))?;
            self.partial_frame.advance(nonzero(written)?);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes as many frames at once as go, and takes out what was written or begun.
    fn poll_write_frames(
        &mut self,
        outbox: &mut Outbox,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_finish(context))?;
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
        // Once for each write: what that costs vanishes beside it.
        METRICS.frames_sent.add(frames);
        METRICS.bytes_sent.add(bytes_written);
        Poll::Ready(Ok(()))
    }
}

/// A stream that takes no bytes takes none ever.
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
        if !self.bucket.take(bytes, since_opening) {
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
        ready!(self.poll_finish(context))?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_finish(context))?;
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

    /// What the two ends of a connection do, one after the other or at the same time.
    #[derive(Clone, Debug)]
    enum Step {
        Tell(Vec<String>),
        ServerPings,
        ClientPings,
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => prop::collection::vec("[a-z]{0,300}", 1..20).prop_map(Step::Tell),
            1 => Just(Step::ServerPings),
            2 => Just(Step::ClientPings),
        ]
    }

    /// Plays all steps over a connection that takes only so many bytes at a time, and ends with a goodbye;
    /// returns what the client read.
    async fn play(steps: Vec<Step>, bytes_at_a_time: usize) -> Vec<Message> {
        let (ours, theirs) = duplex(bytes_at_a_time);
        let mut server = WebSocket::new(ours, &[], FrameLimits::default()).await;
        let client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let (mut says, hears) = client.split();
        let (to_client, mut client_does) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(()) = client_does.recv().await {
                // Too late where the server has said goodbye meanwhile.
                let _ = says.send(Message::Ping("hello".into())).await;
            }
        });
        let client = tokio::spawn(hears.map(Result::unwrap).collect::<Vec<_>>());
        for step in steps {
            match step {
                Step::Tell(texts) => {
                    let frames: Vec<Frame> = texts.iter().map(|text| Frame::new(text)).collect();
                    let mut outbox = Outbox::from(Batch::from(frames));
                    // The client is heard whenever it has something to say, as in a connection.
                    poll_fn(|context| {
                        let sent = server.poll_send(&mut outbox, context);
                        while let Poll::Ready(action) = server.poll_next_unpin(context) {
                            action.unwrap().unwrap();
                        }
                        sent
                    })
                    .await
                    .unwrap();
                }
                Step::ServerPings => server.send(Message::Ping(Bytes::new())).await.unwrap(),
                Step::ClientPings => to_client.send(()).unwrap(),
            }
        }
        server.send(Message::Close(None)).await.unwrap();
        while let Some(Ok(_)) = server.next().await {}
        drop(server);
        client.await.unwrap()
    }

    proptest! {
        /// Shared frames come whole and in order, whatever the library has to say in between,
        /// and however little goes through at a time.
        #[test]
        fn shared_frames_and_the_library_do_not_get_in_each_others_way(
            steps in prop::collection::vec(any_step(), 1..12),
            bytes_at_a_time in 1..400_usize,
        ) {
            let runtime = Builder::new_current_thread().build().unwrap();
            let told: Vec<String> = steps
                .iter()
                .filter_map(|step| if let Step::Tell(texts) = step { Some(texts) } else { None })
                .flatten()
                .cloned()
                .collect();
            let read = runtime.block_on(play(steps, bytes_at_a_time));
            let texts: Vec<String> =
                read.into_iter().filter(Message::is_text).map(|text| text.to_string()).collect();
            prop_assert_eq!(texts, told);
        }
    }

    /// Whoever has much to say is heard in turns, and comes to the end of it.
    #[tokio::test]
    async fn the_others_have_their_turn_between_what_one_says() {
        let mut wire = FramedStream {
            stream: tokio::io::repeat(0),
            partial_frame: Bytes::default(),
            read_in_this_turn: 0,
            opened: Instant::now(),
            bucket: ByteBudget::new(FrameLimits::default()),
        };
        let mut turns = 0;
        poll_fn(|context| {
            let mut read = 0;
            let mut some = [0; 1_000];
            while let Poll::Ready(outcome) =
                Pin::new(&mut wire).poll_read(context, &mut ReadBuf::new(&mut some))
            {
                outcome.unwrap();
                wire.bucket.is_whole();
                read += some.len();
            }
            assert!((1..MOST_BYTES_READ_IN_A_TURN + some.len()).contains(&read));
            turns += 1;
            if turns < 10 { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    /// As TLS does: what was written is on its way only when it was flushed.
    #[tokio::test(start_paused = true)]
    async fn what_a_stream_keeps_for_itself_is_sent_on() {
        let (ours, theirs) = duplex(64 * 1024);
        let mut server = WebSocket::new(BufStream::new(ours), &[], FrameLimits::default()).await;
        let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
        let mut outbox = Outbox::from(Batch::from(vec![Frame::new("news")]));
        poll_fn(|context| server.poll_send(&mut outbox, context)).await.unwrap();
        let action = timeout(Duration::from_secs(1), client.next()).await.unwrap();
        assert_eq!(action.unwrap().unwrap(), Message::text("news"));
    }

    /// Every socket that gets a frame gets the same bytes, and none keeps a copy.
    #[tokio::test]
    async fn nothing_is_kept_of_what_was_sent() {
        let (ours, _theirs) = duplex(64 * 1024);
        let mut server = WebSocket::new(ours, &[], FrameLimits::default()).await;
        let frames: Arc<[Frame]> = vec![Frame::new("news"); 30].into();
        let mut outbox = Outbox::from(Batch::from(Arc::clone(&frames)));
        poll_fn(|context| server.poll_send(&mut outbox, context)).await.unwrap();
        assert!(outbox.is_empty());
        assert_eq!(Arc::strong_count(&frames), 1);
    }
}
