//! How a connection ends: what is said to the client, and what the others are told.

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
    telemetry::metrics::METRICS,
    websocket::transport::{Socket, TransportError},
};

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum CloseReason {
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
    /// The server failed: its task panicked.
    Failed,
}

impl CloseReason {
    /// The end that a fault brings.
    pub(super) fn of(fault: &impl TransportError) -> Self {
        match fault.close_code() {
            Some(code) => Self::Faulty(code),
            None => Self::Broken,
        }
    }

    fn record(self) {
        match self {
            Self::ClosedByClient => METRICS.socket_closed_by_client(),
            Self::ClosedByServer(code) | Self::Faulty(code) => METRICS.socket_closed(code),
            Self::Restart => METRICS.socket_closed(CloseCode::Restart),
            Self::Broken => METRICS.socket_lost(),
            Self::Failed => METRICS.socket_closed(CloseCode::InternalError),
        }
    }
}

impl<S: Socket> Connection<S> {
    /// Says goodbye where the other side can still hear it, and lets the others know.
    pub(super) async fn end(mut self: Box<Self>, reason: CloseReason, turn: Duration) {
        tracing::debug!(?reason, after = ?self.opened.elapsed(), "the socket ends");
        reason.record();
        let close_within = self.deadlines.close_within();
        if let Some(alarm) = self.alarm.take() {
            let subscription = self.membership.subscription();
            subscription.timers().remove(subscription.flags(), alarm);
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
            CloseReason::Restart => {
                // The rooms are kept already: what the client says until its turn comes is too late.
                // Its own goodbye still ends it at once.
                drop(self.membership);
                read_until_closed(&mut self.socket, turn).await;
                send_close(&mut self.socket, CloseCode::Restart, close_within).await;
                read_until_closed(&mut self.socket, close_within).await;
            }
            CloseReason::Failed => {
                // To the others it is a break: the client comes back.
                drop(self.membership);
                send_close(&mut self.socket, CloseCode::InternalError, close_within).await;
                read_until_closed(&mut self.socket, close_within).await;
            }
            CloseReason::Faulty(code) => {
                self.membership.departs_as(DepartureReason::Closed);
                drop(self.membership);
                send_close(&mut self.socket, code, close_within).await;
                // Nothing can be read any more. Dropped at once, what the client is still sending
                // would make the system throw away the goodbye too.
                sleep(close_within).await;
            }
        }
    }
}

async fn send_close<S: Socket>(socket: &mut S, code: CloseCode, within: Duration) {
    let frame = CloseFrame { code: code.number().into(), reason: Utf8Bytes::default() };
    let _ = timeout(within, socket.send(Message::Close(Some(frame)))).await;
}

/// Reads on until the closing handshake is through: breaking off earlier would lose the client's close frame.
async fn read_until_closed<S: Socket>(socket: &mut S, within: Duration) {
    let _ = timeout(within, async { while let Some(Ok(_)) = socket.next().await {} }).await;
}
