//! One WebSocket: the loop between a client and its room.

mod close;
mod config;
mod deadlines;
mod outbox;

use std::{
    convert::Infallible,
    future::poll_fn,
    panic::AssertUnwindSafe,
    task::{Context, Poll},
};

use app::presence::{CloseCode, Refusal, ServerEvent};
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::time::Instant;
use tracing::Instrument;
use tungstenite::Message;

use self::{
    close::Ending,
    deadlines::{Deadlines, Due},
};
pub use self::{config::ConnectionConfig, outbox::Outbox};
use super::protocol::{Conversation, Heard, Request};
pub use super::transport::{Socket, SocketFault};
use crate::{
    encoding::messages::encode, hub::Membership, lifecycle::drain::Guest,
    telemetry::metrics::METRICS, wake::wake_flags::Signals,
};

/// Serves one socket in a task of its own. What is logged of it stands in a span of its own, which names
/// neither the person nor the room. `until_it_ends` is dropped when it does.
pub fn spawn<S>(
    socket: S,
    membership: Membership,
    config: ConnectionConfig,
    guest: Guest,
    until_it_ends: impl Send + 'static,
) where
    S: Socket + 'static,
{
    let span = tracing::debug_span!("connection", number = guest.number());
    let served = serve(socket, membership, config, guest).map(move |()| drop(until_it_ends));
    // A span takes memory for as long as the socket is open: where nobody reads it, there is none.
    if span.is_disabled() {
        tokio::spawn(served);
    } else {
        tokio::spawn(served.instrument(span));
    }
}

/// Serves one socket until it ends; when the server goes down, with 1012 when its turn has come.
///
/// What it keeps while the socket is at rest is one small allocation: a future would hold its arguments,
/// what it made of them, and room for its farewell besides.
pub fn serve<S: Socket>(
    socket: S,
    membership: Membership,
    config: ConnectionConfig,
    guest: Guest,
) -> impl Future<Output = ()> + use<S> {
    guest.ring(membership.bell());
    let opened = Instant::now();
    let mut connection = Box::new(Connection {
        socket,
        membership,
        outbox: Outbox::default(),
        conversation: Conversation::new(config.frames),
        opened,
        deadlines: Deadlines::new(config, opened),
        alarm: None,
        is_time_up: false,
        is_room_closed: false,
        is_beat_due: false,
    });
    METRICS.sockets_opened.count();
    async move {
        // A fault of this program is the end of one socket: the hook has logged it.
        let ending = AssertUnwindSafe(connection.converse(&guest)).catch_unwind().await;
        let ending = ending.unwrap_or(Ending::Failed);
        Box::pin(connection.end(ending, guest.turn())).await;
    }
}

struct Connection<S> {
    socket: S,
    membership: Membership,
    outbox: Outbox,
    conversation: Conversation,
    opened: Instant,
    deadlines: Deadlines,
    /// When the wheel rings next, as far as it was asked to.
    alarm: Option<Instant>,
    /// It rang, and what has come until then is not yet read.
    is_time_up: bool,
    /// The operator closed the room: this ends when all is said.
    is_room_closed: bool,
    /// The client is to be told where its list should be, when all is said that was before.
    is_beat_due: bool,
}

/// What wakes a connection.
enum Turn<Fault> {
    /// Another socket has its tab, or the server goes down.
    Rung(Signals),
    /// Something came from the client.
    Incoming(Incoming<Fault>),
    /// A deadline may have come, and nothing that came before it is unread.
    TimeIsUp,
    /// The room is closed, and all is said.
    RoomClosed,
    /// What was to be sent can't be.
    WritingFailed,
}

/// What came from the client.
enum Incoming<Fault> {
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

impl<S: Socket> Connection<S> {
    async fn converse(&mut self, guest: &Guest) -> Ending {
        match self.follow(guest).await {
            Ok(never) => match never {},
            Err(ending) => ending,
        }
    }

    async fn follow(&mut self, guest: &Guest) -> Result<Infallible, Ending> {
        loop {
            let turn = poll_fn(|context| self.poll_turn(context)).await;
            // The rooms are kept: what came at the same moment is too late to be heard.
            if guest.is_closing() {
                return Err(Ending::Restart);
            }
            match turn {
                Turn::Rung(signals) if signals.include(Signals::REPLACED) => {
                    return Err(Ending::ClosedByServer(CloseCode::Replaced));
                }
                Turn::Rung(_) => {}
                Turn::Incoming(incoming) => self.hear(incoming)?,
                Turn::TimeIsUp => self.do_what_is_due()?,
                Turn::RoomClosed => return Err(Ending::ClosedByServer(CloseCode::Normal)),
                Turn::WritingFailed => return Err(self.why_writing_failed()),
            }
        }
    }

