//! Why a connection, socket or feed is rejected, as a response with a sentence for a person.

use std::time::Duration;

use app::ssr::RejectionCause;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::rate_limit::whole_seconds;
use crate::{room_access::AccessError, telemetry::metrics::METRICS};
use registry::hub::NoRoomError;

/// For `Retry-After`, where the time until there is capacity is unknown.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Engines are back within seconds.
const ENGINE_RETRY_AFTER: Duration = Duration::from_secs(2);

/// Why a client is rejected. Its text says what helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The server has the maximum number of connections.
    #[error("The server is at capacity. Try again later.")]
    TooManyConnections,
    /// The address has the maximum number of connections.
    #[error("Too many connections from your network. Close some, or try again later.")]
    TooManyConnectionsPerAddress,
    /// The server has the maximum number of sockets and feeds.
    #[error("The server is at capacity. Try again later.")]
    TooManySockets,
    /// The address has the maximum number of sockets and feeds.
    #[error("Too many people from your network are here. Try again when some have left.")]
    TooManySocketsPerAddress,
    /// The person has the maximum number of sockets.
    #[error("You have too many pages of this site open. Close some.")]
    TooManySocketsPerPerson,
    /// The address opens sockets too fast; it may open the next one after this time.
    #[error("Too many people from your network came at once. Try again soon.")]
    SocketRateExceeded(Duration),
    /// The address sent too many wrong secrets of hosts; it may send the next one after this time.
    #[error("Too many wrong host links were opened from your network. Try again soon.")]
    WrongSecretRateExceeded(Duration),
    /// The answers to the address have taken more processor time than it may use; it may ask again after this time.
    #[error("Your network asks for more than this server can give to one. Try again soon.")]
    ProcessorRateExceeded(Duration),
    /// The address has more requests under way than the server could answer in time.
    #[error("Your network asks for too much at once. Try again soon.")]
    TooManyRequestsPerAddress,
    /// The server could not begin the work in time.
    #[error("The server is busy. Try again in some seconds.")]
    TooMuchWork,
    /// The address does not receive what is sent to it, and has its share of all bytes in flight.
    #[error("Your network receives too slowly what it asked for. Try again soon.")]
    TooManyBytesInFlight,
    /// The room has the maximum number of sockets and feeds.
    #[error("This room is full. Try again later.")]
    RoomAtCapacity,
    /// The server has the maximum number of rooms, and somebody is in each of them.
    #[error("The server can't open more rooms. Try again later, or use an existing room.")]
    TooManyRooms,
    /// The address keeps its share of all rooms open.
    #[error("Your network keeps too many rooms open. Close some, or use an existing room.")]
    TooManyRoomsPerAddress,
    /// The room has to come from the engine, which does not answer.
    #[error("This server can't reach the others at the moment. Try again soon.")]
    EngineSilent,
    /// The room is not for this client.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Rejection {
    /// The limit that was exceeded, as the metrics' label has it: the setting's name without `max-`, or what is missing.
    pub fn limit(self) -> &'static str {
        match self {
            Self::TooManyConnections => "connections",
            Self::TooManyConnectionsPerAddress => "connections_per_address",
            Self::TooManySockets => "sockets",
            Self::TooManySocketsPerAddress => "sockets_per_address",
            Self::TooManySocketsPerPerson => "sockets_per_person",
            Self::SocketRateExceeded(_) => "socket_rate_per_address",
            Self::WrongSecretRateExceeded(_) => "wrong_secret_rate_per_address",
            Self::ProcessorRateExceeded(_) => "processor_rate_per_address",
            Self::TooManyRequestsPerAddress => "requests_per_address",
            Self::TooMuchWork => "work",
            Self::TooManyBytesInFlight => "bytes_in_flight_per_address",
            Self::RoomAtCapacity => "sockets_per_room",
            Self::TooManyRooms => "rooms",
            Self::TooManyRoomsPerAddress => "rooms_per_address",
            Self::EngineSilent => "engine",
            Self::Access(error) => error.code(),
        }
    }

    /// What a page says.
    pub(crate) fn cause(self) -> RejectionCause {
        match self {
            Self::TooManyConnections
            | Self::TooManySockets
            | Self::TooMuchWork
            | Self::RoomAtCapacity
            | Self::TooManyRooms => RejectionCause::ServerBusy,
            Self::TooManyConnectionsPerAddress
            | Self::TooManySocketsPerAddress
            | Self::SocketRateExceeded(_)
            | Self::WrongSecretRateExceeded(_)
            | Self::ProcessorRateExceeded(_)
            | Self::TooManyRequestsPerAddress
            | Self::TooManyBytesInFlight
            | Self::TooManyRoomsPerAddress
            | Self::Access(_) => RejectionCause::NetworkBusy,
            Self::TooManySocketsPerPerson => RejectionCause::TooManyPages,
            Self::EngineSilent => RejectionCause::ServersUnreachable,
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::TooManyConnectionsPerAddress
            | Self::TooManySocketsPerAddress
            | Self::TooManySocketsPerPerson
            | Self::TooManyRoomsPerAddress
            | Self::SocketRateExceeded(_)
            | Self::WrongSecretRateExceeded(_)
            | Self::ProcessorRateExceeded(_)
            | Self::TooManyBytesInFlight
            | Self::TooManyRequestsPerAddress => StatusCode::TOO_MANY_REQUESTS,
            Self::TooManyConnections
            | Self::TooManySockets
            | Self::TooMuchWork
            | Self::RoomAtCapacity
            | Self::TooManyRooms
            | Self::EngineSilent => StatusCode::SERVICE_UNAVAILABLE,
            Self::Access(error) => error.status(),
        }
    }

    /// In whole seconds, rounded up.
    pub(crate) fn retry_after(self) -> u64 {
        let wait = match self {
            Self::SocketRateExceeded(wait)
            | Self::WrongSecretRateExceeded(wait)
            | Self::ProcessorRateExceeded(wait) => wait,
            Self::EngineSilent => ENGINE_RETRY_AFTER,
            _ => RETRY_AFTER,
        };
        whole_seconds(wait)
    }
}

