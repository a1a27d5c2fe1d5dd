//! Why a request to the backend API is refused, as JSON (RFC 9457, Problem Details for HTTP APIs).

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    cursor::{MOST_COUNTED, PageError},
    scope::Scope,
};
use crate::{
    admission::{Rejection, rate_limit::whole_seconds},
    http::{export::ExportError, room_action::RoomActionError},
};

/// The media type of a problem.
const CONTENT_TYPE: &str = "application/problem+json";

/// Why a request is refused. Its text is a sentence for whoever wrote the program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// A page of a browser sent it.
    #[error(
        "This is for programs on servers. A page of a browser must not have a key, and can read lists without one."
    )]
    OriginNotAllowed,
    /// There is no key.
    #[error(
        "This needs a key: send it in the header Authorization, after the word Bearer. `rollcall key add` makes one."
    )]
    KeyMissing,
    /// Nobody has made this key, or it was removed.
    #[error(
        "There is no such key. `rollcall key list` shows all keys, and `rollcall key add` makes one."
    )]
    KeyUnknown,
    /// The key was not looked at.
    #[error(
        "Too many wrong keys were sent from this address, so no key is looked at for a moment. Try again soon."
    )]
    TooManyWrongKeys(Duration),
    /// The key does not permit this.
    #[error("This needs a key with the scope {0}.")]
    ScopeMissing(Scope),
    /// The page that is asked for is none.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The body is no list of rooms.
    #[error("{0}")]
    Body(String),
    /// The body is too long to be one.
    #[error("The body is longer than the names of {MOST_COUNTED} rooms.")]
    BodyTooLong,
    /// The address answers other methods.
    #[error(
        "This address does not answer this method. The header Allow has those that it answers."
    )]
    MethodNotAllowed,
    /// What was to be done to a room was not done.
    #[error(transparent)]
    Room(#[from] RoomActionError),
    /// The list can't be written.
    #[error(transparent)]
    List(#[from] ExportError),
    /// The client is over a limit.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

/// The body of an answer.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Problem"))]
pub(crate) struct ProblemDetails<'problem> {
    /// No page describes it further than the status does (RFC 9457, section 4.2.1).
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'problem str,
    /// For programs.
    code: &'static str,
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::OriginNotAllowed | Self::ScopeMissing(_) => StatusCode::FORBIDDEN,
            Self::KeyMissing | Self::KeyUnknown => StatusCode::UNAUTHORIZED,
            Self::TooManyWrongKeys(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Page(_) | Self::Body(_) => StatusCode::BAD_REQUEST,
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Room(error) => error.status(),
            Self::List(ExportError::Busy) => StatusCode::SERVICE_UNAVAILABLE,
            Self::List(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Rejected(rejection) => rejection.status(),
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::KeyMissing => "key_missing",
            Self::KeyUnknown => "key_unknown",
            Self::TooManyWrongKeys(_) => "wrong_keys",
            Self::ScopeMissing(_) => "scope_missing",
            Self::Page(_) => "page_invalid",
            Self::Body(_) => "body_invalid",
            Self::BodyTooLong => "body_too_long",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Room(RoomActionError::Name(_)) => "room_name_invalid",
            Self::Room(RoomActionError::NotListed) => "not_listed",
            Self::Room(RoomActionError::Vacant(_)) => "room_vacant",
            Self::Room(RoomActionError::NotChanged(_)) => "engine",
            Self::List(ExportError::Busy) => "busy",
            Self::List(_) => "failed",
            Self::Rejected(rejection) => rejection.limit(),
        }
    }

    /// What a client has to know besides: how to authenticate (RFC 6750, section 3), and when to come back.
    fn headers(&self) -> HeaderMap {
        let challenge =
            |text: String| (header::WWW_AUTHENTICATE, HeaderValue::from_str(&text).ok());
        let retry_after = |seconds: u64| (header::RETRY_AFTER, Some(HeaderValue::from(seconds)));
        let (name, value) = match self {
            Self::KeyMissing => challenge("Bearer".to_owned()),
            Self::KeyUnknown => challenge("Bearer error=\"invalid_token\"".to_owned()),
            Self::ScopeMissing(scope) => {
                challenge(format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""))
            }
            Self::TooManyWrongKeys(wait) => retry_after(whole_seconds(*wait)),
            Self::Rejected(rejection) => retry_after(rejection.retry_after()),
            Self::Room(RoomActionError::NotChanged(_)) => retry_after(2),
            Self::List(ExportError::Busy) => retry_after(5),
            _ => return HeaderMap::new(),
        };
        value.map(|value| (name, value)).into_iter().collect()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, detail) = (self.status(), self.to_string());
        if let Self::List(error) = &self
            && status == StatusCode::INTERNAL_SERVER_ERROR
        {
            tracing::error!(%error, "a list could not be written for a key");
        }
        let details = ProblemDetails {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: &detail,
            code: self.code(),
        };
        let body = serde_json::to_vec(&details).unwrap_or_default();
        let own = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
        (status, self.headers(), own, Body::from(body)).into_response()
    }
}
