//! One WebSocket: the loop between a client and its room.

use std::{collections::VecDeque, convert::Infallible, future::ready, time::Duration};

use app::presence::{CloseCode, DepartureReason, Refusal, ServerEvent};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};

use crate::{
    conversation::{Conversation, Heard, Request},
    hub::{Membership, Woken},
    presence::frames::encode,
    shutdown::Guest,
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
            // A little oftener than every 10 s, so that a client that fell silent is noticed in
            // 15 s, whatever the machine is doing.
            heartbeat_every: Duration::from_millis(9_900),
            pong_within: Duration::from_secs(5),
            resync_every: Duration::from_secs(5),
            write_within: Duration::from_secs(5),
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

/// Serves one socket until it ends; when the server goes down, with 1012 when its turn has come.
pub async fn serve<S: Socket>(
    socket: S,
    membership: Membership,
    config: ConnectionConfig,
    guest: Guest,
) {
    let waiting = VecDeque::new();
    let conversation = Conversation::new();
    let mut connection = Connection { socket, membership, waiting, config, conversation };
    let ending = connection.converse(&guest).await;
    connection.end(ending, guest.turn()).await;
}

struct Connection<S> {
    socket: S,
    membership: Membership,
    /// What brings the client to the position that its membership is at already.
    waiting: VecDeque<Utf8Bytes>,
    config: ConnectionConfig,
    conversation: Conversation,
}

/// What a turn of the loop brought from the client.
enum Incoming<Fault> {
    Nothing,
    Message(Message),
    Fault(Fault),
    End,
}

impl<Fault> From<Option<Result<Message, Fault>>> for Incoming<Fault> {
    fn from(next: Option<Result<Message, Fault>>) -> Self {
        match next {
            None => Self::End,
            Some(Ok(message)) => Self::Message(message),
            Some(Err(fault)) => Self::Fault(fault),
        }
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// The client closed it as one should.
    ClosedByClient,
    /// The server closes it.
    ClosedByServer(CloseCode),
    /// The client sent what can't be read: the server closes it.
    Faulty(CloseCode),
    /// The server goes down: the client is told when its turn has come.
    Restart,
    /// It broke.
    Broken,
}

impl<S: Socket> Connection<S> {
    async fn converse(&mut self, guest: &Guest) -> Ending {
        match self.follow(guest).await {
            Ok(never) => match never {},
            Err(ending) => ending,
        }
    }

    async fn follow(&mut self, guest: &Guest) -> Result<Infallible, Ending> {
        let opened = Instant::now();
        let first_frame_until = opened + self.config.first_frame_within;
        let first_beat = opened + self.config.heartbeat_every;
        let mut heartbeat = interval_at(first_beat, self.config.heartbeat_every);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pong_until: Option<Instant> = None;
        let mut is_beat_due = false;
        let mut resync = Resync::Idle { allowed_from: opened };
        loop {
            let is_following = self.conversation.is_following();
            let message = tokio::select! {
                () = guest.closing() => return Err(Ending::Restart),
                message = self.socket.next() => Incoming::from(message),
                // One frame a turn: a long list does not keep this socket from hearing its client.
                () = ready(()), if !self.waiting.is_empty() => {
                    self.send_waiting().await?;
                    Incoming::Nothing
                }
                woken = self.membership.listen(), if is_following => match woken {
                    Woken::ByNews => Incoming::Nothing,
                    Woken::Replaced => {
                        return Err(Ending::ClosedByServer(CloseCode::Replaced));
                    }
                },
                _ = heartbeat.tick() => {
                    self.send(Message::Ping(Bytes::new())).await?;
                    pong_until.get_or_insert_with(|| Instant::now() + self.config.pong_within);
                    is_beat_due = is_following;
                    Incoming::Nothing
                }
                () = sleep_until(first_frame_until), if !is_following => {
                    let too_late = Ending::ClosedByServer(CloseCode::NoFirstFrame);
                    self.what_came_in_time().ok_or(too_late)?
                }
                () = sleep_until(pong_until.unwrap_or(opened)), if pong_until.is_some() => {
                    self.what_came_in_time().ok_or(Ending::Broken)?
                }
                () = sleep_until(resync.due().unwrap_or(opened)), if resync.due().is_some() => {
                    self.membership.resync();
                    let allowed_from = Instant::now() + self.config.resync_every;
                    resync = Resync::Idle { allowed_from };
                    Incoming::Nothing
                }
            };
            // The rooms are kept: what came at the same moment is too late to be heard.
            if guest.is_closing() {
                return Err(Ending::Restart);
            }
            match message {
                Incoming::Nothing | Incoming::Message(Message::Ping(_)) => {}
                Incoming::End => return Err(Ending::Broken),
                Incoming::Fault(fault) => return Err(ending_of(&fault)),
                Incoming::Message(Message::Text(text)) => {
                    let heard = self.conversation.hear(&text, opened.elapsed());
                    if self.react(heard).await? == Reaction::ResyncWanted {
                        resync = resync.wanted();
                    }
                }
                Incoming::Message(Message::Binary(_)) => {
                    return Err(Ending::ClosedByServer(CloseCode::Binary));
                }
                Incoming::Message(Message::Pong(_)) => pong_until = None,
                Incoming::Message(Message::Close(_)) => return Err(Ending::ClosedByClient),
            }
            // What is waiting was true for the position it leads to: only then there is more to say.
            if self.conversation.is_following() && self.waiting.is_empty() {
                self.waiting.extend(self.membership.news());
                if is_beat_due
                    && self.waiting.is_empty()
                    && let Some(beat) = self.membership.beat()
                {
                    is_beat_due = false;
                    self.waiting.push_back(beat);
                }
            }
        }
    }

    /// What has come before a deadline counts, also where it was not read in time.
    fn what_came_in_time(&mut self) -> Option<Incoming<S::Fault>> {
        self.socket.next().now_or_never().map(Incoming::from)
    }

    async fn send_waiting(&mut self) -> Result<(), Ending> {
        match self.waiting.pop_front() {
            Some(frame) => self.send(Message::Text(frame)).await,
            None => Ok(()),
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
        let of = Some(request.event());
        let outcome = match request {
            Request::Resync => return Ok(Reaction::ResyncWanted),
            Request::Watch { since } => self.membership.watch(since.as_ref()),
            Request::Announce(announcing) => self.membership.announce(announcing),
            Request::Rename { name } => self.membership.rename(&name),
            Request::SetVisible { is_visible } => {
                self.membership.set_visible(is_visible);
                Ok(())
            }
            Request::Leave => {
                self.membership.leave();
                Ok(())
            }
        };
        match outcome {
            Ok(()) => self.conversation.accepted(),
            Err(refused) => self.refuse(refused.of(of)).await?,
        }
        Ok(Reaction::Done)
    }

    async fn refuse(&mut self, refusal: Refusal) -> Result<(), Ending> {
        self.send(Message::Text(encode(&ServerEvent::Refused(refusal)))).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Ending> {
        match timeout(self.config.write_within, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.why_writing_failed()),
            Err(_) => Err(Ending::Broken),
        }
    }

    /// A client that closed as one should may be gone before the server heard it.
    fn why_writing_failed(&mut self) -> Ending {
        while let Some(Some(Ok(message))) = self.socket.next().now_or_never() {
            if let Message::Close(_) = message {
                return Ending::ClosedByClient;
            }
        }
        Ending::Broken
    }

    /// Says goodbye where the other side can still hear it, and lets the others know.
    async fn end(mut self, ending: Ending, turn: Duration) {
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
                say_goodbye(&mut self.socket, code, self.config.close_within).await;
                drain(&mut self.socket, self.config.close_within).await;
            }
            Ending::Restart => {
                // The rooms are kept already: what the client says until its turn comes is too late.
                // Its own goodbye still ends it at once.
                drop(self.membership);
                drain(&mut self.socket, turn).await;
                say_goodbye(&mut self.socket, CloseCode::Restart, self.config.close_within).await;
                drain(&mut self.socket, self.config.close_within).await;
            }
            Ending::Faulty(code) => {
                self.membership.departs_as(DepartureReason::Closed);
                drop(self.membership);
                say_goodbye(&mut self.socket, code, self.config.close_within).await;
                // Nothing can be read any more. Dropped at once, what the client is still sending
                // would make the system throw away the goodbye too.
                sleep(self.config.close_within).await;
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
        Some(code) => Ending::Faulty(code),
        None => Ending::Broken,
    }
}

async fn say_goodbye<S: Socket>(socket: &mut S, code: CloseCode, within: Duration) {
    let frame = CloseFrame { code: code.number(), reason: Utf8Bytes::default() };
    let _ = timeout(within, socket.send(Message::Close(Some(frame)))).await;
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
