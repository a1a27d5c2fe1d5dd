//! What everybody may read without a key: lists, event streams, exports.

use app::presence::ServerEvent;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    openapi::{json_body, parameter},
    refusals::{headers, rejection_codes},
    schemas::Schemas,
};
use crate::http::{events_of_rooms::MAX_ROOMS, socket_check::Reason};

const NO_ROOM: (StatusCode, &str) = (StatusCode::NOT_FOUND, "No room can have this name.");

const BUSY: (StatusCode, &str) =
    (StatusCode::SERVICE_UNAVAILABLE, "Others are reading many long lists.");

const TOO_MUCH: (StatusCode, &str) =
    (StatusCode::TOO_MANY_REQUESTS, "The client's address is over a limit.");

const FULL: (StatusCode, &str) = (
    StatusCode::SERVICE_UNAVAILABLE,
    "The server or the room takes no more, or the room can't be had from the other servers.",
);

const NO_TOKEN: (StatusCode, &str) =
    (StatusCode::UNAUTHORIZED, "The room needs a token, or the token is not valid.");

const NOT_PERMITTED: (StatusCode, &str) =
    (StatusCode::FORBIDDEN, "The token is not for this room, or the room is closed to everybody.");

const OPTIONS: (StatusCode, &str) =
    (StatusCode::BAD_REQUEST, "A parameter has another value than it may have.");

