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
    close::CloseReason,
    deadlines::{Deadlines, Due},
};
pub use self::{config::ConnectionConfig, outbox::Outbox};
use super::protocol::{Action, ProtocolState, Request};
pub use super::transport::{Socket, TransportError};
use crate::{lifecycle::drain::DrainGuard, telemetry::metrics::METRICS};
use registry::{encoding::messages::encode, hub::Membership, wake::wake_flags::WakeReasons};

/// Serves one socket in a task of its own. What is logged of it stands in a span of its own, which names
/// neither the person nor the room. `until_it_ends` is dropped when it does.
pub fn spawn<S>(
    socket: S,
    membership: Membership,
    config: ConnectionConfig,
    guard: DrainGuard,
    until_it_ends: impl Send + 'static,
) where
    S: Socket + 'static,
{
    let span = tracing::debug_span!("connection", number = guard.number());
    let served = serve(socket, membership, config, guard).map(move |()| drop(until_it_ends));
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
    guard: DrainGuard,
) -> impl Future<Output = ()> + use<S> {
    guard.notify(membership.subscription().flags());
    let opened = Instant::now();
    let mut connection = Box::new(Connection {
        socket,
        membership,
        outbox: Outbox::default(),
        protocol: ProtocolState::new(config.frames),
        opened,
        deadlines: Deadlines::new(config, opened),
        alarm: None,
        is_deadline_reached: false,
        is_room_closed: false,
        is_beat_due: false,
    });
    METRICS.sockets_opened.count();
    async move {
        // A fault of this program is the end of one socket: the hook has logged it.
        let reason = AssertUnwindSafe(connection.run(&guard)).catch_unwind().await;
        let reason = reason.unwrap_or(CloseReason::Failed);
        Box::pin(connection.end(reason, guard.close_delay())).await;
    }
}

struct Connection<S> {
    socket: S,
    membership: Membership,
    outbox: Outbox,
    protocol: ProtocolState,
    opened: Instant,
    deadlines: Deadlines,
    /// When the wheel rings next, as far as it was asked to.
    alarm: Option<Instant>,
    /// It rang, and what has come until then is not yet read.
    is_deadline_reached: bool,
    /// The operator closed the room: this ends when all is said.
    is_room_closed: bool,
    /// The client is to be told where its list should be, when all is said that was before.
    is_beat_due: bool,
}

/// What wakes a connection.
enum Event<Fault> {
    /// Another socket has its tab, or the server goes down.
    Woken(WakeReasons),
    /// Something came from the client.
    Incoming(Incoming<Fault>),
    /// A deadline may have come, and nothing that came before it is unread.
    DeadlineReached,
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
    async fn run(&mut self, guard: &DrainGuard) -> CloseReason {
        match self.follow(guard).await {
            Ok(never) => match never {},
            Err(reason) => reason,
        }
    }

    async fn follow(&mut self, guard: &DrainGuard) -> Result<Infallible, CloseReason> {
        loop {
            let turn = poll_fn(|context| self.poll_event(context)).await;
            // The rooms are kept: what came at the same moment is too late to be heard.
            if guard.is_closing() {
                return Err(CloseReason::Restart);
            }
            match turn {
                Event::Woken(signals) if signals.contains(WakeReasons::REPLACED) => {
                    return Err(CloseReason::ClosedByServer(CloseCode::Replaced));
                }
                Event::Woken(_) => {}
                Event::Incoming(incoming) => self.hear(incoming)?,
                Event::DeadlineReached => self.handle_deadlines()?,
                Event::RoomClosed => return Err(CloseReason::ClosedByServer(CloseCode::Normal)),
                Event::WritingFailed => return Err(self.classify_write_error()),
            }
        }
    }

