//! The query of a request to `/socket.io/`, as Engine.IO defines it. Pure.

use axum::http::Method;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A new session.
    Open(Transport),
    /// The next step of one that exists.
    Continue(Transport),
}

/// How packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Polling,
    WebSocket,
}

/// Why a request is none of Engine.IO. The codes are those of its reference implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryError {
    #[error("The transport is unknown: polling and websocket are supported.")]
    UnknownTransport,
    #[error("A session begins with a GET request.")]
    BadMethod,
    #[error(
        "This server accepts the transport websocket only: io({{ transports: [\"websocket\"] }})."
    )]
    PollingDisabled,
    #[error("A WebSocket begins with a handshake (RFC 6455): connect with a client of Socket.IO.")]
    BadUpgrade,
    #[error(
        "This server speaks revision 4 of the Engine.IO protocol: use socket.io-client 3.x or 4.x."
    )]
    UnsupportedVersion,
}

impl QueryError {
    /// The number that clients know it by.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::UnknownTransport => 0,
            Self::BadMethod => 2,
            Self::PollingDisabled | Self::BadUpgrade => 3,
            Self::UnsupportedVersion => 5,
        }
    }
}

/// Reads what a request is for.
pub(super) fn purpose(
    method: &Method,
    query: &str,
    is_polling_enabled: bool,
) -> Result<Purpose, QueryError> {
    let (version, transport) = (field(query, "EIO="), field(query, "transport="));
    if version != Some("4") {
        return Err(QueryError::UnsupportedVersion);
    }
    let transport = match transport {
        Some("polling") if !is_polling_enabled => return Err(QueryError::PollingDisabled),
        Some("polling") => Transport::Polling,
        Some("websocket") => Transport::WebSocket,
        _ => return Err(QueryError::UnknownTransport),
    };
    match (session(query).is_some(), transport) {
        (true, Transport::Polling) if *method == Method::POST => Ok(Purpose::Continue(transport)),
        _ if *method != Method::GET => Err(QueryError::BadMethod),
        (true, _) => Ok(Purpose::Continue(transport)),
        (false, _) => Ok(Purpose::Open(transport)),
    }
}

/// The session that a request continues.
pub(super) fn session(query: &str) -> Option<&str> {
    field(query, "sid=")
}

/// As engineioxide reads it, so that both see the same request: nothing is decoded, and the first of a name counts.
fn field<'query>(query: &'query str, name: &str) -> Option<&'query str> {
    query.split('&').find_map(|field| field.strip_prefix(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        use Purpose::{Continue, Open};
        use QueryError::{BadMethod, UnknownTransport, UnsupportedVersion};
        use Transport::{Polling, WebSocket};
        for (method, query, expected) in [
            (Method::GET, "EIO=4&transport=polling&t=abc", Ok(Open(Polling))),
            (Method::GET, "EIO=4&transport=websocket", Ok(Open(WebSocket))),
            (Method::GET, "EIO=4&transport=polling&sid=a", Ok(Continue(Polling))),
            (Method::POST, "EIO=4&transport=polling&sid=a", Ok(Continue(Polling))),
            (Method::GET, "EIO=4&transport=websocket&sid=a", Ok(Continue(WebSocket))),
            (Method::POST, "EIO=4&transport=polling", Err(BadMethod)),
            (Method::POST, "EIO=4&transport=websocket&sid=a", Err(BadMethod)),
            (Method::DELETE, "EIO=4&transport=polling&sid=a", Err(BadMethod)),
            (Method::GET, "EIO=3&transport=polling", Err(UnsupportedVersion)),
            (Method::GET, "transport=polling", Err(UnsupportedVersion)),
            (Method::GET, "", Err(UnsupportedVersion)),
            (Method::GET, "EIO=4", Err(UnknownTransport)),
            (Method::GET, "EIO=4&transport=polling&s%69d=a", Ok(Open(Polling))),
            (Method::GET, "EIO=3&EIO=4&transport=polling", Err(UnsupportedVersion)),
            (Method::GET, "EIO=4&transport=jsonp", Err(UnknownTransport)),
        ] {
            assert_eq!(purpose(&method, query, true), expected, "{method} {query}");
        }
    }

    #[test]
    fn polling_can_be_disabled() {
        for query in ["EIO=4&transport=polling", "EIO=4&transport=polling&sid=a"] {
            let refused = purpose(&Method::GET, query, false);
            assert_eq!(refused, Err(QueryError::PollingDisabled), "{query}");
        }
        let websocket = purpose(&Method::GET, "EIO=4&transport=websocket", false);
        assert_eq!(websocket, Ok(Purpose::Open(Transport::WebSocket)));
    }

    #[test]
    fn version_error_names_the_clients_that_work() {
        let error = QueryError::UnsupportedVersion;
        assert_eq!(error.code(), 5);
        assert!(error.to_string().contains("3.x or 4.x"));
    }
}