/// The addresses, each with its operations by method.
pub(super) fn paths(schemas: &mut Schemas) -> Value {
    let list = schemas
        .sent_variants::<ServerEvent>()
        .into_iter()
        .find(|frame| frame["properties"]["event"]["const"] == "existing_users")
        .unwrap_or_default();
    let room = || json!([parameter("room")]);
    json!({
        "/api/rooms/{room}/users": {
            "parameters": room(),
            "get": of_room("readList", "The list of a room now", "Also of a full room. It opens no room.",
                &ok("application/json", &list), &[NO_ROOM, TOO_MUCH, BUSY]),
        },
        "/api/rooms/{room}/events": {
            "parameters": [parameter("room"), parameter("lastEventId"), since("EPOCH.SEQ", "The list's position.")],
            "get": of_room("followRoom", "The live list of a room",
                "Server-Sent Events, whose data `asyncapi.json` describes.",
                &ok("text/event-stream", &text()), &[NO_ROOM, TOO_MUCH, FULL]),
        },
        "/api/events": {
            "parameters": [rooms(), parameter("lastEventId"),
                since("ROOM.EPOCH.SEQ,…", "The positions of these rooms' lists.")],
            "get": of_room("followRooms", "The live lists of several rooms in one stream",
                "Server-Sent Events, whose data `asyncapi.json` describes.",
                &ok("text/event-stream", &text()), &[OPTIONS, TOO_MUCH, FULL]),
        },
        "/api/rooms/{room}/roll.csv": {
            "parameters": [parameter("room"), parameter("offset"), parameter("session"), separator()],
            "get": export("exportCsv", "The list as CSV (RFC 4180)", "text/csv", &text()),
        },
        "/api/rooms/{room}/roll.txt": {
            "parameters": [parameter("room"), parameter("offset"), parameter("session")],
            "get": export("exportText", "The list as text", "text/plain", &text()),
        },
        "/api/rooms/{room}/roll.xlsx": {
            "parameters": [parameter("room"), parameter("offset"), parameter("session")],
            "get": export("exportWorkbook", "The list as a workbook",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                &json!({ "type": "string", "contentMediaType": "application/octet-stream" })),
        },
        "/r/{room}/socket": {
            "parameters": [parameter("room"), page_origin()],
            "get": socket(&schemas.sent::<Reason<'_>>()),
        },
        "/healthz": {
            "get": described("checkHealth", "Whether the server answers", "It is never over a limit.",
                &ok("text/plain", &text()), &[(StatusCode::BAD_REQUEST, "The request is not valid HTTP.")]),
        },
    })
}

fn described(
    id: &str,
    summary: &str,
    description: &str,
    ok: &Value,
    refusals: &[(StatusCode, &str)],
) -> Value {
    let mut responses = json!({ "200": ok });
    for (status, sentence) in refusals {
        let mut response = json!({
            "description": format!("{sentence} The body is a sentence for a person."),
            "content": { "text/plain": { "schema": text() } },
        });
        let headers = headers(*status);
        if !headers.is_empty() {
            response["headers"] = Value::Object(headers);
        }
        responses[status.as_str()] = response;
    }
    json!({
        "operationId": id,
        "tags": ["public"],
        "summary": summary,
        "description": description,
        "security": [],
        "responses": responses,
    })
}

/// The same for what a room's settings may keep from those without a token.
fn of_room(
    id: &str,
    summary: &str,
    description: &str,
    ok: &Value,
    refusals: &[(StatusCode, &str)],
) -> Value {
    let refusals = [refusals, &[NO_TOKEN, NOT_PERMITTED]].concat();
    let mut operation = described(id, summary, description, ok, &refusals);
    operation["security"] = perhaps_token();
    operation
}

/// Nothing is needed in most rooms, and a token in the others.
fn perhaps_token() -> Value {
    json!([{}, { "token": [] }])
}

fn export(id: &str, summary: &str, media_type: &str, schema: &Value) -> Value {
    let description = "In order of arrival.";
    let no_room =
        (StatusCode::NOT_FOUND, "No room can have this name, or nobody's attendance is kept.");
    of_room(id, summary, description, &ok(media_type, schema), &[OPTIONS, no_room, TOO_MUCH, BUSY])
}

/// The WebSocket's address. A description of HTTP has no upgrades: this is what it answers without one.
fn socket(reason: &Value) -> Value {
    let answer = |sentence: &str, status: StatusCode| {
        let mut response = json!({ "description": sentence, "content": json_body(reason) });
        let headers = headers(status);
        let is_about_access = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
        if !is_about_access && !headers.is_empty() {
            response["headers"] = Value::Object(headers);
        }
        response
    };
    let limited =
        |status| answer(&format!("One of these, or newer:\n\n{}", rejection_codes(status)), status);
    json!({
        "operationId": "checkSocket",
        "tags": ["public"],
        "summary": "The WebSocket of a room; without an upgrade, whether one would be accepted",
        "description": "`asyncapi.json` describes the frames of the WebSocket.",
        "security": perhaps_token(),
        "responses": {
            "101": { "description": "A WebSocket is open." },
            "401": limited(StatusCode::UNAUTHORIZED),
            "403": answer(&format!("`origin_not_allowed` or `origin_missing`: not for this page, or only for pages. Or one of these:\n\n{}", rejection_codes(StatusCode::FORBIDDEN)), StatusCode::FORBIDDEN),
            "404": answer("`room_name_invalid`: no room can have this name.", StatusCode::NOT_FOUND),
            "426": answer("`upgrade_required`: a WebSocket would be accepted.", StatusCode::UPGRADE_REQUIRED),
            "429": limited(StatusCode::TOO_MANY_REQUESTS),
            "503": limited(StatusCode::SERVICE_UNAVAILABLE),
        },
    })
}

fn ok(media_type: &str, schema: &Value) -> Value {
    json!({ "description": "The answer.", "content": { media_type: { "schema": schema } } })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn since(form: &str, description: &str) -> Value {
    let description =
        format!("{description} The form is `{form}`. The header `Last-Event-ID` goes before it.");
    json!({ "name": "since", "in": "query", "description": description, "schema": text() })
}

fn rooms() -> Value {
    let room = json!({ "$ref": "#/components/schemas/RoomName" });
    json!({
        "name": "rooms",
        "in": "query",
        "required": true,
        "description": "Their names.",
        "style": "form",
        "explode": false,
        "schema": { "type": "array", "items": room, "minItems": 1, "maxItems": MAX_ROOMS },
    })
}

fn separator() -> Value {
    let schema = json!({ "type": "string", "enum": [",", ";", "tab"], "default": "," });
    json!({ "name": "separator", "in": "query", "description": "What stands between two cells.", "schema": schema })
}

fn page_origin() -> Value {
    let description = "The origin of the page that asks: browsers send none with such a request.";
    json!({ "name": "origin", "in": "query", "description": description, "schema": { "type": "string", "format": "uri" } })
}