impl From<NoRoomError> for Rejection {
    fn from(error: NoRoomError) -> Self {
        match error {
            NoRoomError::TooManyRooms => Self::TooManyRooms,
            NoRoomError::TooManyRoomsOfAddress => Self::TooManyRoomsPerAddress,
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        METRICS.rejected(self.limit());
        self.response()
    }
}

impl Rejection {
    /// The response alone, for a rejection that is counted already.
    pub(crate) fn response(self) -> Response {
        if let Self::Access(error) = self {
            return error.response();
        }
        let retry_after = [
            (header::RETRY_AFTER, HeaderValue::from(self.retry_after())),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (self.status(), retry_after, format!("{self}\n")).into_response()
    }
}

#[cfg(test)]
mod tests {
    use registry::hub::HubStats;

    use super::*;
    use crate::{
        telemetry::metrics::{Metrics, Now, exposition},
        tokens::TokenError,
    };

    #[test]
    fn a_limit_per_client_is_429_and_a_limit_of_the_server_503() {
        let response = Rejection::SocketRateExceeded(Duration::from_millis(1_200)).into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        let response = Rejection::TooManySockets.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "5");
    }

    #[test]
    fn every_rejection_is_counted_by_its_limit() {
        let metrics = Metrics::new();
        let rejections = [
            Rejection::TooManyConnections,
            Rejection::TooManyConnectionsPerAddress,
            Rejection::TooManySockets,
            Rejection::TooManySocketsPerAddress,
            Rejection::TooManySocketsPerPerson,
            Rejection::SocketRateExceeded(Duration::ZERO),
            Rejection::WrongSecretRateExceeded(Duration::ZERO),
            Rejection::ProcessorRateExceeded(Duration::ZERO),
            Rejection::TooManyRequestsPerAddress,
            Rejection::TooMuchWork,
            Rejection::TooManyBytesInFlight,
            Rejection::RoomAtCapacity,
            Rejection::TooManyRooms,
            Rejection::TooManyRoomsPerAddress,
            Rejection::EngineSilent,
            AccessError::TokenMissing.into(),
            AccessError::Token(TokenError::Expired).into(),
            AccessError::Token(TokenError::Form).into(),
            AccessError::TooManyInvalid(Duration::ZERO).into(),
            AccessError::OtherRooms.into(),
            AccessError::Closed.into(),
        ];
        for rejection in rejections {
            metrics.rejected(rejection.limit());
            let text = exposition(&metrics, &HubStats::default(), None, Now::default());
            let line = format!("rollcall_rejections_total{{limit=\"{}\"}} 1", rejection.limit());
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
    }
}
