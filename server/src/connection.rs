//! One WebSocket: the loop between a client and its room.

use std::{convert::Infallible, time::Duration};

use app::presence::{CloseCode, DepartureReason, Refusal, ServerEvent};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    conversation::{Conversation, Heard, Request},
    hub::Membership,
    presence::{frames::encode, refused::Refused},
};

/// The clocks of a connection.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionConfig {
    /// The first frame must be accepted within this time.
    pub first_frame_within: Duration,
    /// How often the client is pinged and told where its list should be.
    pub heartbeat_every: Duration,
    /// How long a ping's answer is waited for.
    pub pong_within: Duration,
    /// A list is sent again at most this often.
    pub resync_every: Duration,
    /// How long a write may take before the client counts as lost.
    pub write_within: Duration,
    /// How long the client's side of the closing handshake is waited for.
    pub close_within: Duration,
}

impl Default for ConnectionConfig {
    /// The times of the protocol.
    fn default() -> Self {
        Self {
            first_frame_within: Duration::from_secs(10),
            heartbeat_every: Duration::from_secs(10),
            pong_within: Duration::from_secs(5),
            resync_every: Duration::from_secs(5),
            write_within: Duration::from_secs(10),
            close_within: Duration::from_secs(1),
        }
    }
}

/// A socket's error, and what to tell the client about it.
pub trait SocketFault: std::fmt::Display {
    /// The close code of a client that broke the rules; none where the connection itself broke.
    fn close_code(&self) -> Option<CloseCode>;
}

/// What a connection talks through: a WebSocket, or two channels in a test.
pub trait Socket:
    Stream<Item = Result<Message, Self::Fault>> + Sink<Message> + Unpin + Send
{
    /// What goes wrong while reading.
    type Fault: SocketFault;
}

/// Serves one socket until it ends. `closing` ends it with 1012.
pub async fn serve<S: Socket>(
    socket: S,
    membership: Membership,
    config: ConnectionConfig,
    closing: CancellationToken,
) {
    let mut connection =
        Connection { socket, membership, config, conversation: Conversation::new() };
    let ending = connection.converse(&closing).await;
    connection.end(ending).await;
}

struct Connection<S> {
    socket: S,
    membership: Membership,
    config: ConnectionConfig,
    conversation: Conversation,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// The client closed it as one should.
    ClosedByClient,
    /// The server closes it.
    ClosedByServer(CloseCode),
    /// It broke.
    Broken,
}

impl<S: Socket> Connection<S> {
    async fn converse(&mut self, closing: &CancellationToken) -> Ending {
        match self.follow(closing).await {
            Ok(never) => match never {},
            Err(ending) => ending,
        }
    }

    async fn follow(&mut self, closing: &CancellationToken) -> Result<Infallible, Ending> {
        let opened = Instant::now();
        let first_frame_until = opened + self.config.first_frame_within;
        let first_beat = opened + self.config.heartbeat_every;
        let mut heartbeat = interval_at(first_beat, self.config.heartbeat_every);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pong_until: Option<Instant> = None;
        let mut resync = Resync::Idle { allowed_from: opened };
        loop {
            let is_following = self.conversation.is_following();
            tokio::select! {
                () = closing.cancelled() => return Err(Ending::ClosedByServer(CloseCode::Restart)),
                message = self.socket.next() => match message {
                    None => return Err(Ending::Broken),
                    Some(Err(fault)) => return Err(ending_of(&fault)),
                    Some(Ok(Message::Text(text))) => {
                        let heard = self.conversation.hear(&text, opened.elapsed());
                        if self.react(heard).await? == Reaction::ResyncWanted {
                            resync = resync.wanted();
                        }
                    }
                    Some(Ok(Message::Binary(_))) => {
                        return Err(Ending::ClosedByServer(CloseCode::Binary));
                    }
                    Some(Ok(Message::Pong(_))) => pong_until = None,
                    Some(Ok(Message::Ping(_))) => {}
                    Some(Ok(Message::Close(_))) => return Err(Ending::ClosedByClient),
                },
                () = self.membership.listen(), if is_following => {}
                () = sleep_until(first_frame_until), if !is_following => {
                    return Err(Ending::ClosedByServer(CloseCode::NoFirstFrame));
                }
                _ = heartbeat.tick() => {
                    self.send(Message::Ping(Utf8Bytes::default().into())).await?;
                    pong_until.get_or_insert_with(|| Instant::now() + self.config.pong_within);
                    if is_following && let Some(beat) = self.membership.beat() {
                        self.send(Message::Text(beat)).await?;
                    }
                }
                () = sleep_until(pong_until.unwrap_or(opened)), if pong_until.is_some() => {
                    return Err(Ending::Broken);
                }
                () = sleep_until(resync.due().unwrap_or(opened)), if resync.due().is_some() => {
                    self.membership.resync();
                    resync = Resync::Idle { allowed_from: Instant::now() + self.config.resync_every };
                }
            }
            if self.conversation.is_following() {
                for frame in self.membership.news() {
                    self.send(Message::Text(frame)).await?;
                }
            }
        }
    }

