//! `/socket.io/`: the rooms for clients that speak Socket.IO (revision 5, over Engine.IO 4), as the original design's
//! script does. docs/socketio.md is the contract.
//!
//! - Pure: `query` (what a request is for), `packet` and `payload` (the wire), `request` (what clients ask for),
//!   `translation` (what to emit between two positions), `outgoing` (in which steps), `list_pace` (how often a list).
//! - I/O: `handshake` (requests, origins, admission), `upgrades`, `stream`, `session` (one connection), `client` (one namespace of
//!   it), `feed` (what all clients of a namespace share).
//!
//! `engineioxide` does Engine.IO: transports, upgrade, heartbeat. The layer above it is ours: a queue of Engine.IO that
//! is full loses what is added, so nothing is pushed; each client pulls what lies between its position and the room's.

mod client;
mod feed;
pub(crate) mod handshake;
mod list_pace;
mod outgoing;
mod packet;
mod payload;
mod query;
mod request;
mod session;
mod stream;
mod translation;
mod upgrades;

use std::{fmt, sync::Arc, time::Duration};

use app::presence::{CloseCode, DepartureReason};
use bytes::Bytes;
use engineioxide::{DisconnectReason, Str, handler::EngineIoHandler};
use tokio::time::sleep;

use self::{
    client::Entered,
    feed::Feeds,
    packet::{Namespace, NamespaceError, Packet, PacketKind},
    session::{Allowed, Handshake, Incoming, NamespacePermit, OpenError, Session},
};
use crate::{
    admission::Rejection, http::app_state::AppState, room_access::AccessError,
    telemetry::metrics::METRICS,
};

/// A session of Engine.IO, over whichever transport.
type EngineSocket = engineioxide::Socket<Session>;

/// The heartbeat: a connection that broke without a word is noticed within 15 s.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// The rooms, for clients of Socket.IO.
pub(crate) struct RoomsHandler {
    state: AppState,
    feeds: Arc<Feeds>,
}

impl fmt::Debug for RoomsHandler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RoomsHandler")
    }
}

/// Why a client does not get into a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum EnterError {
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

impl From<AccessError> for EnterError {
    fn from(error: AccessError) -> Self {
        Self::Rejected(error.into())
    }
}

impl EnterError {
    /// As programs know it.
    fn code(self) -> &'static str {
        match self {
            Self::Namespace(NamespaceError::Unknown) => "namespace_unknown",
            Self::Namespace(NamespaceError::RoomName(_)) => "room_name_invalid",
            Self::Open(_) => "rooms_per_connection",
            Self::Rejected(rejection) => rejection.limit(),
        }
    }
}

impl EngineIoHandler for RoomsHandler {
    type Data = Session;

    fn on_connect(self: Arc<Self>, socket: Arc<EngineSocket>) {
        if handshake_of(&socket).is_none() {
            // Unreachable: `handshake` lets no session begin without one.
            tracing::error!("a session of Engine.IO began without admission");
            socket.close(DisconnectReason::TransportClose);
            return;
        }
        let Some(within) = self.state.connection.first_frame_within else { return };
        let socket = Arc::downgrade(&socket);
        tokio::spawn(async move {
            sleep(within).await;
            let late = socket.upgrade().filter(|socket| !socket.data.has_been_in_namespace());
            if let Some(socket) = late {
                socket.close(DisconnectReason::TransportClose);
            }
        });
    }

    fn on_disconnect(&self, socket: Arc<EngineSocket>, reason: DisconnectReason) {
        socket.data.end(departure(&reason));
    }

    fn on_message(self: &Arc<Self>, message: Str, socket: Arc<EngineSocket>) {
        let is_too_fast = match socket.data.count(self.state.connection.frames) {
            Allowed::Yes => false,
            Allowed::TooFast => true,
            Allowed::No => return close(&socket, CloseCode::TooFast),
        };
        let Ok(packet) = Packet::parse(&message) else {
            return close(&socket, CloseCode::BadFrames);
        };
        match packet.kind {
            PacketKind::Connect => self.connect(&socket, packet.path, packet.data),
            PacketKind::Disconnect => {
                if let Ok(namespace) = Namespace::parse(packet.path) {
                    socket.data.close(&namespace);
                }
            }
            PacketKind::Event => {
                let Ok(namespace) = Namespace::parse(packet.path) else { return };
                let Packet { ack, data, .. } = packet;
                let incoming = Incoming { data: data.into(), ack, is_too_fast };
                if !socket.data.deliver(&namespace, incoming) {
                    close(&socket, CloseCode::TooFast);
                }
            }
            PacketKind::Ack => {}
        }
    }

