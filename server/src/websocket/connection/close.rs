//! The end of a connection: the closing handshake, and the reason that others in the room see.

use std::time::Duration;

use app::presence::{CloseCode, DepartureReason};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{sleep, timeout};
use tungstenite::{
    Message,
    protocol::{CloseFrame, frame::Utf8Bytes},
};

use super::Connection;
use crate::{
    admission::Payer,
    room_access::AccessError,
    telemetry::metrics::METRICS,
    tokens::TokenError,
    websocket::transport::{Socket, TransportError},
};

/// Why a connection ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum CloseReason {
    /// The client sent a close frame.
    ClosedByClient,
    /// The server closes it with this code.
    ClosedByServer(CloseCode),
    /// The client may not follow the room, or no longer: the server says why.
    NotPermitted(AccessError),
    /// The client sent invalid data, after which nothing can be read: the server closes it with this code.
    InvalidData(CloseCode),
    /// The server shuts down: the socket is closed after its delay.
    Restart,
    /// The connection broke or timed out.
    Broken,
    /// The connection's task panicked.
    Failed,
}

impl CloseReason {
    /// The reason that results from an error of the socket.
    pub(super) fn of(error: &impl TransportError) -> Self {
        match error.close_code() {
            Some(code) => Self::InvalidData(code),
            None => Self::Broken,
        }
    }

    fn record(self) {
        match self {
            Self::ClosedByClient => METRICS.socket_closed_by_client(),
            Self::ClosedByServer(code) | Self::InvalidData(code) => METRICS.socket_closed(code),
            Self::NotPermitted(error) => METRICS.socket_closed(error.close_code()),
            Self::Restart => METRICS.socket_closed(CloseCode::Restart),
            Self::Broken => METRICS.socket_broken(),
            Self::Failed => METRICS.socket_closed(CloseCode::InternalError),
        }
    }
}

impl<S: Socket, P: Payer> Connection<S, P> {
    /// Leaves the room, and does the closing handshake where the client can still receive it.
    pub(super) async fn end(mut self: Box<Self>, reason: CloseReason, close_delay: Duration) {
        tracing::debug!(?reason, after = ?self.opened.elapsed(), "the socket ends");
        reason.record();
        let close_within = self.deadlines.close_within();
        if let Some(wakeup) = self.wakeup.take() {
            let subscription = self.membership.subscription();
            subscription.timers().remove(subscription.flags(), wakeup);
        }
        match reason {
            CloseReason::Broken => {}
            CloseReason::ClosedByClient => {
                self.membership.departs_as(DepartureReason::Closed);
                drop(self.membership);
                read_until_closed(&mut self.socket, close_within).await;
            }
            CloseReason::ClosedByServer(code) => {
                self.membership.departs_as(DepartureReason::Closed);
                drop(self.membership);
                send_close(&mut self.socket, code, close_within).await;
                read_until_closed(&mut self.socket, close_within).await;
            }
            CloseReason::NotPermitted(error) => {
                match error {
                    AccessError::Token(TokenError::Expired) => self.membership.departs_for_return(),
                    _ => self.membership.departs_as(DepartureReason::Closed),
                }
                drop(self.membership);
                let reason = error.to_string();
                send_close_with(&mut self.socket, error.close_code(), &reason, close_within).await;
                read_until_closed(&mut self.socket, close_within).await;
            }
            CloseReason::Restart => {
                // The rooms are saved already, so requests until then are ignored. A close frame of the
                // client ends the wait.
                drop(self.membership);
                read_until_closed(&mut self.socket, close_delay).await;
                send_close(&mut self.socket, CloseCode::Restart, close_within).await;
                read_until_closed(&mut self.socket, close_within).await;
            }
            CloseReason::Failed => {
                // For others it is a broken connection, as the client will reconnect.
                drop(self.membership);
                send_close(&mut self.socket, CloseCode::InternalError, close_within).await;
                read_until_closed(&mut self.socket, close_within).await;
            }
            CloseReason::InvalidData(code) => {
                self.membership.departs_as(DepartureReason::Closed);
                drop(self.membership);
                send_close(&mut self.socket, code, close_within).await;
                // Nothing can be read any more. If the stream were dropped with unread data, the system would
                // discard the close frame.
                sleep(close_within).await;
            }
        }
    }
}

async fn send_close<S: Socket>(socket: &mut S, code: CloseCode, within: Duration) {
    send_close_with(socket, code, "", within).await;
}

/// With a reason, of at most 123 bytes (RFC 6455, section 5.5).
async fn send_close_with<S: Socket>(
    socket: &mut S,
    code: CloseCode,
    reason: &str,
    within: Duration,
) {
    let frame = CloseFrame { code: code.number().into(), reason: Utf8Bytes::from(reason) };
    let _ = timeout(within, socket.send(Message::Close(Some(frame)))).await;
}

/// Reads until the closing handshake is complete: dropping the stream earlier could discard our close frame.
async fn read_until_closed<S: Socket>(socket: &mut S, within: Duration) {
    let _ = timeout(within, async { while let Some(Ok(_)) = socket.next().await {} }).await;
}
