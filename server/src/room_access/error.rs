//! Why a visitor may not enter a room, for programs and people.

use std::time::Duration;

use app::presence::CloseCode;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{admission::rate_limit::whole_seconds, tokens::TokenError};

/// Why a visitor may not enter a room. Its text fits into a close frame (123 bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The room needs a token.
    #[error("This room needs a token of the site that it belongs to. Please enter it from there.")]
    TokenMissing,
    /// The token is not valid, or no longer.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The address sent too many invalid tokens; it may send the next one after this time.
    #[error("Too many invalid tokens were sent from your network. Try again soon.")]
    TooManyInvalid(Duration),
    /// The token is for other rooms, or permits nothing.
    #[error("The token is not for this room.")]
    OtherRooms,
    /// The settings close the room to everybody.
    #[error("This room is closed.")]
    Closed,
}

impl AccessError {
    /// As programs know it, and metrics.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::TokenMissing => "token_missing",
            Self::Token(TokenError::Expired) => "token_expired",
            Self::Token(_) => "token_invalid",
            Self::TooManyInvalid(_) => "invalid_tokens_per_address",
            Self::OtherRooms => "token_for_other_rooms",
            Self::Closed => "room_not_open",
        }
    }

    /// Of an HTTP response.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::TokenMissing | Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::TooManyInvalid(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::OtherRooms | Self::Closed => StatusCode::FORBIDDEN,
        }
    }

    /// With which a socket is closed: 4401 is for a client that gets a new token, 4403 for one that stays away.
    pub(crate) fn close_code(self) -> CloseCode {
        match self {
            Self::TokenMissing | Self::Token(_) => CloseCode::Unauthorized,
            Self::TooManyInvalid(_) => CloseCode::TooFast,
            Self::OtherRooms | Self::Closed => CloseCode::Forbidden,
        }
    }

    /// When to try again with the same request, in whole seconds; none if that helps nothing.
    pub(crate) fn retry_after(self) -> Option<u64> {
        match self {
            Self::TooManyInvalid(wait) => Some(whole_seconds(wait)),
            _ => None,
        }
    }

    /// The response alone, which metrics do not count.
    pub(crate) fn response(self) -> Response {
        let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        let mut response = (self.status(), no_store, format!("{self}\n")).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // RFC 6750, section 3.
        let challenge = match self {
            Self::TokenMissing => Some("Bearer"),
            Self::Token(_) => Some("Bearer error=\"invalid_token\""),
            Self::OtherRooms => Some("Bearer error=\"insufficient_scope\""),
            Self::TooManyInvalid(_) | Self::Closed => None,
        };
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_fit_into_a_close_frame() {
        for error in [
            AccessError::TokenMissing,
            AccessError::TooManyInvalid(Duration::from_secs(3)),
            AccessError::OtherRooms,
            AccessError::Closed,
        ] {
            assert!(error.to_string().len() <= 123, "{error}");
        }
    }
}