    async fn react(&mut self, heard: Heard) -> Result<Reaction, Ending> {
        let request = match heard {
            Heard::Close(code) => return Err(Ending::ClosedByServer(code)),
            Heard::Refuse(refusal) => {
                self.refuse(refusal).await?;
                return Ok(Reaction::Done);
            }
            Heard::Request(request) => request,
        };
        let of = request.event();
        let outcome = match request {
            Request::Resync => return Ok(Reaction::ResyncWanted),
            Request::Watch => self.membership.watch(),
            Request::Announce { name, announcement } => {
                self.membership.announce(&name, announcement)
            }
            Request::Rename { name } => self.membership.rename(&name),
            Request::Leave => {
                self.membership.leave();
                Ok(())
            }
            Request::Nothing => Ok(()),
        };
        match outcome {
            Ok(()) => self.conversation.accepted(),
            Err(refused @ (Refused::Name(_) | Refused::NotListed)) => {
                self.refuse(refused.of(of)).await?;
            }
            Err(refused) => {
                tracing::info!(code = ?refused.code(), "a frame was refused for want of room");
                self.refuse(refused.of(of)).await?;
            }
        }
        Ok(Reaction::Done)
    }

    async fn refuse(&mut self, refusal: Refusal) -> Result<(), Ending> {
        self.send(Message::Text(encode(&ServerEvent::Refused(refusal)))).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Ending> {
        match timeout(self.config.write_within, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ending::Broken),
        }
    }

    /// Says goodbye where the other side can still hear it, and lets the others know.
    async fn end(mut self, ending: Ending) {
        tracing::debug!(?ending, "a socket ends");
        match ending {
            Ending::Broken => {}
            Ending::ClosedByClient => {
                self.membership.departs_as(DepartureReason::Closed);
                drop(self.membership);
                drain(&mut self.socket, self.config.close_within).await;
            }
            Ending::ClosedByServer(code) => {
                self.membership.departs_as(DepartureReason::Closed);
                drop(self.membership);
                let frame = CloseFrame { code: code.number(), reason: Utf8Bytes::default() };
                let goodbye = self.socket.send(Message::Close(Some(frame)));
                if let Ok(Ok(())) = timeout(self.config.close_within, goodbye).await {
                    drain(&mut self.socket, self.config.close_within).await;
                }
            }
        }
    }
}

/// Whether a frame asks for something that its connection has to see to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reaction {
    Done,
    ResyncWanted,
}

/// When the list is sent again: one at a time, and not too often.
#[derive(Clone, Copy, Debug)]
enum Resync {
    Idle { allowed_from: Instant },
    Due(Instant),
}

impl Resync {
    fn wanted(self) -> Self {
        match self {
            Self::Idle { allowed_from } => Self::Due(allowed_from),
            due @ Self::Due(_) => due,
        }
    }

    fn due(self) -> Option<Instant> {
        match self {
            Self::Idle { .. } => None,
            Self::Due(moment) => Some(moment),
        }
    }
}

fn ending_of(fault: &impl SocketFault) -> Ending {
    match fault.close_code() {
        Some(code) => Ending::ClosedByServer(code),
        None => Ending::Broken,
    }
}

/// Reads on until the closing handshake is through: breaking off earlier would lose the client's close frame.
async fn drain<S: Socket>(socket: &mut S, within: Duration) {
    let _ = timeout(within, async { while let Some(Ok(_)) = socket.next().await {} }).await;
}

impl Socket for WebSocket {
    type Fault = axum::Error;
}

impl SocketFault for axum::Error {
    fn close_code(&self) -> Option<CloseCode> {
        use tungstenite::Error;
        let source = std::error::Error::source(self)?;
        match source.downcast_ref::<Error>()? {
            Error::Capacity(_) => Some(CloseCode::TooBig),
            Error::Utf8(_) => Some(CloseCode::NotUtf8),
            Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
                None
            }
            Error::Protocol(_) => Some(CloseCode::ProtocolError),
            _ => None,
        }
    }
}
