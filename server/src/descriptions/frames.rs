//! Each frame of the protocol as a schema of its own.

use app::presence::{ClientEvent, RoomName, ServerEvent};
use serde_json::{Value, json};

use super::schemas::Schemas;
use crate::http::events_of_rooms::RefusedRoom;

/// One kind of frame.
pub(super) struct Frame {
    /// The value of its field `event`.
    pub(super) event: String,
    /// What it says, in one sentence.
    pub(super) summary: String,
    pub(super) schema: Value,
}

/// What a client sends through a WebSocket.
pub(super) fn of_client(schemas: &mut Schemas) -> Vec<Frame> {
    schemas.received_variants::<ClientEvent>().into_iter().map(Frame::new).collect()
}

/// What the server sends through a WebSocket.
pub(super) fn of_server(schemas: &mut Schemas) -> Vec<Frame> {
    let mut frames: Vec<Frame> =
        schemas.sent_variants::<ServerEvent>().into_iter().map(Frame::new).collect();
    // The encoder adds it to first answers, and only the page reads it.
    let first = frames.iter_mut().filter(|frame| is_first_answer(&frame.event));
    first.for_each(|frame| {
        frame.schema["properties"]["build"] = json!({
            "type": "string",
            "description": "Tells this server's program and pages apart from every other version.",
        });
    });
    frames
}

/// What an event stream of one room sends.
pub(super) fn of_stream(schemas: &mut Schemas) -> Vec<Frame> {
    let is_refusal = |frame: &Frame| frame.event == "refused";
    of_server(schemas).into_iter().filter(|frame| !is_refusal(frame)).collect()
}

/// What an event stream of several rooms sends.
pub(super) fn of_streams(schemas: &mut Schemas) -> Vec<Frame> {
    let mut frames = of_stream(schemas);
    let room = schemas.sent::<RoomName>();
    for frame in &mut frames {
        frame.schema["properties"]["room"] = room.clone();
        frame.schema["required"]
            .as_array_mut()
            .into_iter()
            .for_each(|names| names.push("room".into()));
    }
    let mut refused = schemas.sent_whole::<RefusedRoom<'_>>();
    refused["properties"]["event"]["const"] = "refused".into();
    frames.push(Frame::new(refused));
    frames
}

fn is_first_answer(event: &str) -> bool {
    ["existing_users", "resumed"].contains(&event)
}

impl Frame {
    fn new(mut schema: Value) -> Self {
        let event = schema["properties"]["event"]["const"].as_str().unwrap_or_default().to_owned();
        let description = schema.as_object_mut().and_then(|fields| fields.remove("description"));
        let summary = description.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { event, summary, schema }
    }
}
