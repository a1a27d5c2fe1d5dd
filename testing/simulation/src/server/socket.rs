//! The server's side of a connection, whose frames are reported to an observer.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use app::presence::{ClientEvent, CloseCode, DepartureReason, UserId};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use registry::wake::direct_write::DirectSocket;
use server::websocket::transport::{Socket, TransportError};
use tokio::time::Instant;
use tungstenite::Message;

use crate::{
    network::{
        link::Link,
        pipe::{PipeEnd, PipeReader, Received},
    },
    oracle::room_record::Room,
    recorder::Recorder,
    server::{direct::ByteStream, process::Process, told::Told},
    sync::lock,
};

/// A WebSocket of the server.
#[derive(Debug)]
pub(crate) struct ServerSocket<O: SocketObserver> {
    link: Link,
    observer: Arc<O>,
    bytes: Arc<ByteStream<O>>,
    /// The rest of a frame that a broadcast wrote in part.
    rest: Bytes,
    reader: PipeReader<Message>,
    stage: SocketStage,
}

/// Who is told of what happens to a socket of the server.
pub(crate) trait SocketObserver: fmt::Debug + Send + Sync + 'static {
    /// The server reads a frame of a page that has been told so much.
    fn on_frame(&self, text: &str, told: &mut Told);

    /// The server notices the end of the connection.
    fn on_end(&self, reason: DepartureReason);

    /// The effect of the last frame shows.
    fn observe(&self);
}

/// Reports to the model of a room's rows.
#[derive(Debug)]
pub(crate) struct RowObserver {
    pub(crate) info: ConnectionInfo,
    pub(crate) room: Arc<Room>,
    pub(crate) server: Arc<Mutex<Process>>,
    pub(crate) recorder: Arc<Recorder>,
}

/// The person, number and process of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionInfo {
    pub(crate) user_id: UserId,
    pub(crate) connection: u64,
    pub(crate) process: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SocketStage {
    Talking,
    /// It can't be written to. Reading tells how it ended.
    Unwritable,
    Over,
}

/// The connection broke.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SocketBroken;

impl fmt::Display for SocketBroken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection broke")
    }
}

impl TransportError for SocketBroken {
    fn close_code(&self) -> Option<CloseCode> {
        None
    }
}

impl<O: SocketObserver> Socket for ServerSocket<O> {
    fn finish_frame(&mut self, rest: Bytes) {
        self.rest = rest;
    }
}

impl<O: SocketObserver> ServerSocket<O> {
    pub(crate) fn new(link: Link, observer: O, recorder: &Arc<Recorder>) -> Self {
        let reader = PipeReader::new(link.up.clone());
        let (observer, rng) = (Arc::new(observer), recorder.fork_rng());
        let (down, recorder) = (link.down.clone(), Arc::clone(recorder));
        let bytes = ByteStream::new(down, Arc::clone(&observer), recorder, rng);
        let (bytes, rest) = (Arc::new(bytes), Bytes::new());
        Self { link, observer, bytes, rest, reader, stage: SocketStage::Talking }
    }

    /// What broadcasts write through.
    pub(crate) fn direct(&self) -> Arc<dyn DirectSocket> {
        Arc::<ByteStream<O>>::clone(&self.bytes)
    }

    /// What the page has been told by then.
    pub(crate) fn told(&self) -> Arc<Mutex<Told>> {
        Arc::clone(self.bytes.told())
    }

    /// Writes the rest of a frame before anything else, as the real stream does.
    fn finish(&mut self) {
        if !self.rest.is_empty() {
            self.bytes.write_bytes(&std::mem::take(&mut self.rest));
        }
    }

    fn end(&mut self, reason: DepartureReason) {
        if self.stage != SocketStage::Over {
            self.observer.on_end(reason);
        }
        self.stage = SocketStage::Over;
        lock(self.bytes.told()).on_end();
    }
}

impl SocketObserver for RowObserver {
    fn on_frame(&self, text: &str, told: &mut Told) {
        let ConnectionInfo { user_id, connection, process } = self.info;
        self.recorder.trace_detail(|| format!("server: #{connection} of {user_id} sends {text}"));
        if lock(&self.server).is_serving(process)
            && let Ok(event) = serde_json::from_str::<ClientEvent>(text)
        {
            told.on_request(&event);
            self.room.record().row_model.on_frame(user_id, connection, &event, Instant::now());
        }
    }

    fn on_end(&self, reason: DepartureReason) {
        let ConnectionInfo { user_id, connection, process } = self.info;
        if lock(&self.server).is_serving(process) {
            self.recorder
                .trace_detail(|| format!("server: #{connection} of {user_id} ends: {reason:?}"));
            self.room.record().row_model.on_connection_end(
                user_id,
                connection,
                reason,
                Instant::now(),
            );
        }
    }

    fn observe(&self) {
        let hub = {
            let server = lock(&self.server);
            server.is_serving(self.info.process).then(|| server.serving_hub()).flatten()
        };
        if let Some(hub) = hub {
            self.room.observe(&hub, &self.recorder, false);
        }
    }
}

impl<O: SocketObserver> Stream for ServerSocket<O> {
    type Item = Result<Message, SocketBroken>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The effect of the last frame is recorded before the next one is read.
        self.observer.observe();
        Poll::Ready(match std::task::ready!(self.reader.poll(context)) {
            Received::Message(message) => {
                match &message {
                    Message::Text(text) if self.stage == SocketStage::Talking => {
                        self.observer.on_frame(text, &mut lock(self.bytes.told()));
                    }
                    Message::Close(_) => self.end(DepartureReason::Closed),
                    _ => {}
                }
                Some(Ok(message))
            }
            Received::Ended(end) => {
                self.end(DepartureReason::Lost);
                match end {
                    PipeEnd::Finished => None,
                    PipeEnd::Reset => Some(Err(SocketBroken)),
                }
            }
        })
    }
}

impl<O: SocketObserver> Sink<Message> for ServerSocket<O> {
    type Error = SocketBroken;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SocketBroken>> {
        let ready = self.link.down.poll_ready(context);
        if let Poll::Ready(Err(_)) = ready
            && self.stage == SocketStage::Talking
        {
            self.stage = SocketStage::Unwritable;
            lock(self.bytes.told()).on_end();
        }
        ready.map_err(|_| SocketBroken)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), SocketBroken> {
        self.observer.observe();
        if let Message::Close(_) = &message {
            self.end(DepartureReason::Closed);
        }
        self.finish();
        self.bytes.write(message);
        Ok(())
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SocketBroken>> {
        if !self.rest.is_empty() {
            std::task::ready!(self.as_mut().poll_ready(context))?;
            self.finish();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SocketBroken>> {
        Poll::Ready(Ok(()))
    }
}

impl<O: SocketObserver> Drop for ServerSocket<O> {
    fn drop(&mut self) {
        self.end(DepartureReason::Lost);
        self.link.down.finish();
        self.link.up.close_reader();
    }
}
