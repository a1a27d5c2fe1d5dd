//! `GET /r/{room}/socket` without an upgrade: whether a socket would be accepted.
//!
//! A browser tells a page nothing about a refused socket, neither status nor body. So a page whose socket does
//! not open asks here why.

use axum::{
    Json,
    extract::{Path, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use url::form_urlencoded;

use super::{
    app_state::AppState, room_path::room_from_path, security_headers::allow_any_origin,
    visit::Visit,
};
use crate::{
    admission::{OriginRejected, Rejection, RequestOrigin},
    room_access::AccessError,
};
use registry::hub::room_stats::Occupancy;

/// The body: why no socket was opened, for programs and for people.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "SocketRefusal"))]
pub(crate) struct Reason<'text> {
    code: &'text str,
    message: String,
}

/// Answers as an upgrade of this client, with the page's origin as `?origin=`, would be answered. It takes no
/// permit, and is no rejection that metrics count.
pub(super) fn answer(
    state: &AppState,
    visit: &Visit,
    path: Result<Path<String>, PathRejection>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Response {
    let claimed = origin_in_query(uri);
    let mut request = RequestOrigin::of(headers, visit.host.as_deref());
    request.origin = claimed.as_deref().or(request.origin);
    if let Err(rejected) = state.admission.policy().origins.admit(request) {
        return refused_origin(rejected);
    }
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(error) => {
            return response(StatusCode::NOT_FOUND, "room_name_invalid", error.to_string());
        }
    };
    let permission = match state.permit_request(&room_name, headers, visit) {
        Ok(permission) => Some(permission),
        // The first frame may have a token.
        Err(AccessError::TokenMissing) => None,
        // Also of a cookie, in whose place a frame could have another: a page without one asks here what is wrong.
        Err(error) => return rejected(error.into()),
    };
    let person = state.cookies.known(headers, state.site_port(visit));
    let would_admit =
        |occupancy| state.admission.would_admit_socket(visit.client, person, occupancy);
    let admitted = if permission.is_some() {
        would_admit(state.hub.occupancy(&room_name))
            .and_then(|()| state.would_admit_to(&room_name, visit.client))
            .and_then(|()| state.would_open_room(&room_name))
    } else {
        // Only a token says whether the client may know of the room.
        would_admit(Occupancy::Vacant { rooms: 0 })
    };
    if let Err(rejection) = admitted {
        return rejected(rejection);
    }
    let sentence = "This is the URL of a WebSocket, and one would be accepted: connect with a WebSocket client.";
    let mut response =
        response(StatusCode::UPGRADE_REQUIRED, "upgrade_required", sentence.to_owned());
    response.headers_mut().extend(upgrade_headers());
    response
}

/// What a response of status 426 says about the protocol (RFC 6455, section 4.4).
pub(super) fn upgrade_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
    ])
}

fn origin_in_query(uri: &Uri) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(name, _)| name == "origin").map(|(_, origin)| origin.into_owned())
}

fn refused_origin(rejected: OriginRejected) -> Response {
    response(StatusCode::FORBIDDEN, rejected.code(), rejected.to_string())
}

/// The status and headers of the rejection, with its code.
pub(super) fn rejected(rejection: Rejection) -> Response {
    let (status, headers) = {
        let plain = rejection.response();
        (plain.status(), plain.headers().clone())
    };
    let mut response = response(status, rejection.limit(), rejection.to_string());
    if let Some(retry_after) = headers.get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, retry_after.clone());
    }
    response
}

fn response(status: StatusCode, code: &str, message: String) -> Response {
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    let mut response = (status, no_store, Json(Reason { code, message })).into_response();
    // Also a page that is not allowed has to be told so, and nothing here is secret.
    allow_any_origin(response.headers_mut());
    response
}