    /// Sends what there is to say, for as long as nothing else wakes this connection.
    ///
    /// The time comes last: what was there before a deadline counts, also where it was not read in time.
    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Turn<S::Fault>> {
        if let Poll::Ready(signals) = self.membership.bell().poll(context) {
            self.is_time_up |= signals.include(Signals::TIME);
            self.is_room_closed |= signals.include(Signals::ROOM_CLOSED);
            if signals.include(Signals::REPLACED) || signals.include(Signals::CLOSING) {
                return Poll::Ready(Turn::Rung(signals));
            }
        }
        match self.poll_say(context) {
            Poll::Ready(Err(_)) => return Poll::Ready(Turn::WritingFailed),
            Poll::Ready(Ok(())) if self.is_room_closed => return Poll::Ready(Turn::RoomClosed),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        if let Poll::Ready(next) = self.socket.poll_next_unpin(context) {
            return Poll::Ready(Turn::Incoming(next.into()));
        }
        if std::mem::take(&mut self.is_time_up) {
            return Poll::Ready(Turn::TimeIsUp);
        }
        self.set_alarm();
        Poll::Pending
    }

    /// Says all that there is to say; ready when the client has been told everything.
    fn poll_say(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Fault>> {
        loop {
            let waiting = self.outbox.len();
            match self.socket.poll_send(&mut self.outbox, context) {
                Poll::Ready(Ok(())) => self.deadlines.has_written(),
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                Poll::Pending => {
                    let progressed = self.outbox.len() < waiting;
                    self.deadlines.waits_to_write(progressed, Instant::now());
                    return Poll::Pending;
                }
            }
            // What is waiting was true for the position it leads to: only then there is more to say.
            if self.conversation.is_following() {
                self.outbox.extend_with(self.membership.news());
                if self.is_beat_due
                    && self.outbox.is_empty()
                    && let Some(beat) = self.membership.beat()
                {
                    self.is_beat_due = false;
                    self.outbox.push(beat);
                }
            }
            if self.outbox.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Has the wheel ring when something is due next, unless it rings before that anyway.
    fn set_alarm(&mut self) {
        let next = self.deadlines.next();
        if self.alarm.is_none_or(|alarm| next < alarm) {
            self.alarm = Some(next);
            self.membership.wheel().ring_at(self.membership.bell(), next);
        }
    }

    fn do_what_is_due(&mut self) -> Result<(), Ending> {
        let now = Instant::now();
        self.alarm = self.alarm.filter(|alarm| now < *alarm);
        while let Some(due) = self.deadlines.take_due(now) {
            match due {
                Due::FirstFrame => return Err(Ending::ClosedByServer(CloseCode::NoFirstFrame)),
                Due::GivingUp => return Err(Ending::Broken),
                Due::Ping => self.ping(now)?,
                Due::Resync => self.membership.resync(),
            }
        }
        Ok(())
    }

    /// Asks the client for a sign of life; it goes out with what is said next, the beat.
    fn ping(&mut self, now: Instant) -> Result<(), Ending> {
        self.is_beat_due = self.conversation.is_following();
        // Where nothing can be written there is a deadline for that already.
        let ready = poll_fn(|context| self.socket.poll_ready_unpin(context)).now_or_never();
        if let Some(Ok(())) = ready {
            let ping = Message::Ping(Bytes::new());
            self.socket.start_send_unpin(ping).map_err(|_| self.why_writing_failed())?;
            self.deadlines.pinged(now);
        }
        Ok(())
    }

    fn hear(&mut self, incoming: Incoming<S::Fault>) -> Result<(), Ending> {
        match incoming {
            Incoming::End => Err(Ending::Broken),
            Incoming::Fault(fault) => Err(Ending::of(&fault)),
            Incoming::Message(Message::Text(text)) => {
                let heard = self.conversation.hear(&text, self.opened.elapsed());
                self.react(heard)
            }
            Incoming::Message(Message::Binary(_)) => Err(Ending::ClosedByServer(CloseCode::Binary)),
            Incoming::Message(sign @ (Message::Ping(_) | Message::Pong(_))) => {
                // Pings are answered by the library.
                if sign.is_pong() {
                    self.deadlines.ponged();
                }
                match self.conversation.hear_sign_of_life(self.opened.elapsed()) {
                    Some(heard) => self.react(heard),
                    None => Ok(()),
                }
            }
            Incoming::Message(Message::Close(_)) => Err(Ending::ClosedByClient),
            // The library never hands out a bare frame.
            Incoming::Message(Message::Frame(_)) => Ok(()),
        }
    }

    fn react(&mut self, heard: Heard) -> Result<(), Ending> {
        let request = match heard {
            Heard::Close(code) => return Err(Ending::ClosedByServer(code)),
            Heard::Refuse(refusal) => {
                self.refuse(refusal);
                return Ok(());
            }
            Heard::Request(request) => request,
        };
        let of = Some(request.event());
        let outcome = match request {
            Request::Resync => {
                self.deadlines.wants_resync();
                // It may be allowed already.
                self.is_time_up = true;
                return Ok(());
            }
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
            Ok(()) => {
                self.conversation.accepted();
                self.deadlines.accepted();
            }
            Err(refused) => self.refuse(refused.of(of)),
        }
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal) {
        METRICS.refusals.count();
        self.outbox.push(encode(&ServerEvent::Refused(refusal)));
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::stream::WebSocket;

    type TcpSocket = WebSocket<tokio::net::TcpStream>;

    /// Ten thousand at rest are ten thousand of these.
    #[test]
    fn a_connection_at_rest_is_small() {
        fn future_of<A, B, C, D, Served>(_: fn(A, B, C, D) -> Served) -> usize {
            size_of::<Served>()
        }
        assert!(size_of::<Connection<TcpSocket>>() <= 976);
        assert!(future_of(serve::<TcpSocket>) <= 192);
    }
}
