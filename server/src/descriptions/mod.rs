//! The descriptions of this server for other people's tools, `docs/openapi.json` and `docs/asyncapi.json`, made of the
//! types. They are written and compared by tests, so no program contains any of this. `server/tests/it` holds what
//! servers send to them.
//!
//! - `openapi`: HTTP: `operations` of programs with a key, `public_operations` of everybody, `refusals`, webhooks.
//! - `asyncapi`: the WebSocket, the event streams and webhooks; `frames`: each frame as a schema of its own.
//! - `schemas`: JSON Schemas of types, as both documents need them.

mod asyncapi;
mod frames;
mod openapi;
mod operations;
mod public_operations;
mod refusals;
mod schemas;

use serde_json::Value;

use crate::reference::assert_is_up_to_date;

fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

#[test]
fn openapi_description_in_the_repository_is_up_to_date() {
    assert_is_up_to_date("docs/openapi.json", &text(&openapi::document()));
}

#[test]
fn asyncapi_description_in_the_repository_is_up_to_date() {
    assert_is_up_to_date("docs/asyncapi.json", &text(&asyncapi::document()));
}
