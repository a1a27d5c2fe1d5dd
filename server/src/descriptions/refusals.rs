//! Why a request is refused, as responses of `docs/openapi.json`: which codes a status has, and what each means.

use std::{collections::BTreeMap, time::Duration};

use app::presence::{RoomName, RoomNameError};
use axum::http::StatusCode;
use registry::hub::RoomChangeError;
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::{
    admission::Rejection,
    api::{
        cursor::PageError,
        problem::{Problem, ProblemDetails},
        scope::Scope,
    },
    http::{export::ExportError, room_action::RoomActionError},
    room_access::AccessError,
    tokens::TokenError,
};

/// Every problem of the backend API, apart from those that a client can't do anything about.
fn problems() -> Vec<Problem> {
    let wait = Duration::from_secs(1);
    let of_room = [
        RoomActionError::Name(RoomNameError::Characters),
        RoomActionError::NotListed,
        RoomActionError::Vacant(RoomName::lobby()),
        RoomActionError::NotChanged(RoomChangeError::Unanswered),
    ];
    let mut all = vec![
        Problem::KeyMissing,
        Problem::KeyUnknown,
        Problem::OriginNotAllowed,
        Problem::ScopeMissing(Scope::RoomsRead),
        Problem::TooManyWrongKeys(wait),
        Problem::Page(PageError::Limit),
        Problem::Body("The body is no list of rooms.".to_owned()),
        Problem::BodyTooLong,
        Problem::List(ExportError::Busy),
        Problem::Rejected(Rejection::ProcessorRateExceeded(wait)),
        Problem::Rejected(Rejection::TooManyRequestsPerAddress),
        Problem::Rejected(Rejection::TooManyBytesInFlight),
    ];
    all.extend(of_room.map(Problem::Room));
    all
}

/// Why a socket or an event stream is refused.
const REJECTIONS: [Rejection; 14] = [
    Rejection::TooManySocketsPerAddress,
    Rejection::TooManySocketsPerPerson,
    Rejection::SocketRateExceeded(Duration::from_secs(1)),
    Rejection::ProcessorRateExceeded(Duration::from_secs(1)),
    Rejection::TooManyRoomsPerAddress,
    Rejection::TooManySockets,
    Rejection::RoomAtCapacity,
    Rejection::TooManyRooms,
    Rejection::EngineSilent,
    Rejection::Access(AccessError::Token(TokenError::Expired)),
    Rejection::Access(AccessError::Token(TokenError::Signature)),
    Rejection::Access(AccessError::OtherRooms),
    Rejection::Access(AccessError::Closed),
    Rejection::Access(AccessError::TooManyInvalid(Duration::from_secs(1))),
];

/// The responses of the backend API to requests that it refuses, by their names.
pub(super) fn responses(schemas: &mut Schemas) -> Value {
    let schema = schemas.sent::<ProblemDetails<'_>>();
    let mut by_status: BTreeMap<StatusCode, Vec<String>> = BTreeMap::new();
    for problem in problems() {
        let line = format!("- `{}`: {problem}", problem.code());
        by_status.entry(problem.status()).or_default().push(line);
    }
    let response = |(status, lines): (StatusCode, Vec<String>)| {
        let description =
            format!("The `code` of the problem is one of these, or newer:\n\n{}", lines.join("\n"));
        let content = json!({ "application/problem+json": { "schema": schema } });
        let mut response = json!({ "description": description, "content": content });
        let headers = headers(status);
        if !headers.is_empty() {
            response["headers"] = Value::Object(headers);
        }
        (name(status), response)
    };
    Value::Object(by_status.into_iter().map(response).collect())
}

/// The codes of refused sockets with this status, in words.
pub(super) fn rejection_codes(status: StatusCode) -> String {
    let of_status = REJECTIONS.into_iter().filter(|rejection| rejection.status() == status);
    let lines = of_status.map(|rejection| format!("- `{}`: {rejection}", rejection.limit()));
    lines.collect::<Vec<_>>().join("\n")
}

/// References to the responses with these statuses.
pub(super) fn refused(statuses: &[StatusCode]) -> Map<String, Value> {
    let reference = |status: &StatusCode| {
        let target = format!("#/components/responses/{}", name(*status));
        (status.as_str().to_owned(), json!({ "$ref": target }))
    };
    statuses.iter().map(reference).collect()
}

/// What a client that is refused has to know besides.
pub(super) fn headers(status: StatusCode) -> Map<String, Value> {
    let header =
        |description: &str, schema: Value| json!({ "description": description, "schema": schema });
    let (name, value) = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let description = "How to authenticate (RFC 6750, section 3); left out where a page sent the request.";
            ("WWW-Authenticate", header(description, json!({ "type": "string" })))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let seconds = json!({ "type": "integer", "minimum": 0 });
            ("Retry-After", header("When to come back, in seconds.", seconds))
        }
        _ => return Map::new(),
    };
    Map::from_iter([(name.to_owned(), value)])
}

/// The name of a status in the document.
fn name(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    reason.split(' ').collect::<Vec<_>>().concat()
}
