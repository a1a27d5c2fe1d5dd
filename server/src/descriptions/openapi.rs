//! `docs/openapi.json`: what the server answers over HTTP, and the webhooks that it sends.

use app::presence::{RoomName, UserId};
use serde_json::{Value, json};

use super::{operations, public_operations, refusals, schemas::Schemas};
use crate::webhooks::{EventKind, event::Message};

/// The whole document.
pub(super) fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut paths = operations::paths(&mut schemas);
    merge(&mut paths, public_operations::paths(&mut schemas));
    let document = json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Rollcall",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Who is here, right now.",
            "description": "What programs can ask a Rollcall server, and the webhooks that it sends. \
                Fields may be added: ignore those that you don't know.",
            "license": license(),
        },
        "servers": [{
            "url": "https://{host}",
            "description": "Your Rollcall, which may be below a path too.",
            "variables": { "host": { "default": "rollcall.example" } },
        }],
        "tags": [
            { "name": "backend", "description": "For programs with a key." },
            { "name": "public", "description": "For everybody." },
            { "name": "webhooks", "description": "What the server sends." },
        ],
        "paths": paths,
        "webhooks": { "presence": { "post": webhook(&mut schemas) } },
        "components": {
            "securitySchemes": { "key": {
                "type": "http",
                "scheme": "bearer",
                "description": "A key of `rollcall key add`. A request with an `Origin` is refused: pages can't have one.",
            }, "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token of another application, for rooms that need one.",
            } },
            "parameters": parameters(&mut schemas),
            "responses": refusals::responses(&mut schemas),
        },
    });
    schemas.complete(document)
}

pub(super) fn license() -> Value {
    json!({ "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" })
}

/// The content of a body in JSON.
pub(super) fn json_body(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// A parameter that several operations have.
pub(super) fn parameter(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

fn parameters(schemas: &mut Schemas) -> Value {
    let text = json!({ "type": "string" });
    let parameter = |name: &str, place: &str, description: &str, schema: Value| json!({ "name": name, "in": place, "required": place == "path", "description": description, "schema": schema });
    let minutes = json!({ "type": "integer", "minimum": -840, "maximum": 840, "default": 0 });
    let mut session = parameter(
        "session",
        "query",
        "Everybody who was on the list, where attendance is kept. It needs no value.",
        json!({ "type": "string", "maxLength": 0 }),
    );
    session["allowEmptyValue"] = true.into();
    json!({
        "room": parameter("room", "path", "The room's name.", schemas.sent::<RoomName>()),
        "id": parameter("id", "path", "The id of a row.", schemas.sent::<UserId>()),
        "offset": parameter("offset", "query", "Times in the zone that is so many minutes east of UTC.", minutes),
        "session": session,
        "lastEventId": parameter("Last-Event-ID", "header", "The id of the last event that the client has.", text),
    })
}

/// The message of a webhook, and what its receiver answers.
fn webhook(schemas: &mut Schemas) -> Value {
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "required": true, "description": description, "schema": schema });
    let text = || json!({ "type": "string" });
    let kinds = EventKind::ALL.map(|kind| format!("`{}`", kind.name())).join(", ");
    json!({
        "operationId": "onPresence",
        "tags": ["webhooks"],
        "summary": "Who comes and goes",
        "description": format!(
            "Signed after Standard Webhooks 1.0. One message is under way at a time, so events arrive in order. \
            A receiver chooses among {kinds}; `presence.resync` is sent to all."
        ),
        "security": [],
        "parameters": [
            header("webhook-id", "The same at each attempt: ignore a message that you have had.", text()),
            header("webhook-timestamp", "When it was sent, in seconds since the Unix epoch.", json!({ "type": "integer" })),
            header("webhook-signature", "`v1,` and the HMAC-SHA256 in base64.", text()),
        ],
        "requestBody": { "required": true, "content": json_body(&schemas.sent::<Message<'_>>()) },
        "responses": {
            "2XX": { "description": "The message has arrived." },
            "410": { "description": "The receiver wants no more, until the server starts again." },
            "default": { "description": "The message is sent again, for up to 24 hours." },
        },
    })
}

/// Adds the fields of an object to another one.
fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