    /// Sends what there is to say, for as long as nothing else wakes this connection.
    ///
    /// The time comes last: what was there before a deadline counts, also where it was not read in time.
    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Event<S::Fault>> {
        if let Poll::Ready(signals) = self.membership.subscription().flags().poll(context) {
            self.is_deadline_reached |= signals.contains(WakeReasons::TIME);
            self.is_room_closed |= signals.contains(WakeReasons::ROOM_CLOSED);
            if signals.contains(WakeReasons::REPLACED) || signals.contains(WakeReasons::CLOSING) {
                return Poll::Ready(Event::Woken(signals));
            }
        }
        match self.poll_send(context) {
            Poll::Ready(Err(_)) => return Poll::Ready(Event::WritingFailed),
            Poll::Ready(Ok(())) if self.is_room_closed => return Poll::Ready(Event::RoomClosed),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        if let Poll::Ready(next) = self.socket.poll_next_unpin(context) {
            return Poll::Ready(Event::Incoming(next.into()));
        }
        if std::mem::take(&mut self.is_deadline_reached) {
            return Poll::Ready(Event::DeadlineReached);
        }
        self.set_alarm();
        Poll::Pending
    }

    /// Says all that there is to say; ready when the client has been told everything.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Fault>> {
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
            if self.protocol.is_following() {
                self.outbox.extend_with(self.membership.subscription_mut().poll_updates());
                if self.is_beat_due
                    && self.outbox.is_empty()
                    && let Some(beat) = self.membership.subscription().beat()
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
            let subscription = self.membership.subscription();
            subscription.timers().insert_at(subscription.flags(), next);
        }
    }

    fn handle_deadlines(&mut self) -> Result<(), CloseReason> {
        let now = Instant::now();
        self.alarm = self.alarm.filter(|alarm| now < *alarm);
        while let Some(due) = self.deadlines.take_due(now) {
            match due {
                Due::FirstFrame => {
                    return Err(CloseReason::ClosedByServer(CloseCode::NoFirstFrame));
                }
                Due::Timeout => return Err(CloseReason::Broken),
                Due::Ping => self.ping(now)?,
                Due::Resync => self.membership.subscription_mut().resync(),
            }
        }
        Ok(())
    }

    /// Asks the client for a sign of life; it goes out with what is said next, the beat.
    fn ping(&mut self, now: Instant) -> Result<(), CloseReason> {
        self.is_beat_due = self.protocol.is_following();
        // Where nothing can be written there is a deadline for that already.
        let ready = poll_fn(|context| self.socket.poll_ready_unpin(context)).now_or_never();
        if let Some(Ok(())) = ready {
            let ping = Message::Ping(Bytes::new());
            self.socket.start_send_unpin(ping).map_err(|_| self.classify_write_error())?;
            self.deadlines.on_ping_sent(now);
        }
        Ok(())
    }

    fn hear(&mut self, incoming: Incoming<S::Fault>) -> Result<(), CloseReason> {
        match incoming {
            Incoming::End => Err(CloseReason::Broken),
            Incoming::Fault(fault) => Err(CloseReason::of(&fault)),
            Incoming::Message(Message::Text(text)) => {
                let action = self.protocol.hear(&text, self.opened.elapsed());
                self.handle_request(action)
            }
            Incoming::Message(Message::Binary(_)) => {
                Err(CloseReason::ClosedByServer(CloseCode::Binary))
            }
            Incoming::Message(sign @ (Message::Ping(_) | Message::Pong(_))) => {
                // Pings are answered by the library.
                if sign.is_pong() {
                    self.deadlines.on_pong();
                }
                match self.protocol.on_control_frame(self.opened.elapsed()) {
                    Some(action) => self.handle_request(action),
                    None => Ok(()),
                }
            }
            Incoming::Message(Message::Close(_)) => Err(CloseReason::ClosedByClient),
            // The library never hands out a bare frame.
            Incoming::Message(Message::Frame(_)) => Ok(()),
        }
    }

    fn handle_request(&mut self, action: Action) -> Result<(), CloseReason> {
        let request = match action {
            Action::Close(code) => return Err(CloseReason::ClosedByServer(code)),
            Action::Refuse(refusal) => {
                self.refuse(refusal);
                return Ok(());
            }
            Action::Request(request) => request,
        };
        let of = Some(request.event());
        let outcome = match request {
            Request::Resync => {
                self.deadlines.request_resync();
                // It may be allowed already.
                self.is_deadline_reached = true;
                return Ok(());
            }
            Request::Watch { since } => self.membership.watch(since.as_ref()),
            Request::Join(request) => self.membership.join(request),
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
                self.protocol.accepted();
                self.deadlines.accepted();
            }
            Err(error) => self.refuse(error.to_refusal(of)),
        }
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal) {
        METRICS.refusals.count();
        self.outbox.push(encode(&ServerEvent::Refused(refusal)));
    }

    /// A client that closed as one should may be gone before the server heard it.
    fn classify_write_error(&mut self) -> CloseReason {
        while let Some(Some(Ok(message))) = self.socket.next().now_or_never() {
            if let Message::Close(_) = message {
                return CloseReason::ClosedByClient;
            }
        }
        CloseReason::Broken
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
