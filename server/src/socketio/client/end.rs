//! The end of a client's part in a namespace: what the room records, and what the client is told.

use std::{sync::Arc, time::Duration};

use app::presence::{CloseCode, DepartureReason};
use engineioxide::{DisconnectReason, Str};
use tokio::time::{sleep, timeout};

use super::Client;
use crate::{
    socketio::{EngineSocket, packet},
    telemetry::metrics::METRICS,
};

/// Time limit for the transport to send what the queue has at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a client's part in a namespace ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client left the namespace, or its session has ended.
    Gone,
    /// The client does not receive what it is sent.
    Slow,
    /// The client sends what means nothing.
    BadEvents,
    /// The operator or a host has closed the room.
    RoomClosed,
    /// The client's token is no longer accepted.
    TokenExpired,
    /// The server shuts down.
    Restart,
}

impl Client<EngineSocket> {
    /// Leaves the room, and tells the client why, if that is the server's decision.
    pub(super) async fn end(mut self, end: End, close_delay: Duration) {
        let Self { socket, namespace, .. } = &self;
        let session = &socket.data;
        let departure = match end {
            End::Gone => session.departure(),
            End::Slow => DepartureReason::Lost,
            End::BadEvents | End::RoomClosed | End::TokenExpired | End::Restart => {
                DepartureReason::Closed
            }
        };
        let code = match end {
            End::Gone => session.closed_with(),
            End::Slow => None,
            End::BadEvents => Some(CloseCode::BadFrames),
            End::RoomClosed => Some(CloseCode::Normal),
            End::TokenExpired => Some(CloseCode::Unauthorized),
            End::Restart => Some(CloseCode::Restart),
        };
        match (code, departure) {
            (Some(code), _) => METRICS.socket_closed(code),
            (None, DepartureReason::Closed) => METRICS.socket_closed_by_client(),
            (None, _) => METRICS.socket_broken(),
        }
        let (socket, namespace) = (Arc::clone(socket), namespace.clone());
        match end {
            End::TokenExpired => self.membership.departs_for_return(),
            _ => self.membership.departs_as(departure),
        }
        // The room is left before anything is waited for.
        drop(self);
        match end {
            End::Gone => {}
            End::RoomClosed => {
                let _ = socket.emit(Str::from(packet::disconnected(&namespace)));
            }
            End::Slow => socket.close(DisconnectReason::TransportError),
            // The whole session: its client comes back by itself, and is asked for its `auth` again.
            End::TokenExpired => socket.close(DisconnectReason::ClosingServer),
            End::BadEvents => socket.close(DisconnectReason::PacketParsingError),
            End::Restart => {
                sleep(close_delay).await;
                socket.close(DisconnectReason::ClosingServer);
                let _ = timeout(CLOSE_TIMEOUT, socket.closed()).await;
            }
        }
    }
}
