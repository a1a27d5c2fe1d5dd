//! The server's side of a connection, whose frames are reported to the row model.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use app::presence::{ClientEvent, CloseCode, DepartureReason, UserId};
use futures_util::{Sink, Stream};
use server::websocket::transport::{Socket, TransportError};
use tokio::time::Instant;
use tungstenite::Message;

use crate::{
    network::{
        link::{Down, Link},
        pipe::{PipeEnd, PipeReader, Received},
    },
    oracle::room_record::Room,
    recorder::Recorder,
    server::process::Process,
    sync::lock,
};

/// A WebSocket of the server.
#[derive(Debug)]
pub(crate) struct ServerSocket {
    info: ConnectionInfo,
    link: Link,
    room: Arc<Room>,
    server: Arc<Mutex<Process>>,
    recorder: Arc<Recorder>,
    reader: PipeReader<Message>,
    stage: SocketStage,
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

impl Socket for ServerSocket {}

impl ServerSocket {
    pub(crate) fn new(
        info: ConnectionInfo,
        link: Link,
        room: Arc<Room>,
        server: Arc<Mutex<Process>>,
        recorder: Arc<Recorder>,
    ) -> Self {
        let reader = PipeReader::new(link.up.clone());
        Self { info, link, room, server, recorder, reader, stage: SocketStage::Talking }
    }

    fn hear(&self, text: &str) {
        let ConnectionInfo { user_id, connection, process } = self.info;
        if self.stage == SocketStage::Talking
            && lock(&self.server).is_serving(process)
            && let Ok(event) = serde_json::from_str::<ClientEvent>(text)
        {
            self.room.record().row_model.on_frame(user_id, connection, &event, Instant::now());
        }
    }

    fn end(&mut self, reason: DepartureReason) {
        let ConnectionInfo { user_id, connection, process } = self.info;
        if self.stage != SocketStage::Over && lock(&self.server).is_serving(process) {
            self.recorder
                .trace_detail(|| format!("server: #{connection} of {user_id} ends: {reason:?}"));
            self.room.record().row_model.on_connection_end(
                user_id,
                connection,
                reason,
                Instant::now(),
            );
        }
        self.stage = SocketStage::Over;
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

impl Stream for ServerSocket {
    type Item = Result<Message, SocketBroken>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The effect of the last frame is recorded before the next one is read.
        self.observe();
        Poll::Ready(match std::task::ready!(self.reader.poll(context)) {
            Received::Message(message) => {
                match &message {
                    Message::Text(text) => {
                        let ConnectionInfo { user_id, connection, .. } = self.info;
                        self.recorder.trace_detail(|| {
                            format!("server: #{connection} of {user_id} sends {text}")
                        });
                        self.hear(text);
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

impl Sink<Message> for ServerSocket {
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
        }
        ready.map_err(|_| SocketBroken)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), SocketBroken> {
        self.observe();
        if let Message::Close(_) = &message {
            self.end(DepartureReason::Closed);
        }
        self.link.down.write(Down::Message(message));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SocketBroken>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), SocketBroken>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for ServerSocket {
    fn drop(&mut self) {
        self.end(DepartureReason::Lost);
        self.link.down.finish();
        self.link.up.close_reader();
    }
}
