//! `docs/asyncapi.json`: the frames of the WebSocket in both directions, event streams, and webhooks.

use app::presence::RoomName;
use serde_json::{Map, Value, json};

use super::{
    frames::{self, Frame},
    openapi::license,
    schemas::{Schemas, in_draft_7},
};
use crate::webhooks::event::Message;

/// The whole document.
pub(super) fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut messages = Messages::default();
    let from_clients = messages.add("", frames::of_client(&mut schemas));
    let to_clients = messages.add("", frames::of_server(&mut schemas));
    let in_a_stream = messages.add("", frames::of_stream(&mut schemas));
    let in_streams = messages.add("room_", frames::of_streams(&mut schemas));
    let webhook = Frame {
        event: "presence.batch".to_owned(),
        summary: "Who came and went, in order.".to_owned(),
        schema: schemas.sent::<Message<'_>>(),
    };
    let webhooks = messages.add("", vec![webhook]);
    let room = schemas.sent::<RoomName>();
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rollcall",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The frames of Rollcall's WebSocket, its event streams and its webhooks. \
                Fields and events may be added: ignore those that you don't know. \
                protocol.md says what each means, and which close codes there are.",
            "license": { "name": license()["name"] },
        },
        "defaultContentType": "application/json",
        "servers": {
            "sockets": server("wss", "For WebSockets."),
            "streams": server("https", "For Server-Sent Events."),
        },
        "channels": {
            "socket": channel(Some("/r/{room}/socket"), "sockets", "The WebSocket of a room.",
                &[&from_clients[..], &to_clients[..]].concat()),
            "stream": channel(Some("/api/rooms/{room}/events"), "streams",
                "The live list of a room, as Server-Sent Events.", &in_a_stream),
            "streams": channel(Some("/api/events"), "streams",
                "The live lists of the rooms in the query `?rooms=a,b`, as Server-Sent Events.", &in_streams),
            "webhook": channel(None, "", "The receiver of a webhook.", &webhooks),
        },
        "operations": {
            "onFrame": operation("receive", "socket", "What a client sends.", &from_clients),
            "sendFrame": operation("send", "socket", "What a client receives.", &to_clients),
            "sendEvent": operation("send", "stream", "What a stream of one room has.", &in_a_stream),
            "sendEventOfRooms": operation("send", "streams", "What a stream of several rooms has.", &in_streams),
            "sendWebhook": operation("send", "webhook", "What a receiver is sent.", &webhooks),
        },
        "components": { "messages": messages.0, "schemas": { "RoomName": room } },
    });
    document["channels"]["socket"]["bindings"] = json!({ "ws": { "method": "GET" } });
    document = schemas.complete(document);
    in_draft_7(&mut document["components"]);
    document
}

/// All messages by their names.
#[derive(Default)]
struct Messages(Map<String, Value>);

impl Messages {
    /// Adds frames, and returns the names of their messages.
    fn add(&mut self, prefix: &str, frames: Vec<Frame>) -> Vec<String> {
        let names = frames.into_iter().map(|Frame { event, summary, schema }| {
            let name = format!("{prefix}{event}");
            let message = json!({ "name": event, "summary": summary, "payload": schema });
            let known = self.0.entry(name.clone()).or_insert_with(|| message.clone());
            assert_eq!(*known, message, "two different messages are called {name}");
            name
        });
        names.collect()
    }
}

fn server(protocol: &str, description: &str) -> Value {
    json!({ "host": "rollcall.example", "protocol": protocol, "description": description })
}

fn channel(address: Option<&str>, server: &str, description: &str, messages: &[String]) -> Value {
    let of_message =
        |name: &String| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") }));
    let messages: Map<String, Value> = messages.iter().map(of_message).collect();
    let mut channel = json!({ "description": description, "messages": messages });
    // The address of a receiver is not known here.
    if let Some(address) = address {
        channel["address"] = address.into();
        channel["servers"] = json!([{ "$ref": format!("#/servers/{server}") }]);
    }
    if address.is_some_and(|address| address.contains("{room}")) {
        channel["parameters"] = json!({ "room": { "description": "The room's name." } });
    }
    channel
}

fn operation(action: &str, channel: &str, summary: &str, messages: &[String]) -> Value {
    let reference =
        |name: &String| json!({ "$ref": format!("#/channels/{channel}/messages/{name}") });
    json!({
        "action": action,
        "summary": summary,
        "channel": { "$ref": format!("#/channels/{channel}") },
        "messages": messages.iter().map(reference).collect::<Vec<_>>(),
    })
}
