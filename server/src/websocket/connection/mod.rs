//! One WebSocket: the loop between a client and its room.

mod close;
mod config;
mod deadlines;
#[cfg(test)]
mod tests;
mod token;

use std::{
    convert::Infallible,
    future::poll_fn,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
};

use app::presence::{CloseCode, Refusal, ServerEvent};
use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::time::Instant;
use tracing::Instrument;
use tungstenite::Message;

pub use self::config::ConnectionConfig;
use self::{
    close::CloseReason,
    deadlines::{Deadlines, Due},
};
pub use super::transport::{Socket, TransportError};
use super::{
    access::SocketAccess,
    outbox::Outbox,
    paid_updates::poll_paid_updates,
    protocol::{Action, ProtocolState, Request},
};
use crate::{
    admission::Payer, lifecycle::graceful_shutdown::DrainGuard, telemetry::metrics::METRICS,
    tokens::TokenError,
};
use registry::{
    encoding::messages::encode,
    hub::{Accepted, Answer, Membership},
    wake::wake_flags::WakeReasons,
};

/// Serves one socket in a task and a tracing span of its own. The span names neither the person nor the
/// room. The payer is dropped at the socket's end.
pub fn spawn<S, P>(
    socket: S,
    membership: Membership,
    access: Option<Box<SocketAccess>>,
    config: Arc<ConnectionConfig>,
    guard: DrainGuard,
    payer: P,
) where
    S: Socket + 'static,
    P: Payer + 'static,
{
    let span = tracing::debug_span!("connection", number = guard.number());
    let served = serve_with(socket, membership, access, config, guard, payer);
    // A span takes memory for as long as the socket is open: a disabled one is dropped.
    if span.is_disabled() {
        tokio::spawn(served);
    } else {
        tokio::spawn(served.instrument(span));
    }
}

/// Serves one socket until it ends. On shutdown it is closed with 1012 after the guard's delay.
///
/// An idle socket takes one small allocation. With an `async fn` instead, the future would also hold the
/// arguments, and space for the closing handshake.
pub fn serve<S: Socket, P: Payer>(
    socket: S,
    membership: Membership,
    config: Arc<ConnectionConfig>,
    guard: DrainGuard,
    payer: P,
) -> impl Future<Output = ()> + use<S, P> {
    serve_with(socket, membership, None, config, guard, payer)
}

/// The same for a socket whose room may need a token.
fn serve_with<S: Socket, P: Payer>(
    socket: S,
    membership: Membership,
    access: Option<Box<SocketAccess>>,
    config: Arc<ConnectionConfig>,
    guard: DrainGuard,
    payer: P,
) -> impl Future<Output = ()> + use<S, P> {
    guard.notify(membership.subscription().flags());
    let opened = Instant::now();
    let tokens = access.as_ref().map(|access| access.token_frames()).unwrap_or_default();
    let mut connection = Box::new(Connection {
        socket,
        membership,
        access,
        payer,
        outbox: Outbox::default(),
        protocol: ProtocolState::new(config.frames, tokens),
        opened,
        deadlines: Deadlines::new(config, opened),
        wakeup: None,
        is_deadline_reached: false,
        is_room_closed: false,
        is_beat_due: false,
        reading: Reading::Open,
    });
    METRICS.sockets_opened.count();
    async move {
        // A panic ends only this socket; the panic hook has logged it.
        let reason = AssertUnwindSafe(connection.run(&guard)).catch_unwind().await;
        let reason = reason.unwrap_or(CloseReason::Failed);
        Box::pin(connection.end(reason, guard.close_delay())).await;
    }
}

struct Connection<S, P> {
    socket: S,
    membership: Membership,
    /// Whether the client may follow the room, and as whom; none where every room is open.
    access: Option<Box<SocketAccess>>,
    payer: P,
    outbox: Outbox,
    protocol: ProtocolState,
    opened: Instant,
    deadlines: Deadlines,
    /// The earliest wake-up that is registered with the timer queue.
    wakeup: Option<Instant>,
    /// The timer has fired, and what arrived before is not read yet.
    is_deadline_reached: bool,
    /// The operator closed the room: the socket is closed after the pending frames.
    is_room_closed: bool,
    /// A beat is to be sent after the pending frames.
    is_beat_due: bool,
    reading: Reading,
}

/// Whether the client's frames are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Open,
    /// A request is under way between the servers. Nothing is read until it is answered, so that frames keep
    /// their order.
    UntilAnswered,
}

/// What a connection reacts to.
enum Event<Error> {
    /// Another socket took over its tab, or the server shuts down.
    Woken(WakeReasons),
    /// The client sent something, or is gone.
    Incoming(Incoming<Error>),
    /// A deadline may have passed, and all that arrived before is read.
    DeadlineReached,
    /// The room is closed, and all frames are sent.
    RoomClosed,
    /// A write failed.
    WriteFailed,
}