    fn on_binary(self: &Arc<Self>, _: Bytes, socket: Arc<EngineSocket>) {
        close(&socket, CloseCode::Binary);
    }
}

impl RoomsHandler {
    pub(crate) fn new(state: AppState) -> Self {
        Self { state, feeds: Arc::default() }
    }

    /// A client wants to enter a namespace; `auth` is what its library was given under this name.
    fn connect(self: &Arc<Self>, socket: &Arc<EngineSocket>, path: &str, auth: &str) {
        let opened = Namespace::parse(path).map_err(EnterError::from).and_then(|namespace| {
            let (number, requests) = socket.data.open(&namespace)?;
            Ok((namespace, number, requests))
        });
        let (namespace, number, requests) = match opened {
            Ok(opened) => opened,
            Err(EnterError::Open(OpenError::Open | OpenError::Ended)) => return,
            Err(error) => return refuse(socket, path, error),
        };
        let (handler, socket, path) = (Arc::clone(self), Arc::clone(socket), path.to_owned());
        let token = request::token_of(auth);
        tokio::spawn(async move {
            match handler.enter(&socket, &namespace, token.as_deref()).await {
                Ok(entered) => {
                    client::serve(&socket, &namespace, requests, entered).await;
                    socket.data.on_closed(number);
                }
                Err(error) => {
                    socket.data.on_closed(number);
                    refuse(&socket, &path, error);
                }
            }
        });
    }

    /// Admits a client to a namespace as to a WebSocket of its room, and tells it so.
    async fn enter(
        &self,
        socket: &EngineSocket,
        namespace: &Namespace,
        token: Option<&str>,
    ) -> Result<Entered, EnterError> {
        let handshake = handshake_of(socket).ok_or(OpenError::Ended)?;
        let Handshake { client, person, .. } = **handshake;
        let room = namespace.room();
        let permission = self.state.access.permit(&room, token, client)?;
        let occupancy = self.state.hub.occupancy(&room);
        let permit = match handshake.take_permit() {
            Some(permit) => permit,
            None => self.state.admission.socket(client, occupancy)?.with_person(person)?,
        };
        let permit = NamespacePermit::new(Arc::clone(handshake), permit);
        self.state.admission.check_room(occupancy)?;
        let room_permit = self.state.admit_to(&room, client)?;
        self.state.open_room(&room).await?;
        let user_id = self.state.access.public_id(&permission, person, &room);
        let guard = self.state.drain.socket();
        let feed = self.feeds.enter(namespace, &self.state.hub);
        let membership = room_permit.enter(user_id);
        socket.data.on_entered();
        let connected = packet::connected(namespace, &random_id());
        // A client that does not get it is gone, or comes back when it notices.
        let _ = socket.emit(Str::from(connected));
        Ok(Entered { membership, permission, feed, guard, permit })
    }
}

/// Ends a session for what its client sent. The client's library comes back by itself.
fn close(socket: &EngineSocket, code: CloseCode) {
    socket.data.on_close(code);
    socket.close(DisconnectReason::PacketParsingError);
}

fn handshake_of(socket: &EngineSocket) -> Option<&Arc<Handshake>> {
    socket.req_parts.extensions.get()
}

fn refuse(socket: &EngineSocket, path: &str, error: EnterError) {
    if let EnterError::Rejected(rejection) = error {
        METRICS.rejected(rejection.limit());
    }
    let packet = packet::connect_error(path, error.code(), &error.to_string());
    let _ = socket.emit(Str::from(packet));
}

/// What others see of the end of a session.
fn departure(reason: &DisconnectReason) -> DepartureReason {
    match reason {
        DisconnectReason::TransportClose
        | DisconnectReason::PacketParsingError
        | DisconnectReason::ClosingServer => DepartureReason::Closed,
        DisconnectReason::TransportError
        | DisconnectReason::HeartbeatTimeout
        | DisconnectReason::MultipleHttpPollingError => DepartureReason::Lost,
    }
}

/// An id that means nothing. Clients show it as that of their socket, and may take it for unique.
fn random_id() -> String {
    let [one, other] = [(); 2].map(|()| getrandom::u64().unwrap_or_default());
    format!("{one:016x}{other:016x}")
}
