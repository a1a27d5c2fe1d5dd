//! Why somebody is not let in, in words for a person.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::telemetry::metrics::METRICS;

/// When to come again, where nobody knows when there will be room.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Why somebody is not let in. Its text is a sentence that says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The server has as many connections as it may.
    #[error("This server has no room for more visitors at the moment: please try again soon.")]
    TooManyConnections,
    /// The address has as many connections as it may.
    #[error("Too many connections from your network: please close some, or try again soon.")]
    TooManyConnectionsOfAddress,
    /// The server has as many sockets as it may.
    #[error("This server can't tell more people who is here at the moment: please try again soon.")]
    TooManySockets,
    /// The address has as many sockets as it may.
    #[error("Too many people from your network are here: please try again when somebody has left.")]
    TooManySocketsOfAddress,
    /// The person has as many sockets as they may.
    #[error("You have too many pages of this site open: please close some.")]
    TooManySocketsOfPerson,
    /// The address opened sockets too fast; after how long it may open another.
    #[error("Too many people from your network came at once: please try again soon.")]
    TooFast(Duration),
    /// As many look at the room as may.
    #[error("This room has no place for one more to look at it: please try again soon.")]
    RoomAtCapacity,
    /// There are as many rooms as there may be.
    #[error(
        "This server has no more rooms at the moment: please try again soon, or use another room."
    )]
    TooManyRooms,
}

impl Rejection {
    /// Which limit it was, for the numbers.
    pub fn reason(self) -> &'static str {
        match self {
            Self::TooManyConnections => "connections",
            Self::TooManyConnectionsOfAddress => "connections_of_address",
            Self::TooManySockets => "sockets",
            Self::TooManySocketsOfAddress => "sockets_of_address",
            Self::TooManySocketsOfPerson => "sockets_of_person",
            Self::TooFast(_) => "too_fast",
            Self::RoomAtCapacity => "room_crowded",
            Self::TooManyRooms => "rooms",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::TooManyConnectionsOfAddress
            | Self::TooManySocketsOfAddress
            | Self::TooManySocketsOfPerson
            | Self::TooFast(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooManyConnections
            | Self::TooManySockets
            | Self::RoomAtCapacity
            | Self::TooManyRooms => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// After how many seconds to come again.
    fn retry_after(self) -> u64 {
        let wait = if let Self::TooFast(wait) = self { wait } else { RETRY_AFTER };
        wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        METRICS.rejected(self.reason());
        self.answer()
    }
}

impl Rejection {
    /// What they are told; that they were turned away is counted already.
    pub(crate) fn answer(self) -> Response {
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
    use crate::telemetry::metrics::{Metrics, Now, exposition};

    #[test]
    fn whose_limit_it_is_decides_the_status_and_waiting_is_in_whole_seconds() {
        let answer = Rejection::TooFast(Duration::from_millis(1_200)).into_response();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "2");
        let answer = Rejection::TooManySockets.into_response();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "5");
    }

    #[test]
    fn every_reason_to_turn_somebody_away_is_counted() {
        let metrics = Metrics::new();
        let reasons = [
            Rejection::TooManyConnections,
            Rejection::TooManyConnectionsOfAddress,
            Rejection::TooManySockets,
            Rejection::TooManySocketsOfAddress,
            Rejection::TooManySocketsOfPerson,
            Rejection::TooFast(Duration::ZERO),
            Rejection::RoomAtCapacity,
            Rejection::TooManyRooms,
        ];
        for reason in reasons {
            metrics.rejected(reason.reason());
            let text = exposition(&metrics, &HubStats::default(), Now::default());
            let line = format!("rollcall_turned_away_total{{limit=\"{}\"}} 1", reason.reason());
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
    }
}