/// The result of reading from the client.
enum Incoming<Error> {
    Message(Message),
    Error(Error),
    End,
}

impl<Error> From<Option<Result<Message, Error>>> for Incoming<Error> {
    fn from(next: Option<Result<Message, Error>>) -> Self {
        match next {
            None => Self::End,
            Some(Ok(message)) => Self::Message(message),
            Some(Err(error)) => Self::Error(error),
        }
    }
}

impl<S: Socket, P: Payer> Connection<S, P> {
    async fn run(&mut self, guard: &DrainGuard) -> CloseReason {
        match self.handle_events(guard).await {
            Ok(never) => match never {},
            Err(reason) => reason,
        }
    }

    async fn handle_events(&mut self, guard: &DrainGuard) -> Result<Infallible, CloseReason> {
        loop {
            let event = poll_fn(|context| self.poll_event(context)).await;
            // The rooms are saved already: a request now would be lost.
            if guard.is_closing() {
                return Err(CloseReason::Restart);
            }
            match event {
                Event::Woken(reasons) if reasons.contains(WakeReasons::REPLACED) => {
                    return Err(CloseReason::ClosedByServer(CloseCode::Replaced));
                }
                Event::Woken(_) => {}
                Event::Incoming(incoming) => self.on_incoming(incoming)?,
                Event::DeadlineReached => self.handle_deadlines()?,
                Event::RoomClosed => return Err(CloseReason::ClosedByServer(CloseCode::Normal)),
                Event::WriteFailed => return Err(self.classify_write_error()),
            }
        }
    }

