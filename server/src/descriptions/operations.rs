//! What a program with a key can ask for.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    openapi::{json_body, parameter},
    refusals::refused,
    schemas::Schemas,
};
use crate::api::{
    cursor::{MOST_COUNTED, MOST_ROOMS},
    rooms::{Counts, CountsRequest, RoomDetails, RoomPage},
    scope::Scope,
};

/// The addresses, each with its operations by method.
pub(super) fn paths(schemas: &mut Schemas) -> Value {
    let all = Operation {
        id: "listRooms",
        summary: "A page of all rooms, in the order of their names",
        description: "Also rooms in which nobody is. Among several servers, the rooms that this one knows.",
        scope: Scope::RoomsRead,
        answer: ("A page.", Some(schemas.sent::<RoomPage>())),
        refusals: &[StatusCode::BAD_REQUEST],
    };
    let one = Operation {
        id: "readRoom",
        summary: "How many people are in a room, and who",
        description: "`users` are for keys with the scope `users:read` as well. A room that does not exist has no people.",
        scope: Scope::RoomsRead,
        answer: ("The room.", Some(schemas.sent::<RoomDetails>())),
        refusals: &[StatusCode::NOT_FOUND],
    };
    let close = Operation {
        id: "closeRoom",
        summary: "Remove everybody from a room",
        description: "All sockets and event streams of the room end. Anyone may open it again.",
        scope: Scope::RoomsClose,
        answer: ("The room is closed.", None),
        refusals: &[StatusCode::NOT_FOUND],
    };
    let counts = Operation {
        id: "countPeople",
        summary: "How many people are in each of these rooms",
        description: "Among several servers, as far as this one knows.",
        scope: Scope::RoomsRead,
        answer: ("The number of rows of each room's list.", Some(schemas.sent::<Counts>())),
        refusals: &[StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::PAYLOAD_TOO_LARGE],
    };
    let remove = Operation {
        id: "removeUser",
        summary: "Remove one person from a room's list",
        description: "The reason of the departure is `removed`. The person may join again.",
        scope: Scope::UsersRemove,
        answer: ("The row is removed.", None),
        refusals: &[StatusCode::NOT_FOUND],
    };
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": MOST_ROOMS, "default": 100 });
    let limit = json!({ "name": "limit", "in": "query", "description": "The most rooms of the page.", "schema": limit });
    let cursor = json!({
        "name": "cursor",
        "in": "query",
        "description": "The `next` of the page before.",
        "schema": { "type": "string" },
    });
    let mut all = all.described();
    all["parameters"] = json!([limit, cursor]);
    let mut counts = counts.described();
    let mut body = schemas.received_whole::<CountsRequest>();
    body["properties"]["rooms"]["maxItems"] = MOST_COUNTED.into();
    counts["requestBody"] = json!({ "required": true, "content": json_body(&body) });
    json!({
        "/api/rooms": { "get": all },
        "/api/rooms/-/counts": { "post": counts },
        "/api/rooms/{room}": {
            "parameters": [parameter("room")],
            "get": one.described(),
            "delete": close.described(),
        },
        "/api/rooms/{room}/users/{id}": {
            "parameters": [parameter("room"), parameter("id")],
            "delete": remove.described(),
        },
    })
}

/// What every operation with a key has in common.
struct Operation {
    id: &'static str,
    summary: &'static str,
    description: &'static str,
    scope: Scope,
    /// What comes of it, and the body.
    answer: (&'static str, Option<Value>),
    /// Statuses besides those of keys and limits.
    refusals: &'static [StatusCode],
}

impl Operation {
    fn described(self) -> Value {
        let (outcome, body) = self.answer;
        let mut responses = refused(&[
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ]);
        responses.extend(refused(self.refusals));
        let (status, response) = match body {
            Some(schema) => {
                ("200", json!({ "description": outcome, "content": json_body(&schema) }))
            }
            None => ("204", json!({ "description": outcome })),
        };
        responses.insert(status.to_owned(), response);
        json!({
            "operationId": self.id,
            "tags": ["backend"],
            "summary": self.summary,
            "description": self.description,
            "security": [{ "key": [self.scope.name()] }],
            "responses": responses,
        })
    }
}