    /// Sends pending frames until there is an event.
    ///
    /// Deadlines come last: what arrived before a deadline counts, even if it is read only afterwards.
    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Event<S::Error>> {
        let woken = self.membership.subscription().flags().poll(context);
        // After the flags are asked: a broadcast that can't write from here on wakes this task again.
        if let Some(rest) = self.membership.subscription_mut().take_write_right() {
            self.socket.finish_frame(rest);
        }
        if let Poll::Ready(reasons) = woken {
            self.is_deadline_reached |= reasons.contains(WakeReasons::TIME);
            self.is_room_closed |= reasons.contains(WakeReasons::ROOM_CLOSED);
            if reasons.contains(WakeReasons::FRESHNESS) {
                self.is_beat_due = self.protocol.is_following();
            }
            if self.reading == Reading::UntilAnswered || reasons.contains(WakeReasons::REPLY) {
                self.take_answer();
            }
            if reasons.contains(WakeReasons::REPLACED) || reasons.contains(WakeReasons::CLOSING) {
                return Poll::Ready(Event::Woken(reasons));
            }
        }
        let sent = self.poll_send(context);
        match &sent {
            Poll::Ready(Err(_)) => return Poll::Ready(Event::WriteFailed),
            Poll::Ready(Ok(())) if self.is_room_closed => return Poll::Ready(Event::RoomClosed),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        if self.reading == Reading::Open
            && let Poll::Ready(next) = self.socket.poll_next_unpin(context)
        {
            return Poll::Ready(Event::Incoming(next.into()));
        }
        if std::mem::take(&mut self.is_deadline_reached) {
            return Poll::Ready(Event::DeadlineReached);
        }
        self.schedule_wakeup();
        // Nothing is left to write, and reading has caused nothing.
        if sent.is_ready()
            && self.protocol.is_following()
            && self.reading == Reading::Open
            && !self.is_beat_due
        {
            self.membership.subscription().give_write_right();
        }
        Poll::Pending
    }

    /// Sends pending frames and updates; ready when there are no more.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        loop {
            let len_before = self.outbox.len();
            match self.socket.poll_send(&mut self.outbox, context) {
                Poll::Ready(Ok(())) => self.deadlines.on_written(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    let progressed = self.outbox.len() < len_before;
                    self.deadlines.on_write_pending(progressed, Instant::now());
                    return Poll::Pending;
                }
            }
            // Updates start at the position that the sent frames lead to.
            if self.protocol.is_following() {
                let subscription = self.membership.subscription_mut();
                self.outbox.extend_with(poll_paid_updates(subscription, &self.payer));
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

    /// Registers the next deadline with the timer queue, unless an earlier wake-up is registered.
    fn schedule_wakeup(&mut self) {
        let next = self.deadlines.next();
        let next = self.end_of_token().map_or(next, |end| next.min(end));
        if self.wakeup.is_none_or(|wakeup| next < wakeup) {
            self.wakeup = Some(next);
            let subscription = self.membership.subscription();
            subscription.timers().insert_at(subscription.flags(), next);
        }
    }

    fn handle_deadlines(&mut self) -> Result<(), CloseReason> {
        let now = Instant::now();
        self.wakeup = self.wakeup.filter(|wakeup| now < *wakeup);
        if self.end_of_token().is_some_and(|end| end <= now) {
            return Err(CloseReason::NotPermitted(TokenError::Expired.into()));
        }
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

    /// Sends a ping; it is flushed with the next frame, the beat.
    fn ping(&mut self, now: Instant) -> Result<(), CloseReason> {
        self.is_beat_due = self.protocol.is_following();
        // While a write is pending, its deadline applies already.
        let ready = poll_fn(|context| self.socket.poll_ready_unpin(context)).now_or_never();
        if let Some(Ok(())) = ready {
            let ping = Message::Ping(Bytes::new());
            self.socket.start_send_unpin(ping).map_err(|_| self.classify_write_error())?;
            self.deadlines.on_ping_sent(now);
        }
        Ok(())
    }

    fn on_incoming(&mut self, incoming: Incoming<S::Error>) -> Result<(), CloseReason> {
        match incoming {
            Incoming::End => Err(CloseReason::Broken),
            Incoming::Error(error) => Err(CloseReason::of(&error)),
            Incoming::Message(Message::Text(text)) => {
                let action = self.protocol.on_text(&text, self.opened.elapsed());
                if matches!(action, Action::Request(_)) && !self.protocol.is_following() {
                    self.check_first_frame(&text)?;
                }
                self.handle_request(action)
            }
            Incoming::Message(Message::Binary(_)) => {
                Err(CloseReason::ClosedByServer(CloseCode::Binary))
            }
            Incoming::Message(control @ (Message::Ping(_) | Message::Pong(_))) => {
                // tungstenite answers pings.
                if control.is_pong() {
                    self.deadlines.on_pong();
                }
                match self.protocol.on_control_frame(self.opened.elapsed()) {
                    Some(action) => self.handle_request(action),
                    None => Ok(()),
                }
            }
            Incoming::Message(Message::Close(_)) => Err(CloseReason::ClosedByClient),
            // tungstenite never returns a bare frame.
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
        let permitted = match &self.access {
            Some(access) => access.permit(request),
            None => Ok(request),
        };
        let request = match permitted {
            Ok(request) => request,
            Err(error) => {
                self.refuse(error.to_refusal(of));
                return Ok(());
            }
        };
        let is_join = matches!(request, Request::Join(_));
        let outcome = match request {
            Request::RefreshToken { token } => return self.refresh_token(&token),
            Request::Resync => {
                self.deadlines.request_resync(Instant::now());
                // It may be due at once.
                self.is_deadline_reached = true;
                return Ok(());
            }
            Request::Watch { since } => {
                self.membership.watch(since.as_ref()).map(|()| Accepted::Now)
            }
            Request::Join(request) => self.membership.join(request),
            Request::Rename { name } => self.membership.rename(&name),
            Request::SetVisible { is_visible } => {
                self.membership.set_visible(is_visible);
                Ok(Accepted::Now)
            }
            Request::Leave => {
                self.membership.leave();
                Ok(Accepted::Now)
            }
        };
        match outcome {
            Ok(Accepted::Now) => {
                self.on_accepted();
                if is_join {
                    self.list_under_fixed_name();
                }
            }
            Ok(Accepted::Pending) => self.reading = Reading::UntilAnswered,
            Err(error) => self.refuse(error.to_refusal(of)),
        }
        Ok(())
    }

    /// A request was under way. It may be refused after it was answered, if that took too long.
    fn take_answer(&mut self) {
        let Some(Answer { of, result }) = self.membership.take_answer() else { return };
        match result {
            Ok(()) if self.reading == Reading::UntilAnswered => {
                self.on_accepted();
                self.list_under_fixed_name();
            }
            Ok(()) => {}
            Err(error) => self.refuse(error.to_refusal(Some(of))),
        }
        self.reading = Reading::Open;
    }

    fn on_accepted(&mut self) {
        self.protocol.on_accepted();
        self.deadlines.on_accepted();
        // Only a beat says that a list is old.
        self.is_beat_due |= self.membership.subscription().is_stale();
    }

    fn refuse(&mut self, refusal: Refusal) {
        METRICS.refusals.count();
        self.outbox.push(encode(&ServerEvent::Refused(refusal)));
    }

    /// A write can fail before the client's close frame was read: then the client closed the socket properly.
    fn classify_write_error(&mut self) -> CloseReason {
        while let Some(Some(Ok(message))) = self.socket.next().now_or_never() {
            if let Message::Close(_) = message {
                return CloseReason::ClosedByClient;
            }
        }
        CloseReason::Broken
    }
}
