//! What clients of Socket.IO ask for. Pure.

use app::presence::ClientEvent;
use serde_json::Value;

use crate::websocket::protocol::{Request, token_text};
use registry::presence::join::{JoinKind, JoinRequest};

/// The names of the events that a client may emit.
const EVENTS: [&str; 6] = ["got_a_new_user", "watch", "resync", "rename", "visible", "leave"];

/// An event that means nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The server does not know this event. Please see docs/socketio.md.")]
pub(super) struct UnknownEvent {
    /// Its name, if it is one that the server knows: refusals must not echo arbitrary text.
    pub(super) of: Option<&'static str>,
}

/// Reads `["name",argument]`. An argument is an object; where nothing in it is needed, it may be left out.
pub(super) fn parse(data: &str) -> Result<Request, UnknownEvent> {
    let arguments: Vec<Value> =
        serde_json::from_str(data).map_err(|_| UnknownEvent { of: None })?;
    let mut arguments = arguments.into_iter();
    let name = arguments.next();
    let known = name.as_ref().and_then(Value::as_str);
    let known = EVENTS.into_iter().find(|event| Some(*event) == known);
    let event = known.ok_or(UnknownEvent { of: None })?;
    let refused = UnknownEvent { of: Some(event) };
    let mut fields = match arguments.next() {
        None | Some(Value::Null) => serde_json::Map::new(),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(refused),
    };
    // The server knows the position of its clients here, and each connection is a tab of its own.
    fields.remove("since");
    fields.remove("tab");
    fields.insert("event".to_owned(), event.into());
    let event = serde_json::from_value(Value::Object(fields)).map_err(|_| refused)?;
    Ok(match event {
        ClientEvent::GotANewUser { name, visible, .. } => Request::Join(JoinRequest {
            name,
            tab: None,
            is_visible: visible.unwrap_or(true),
            kind: JoinKind::Repeat,
            since: None,
        }),
        ClientEvent::Watch { .. } => Request::Watch { since: None },
        ClientEvent::Resync {} => Request::Resync,
        ClientEvent::Rename { name } => Request::Rename { name },
        ClientEvent::Visible { visible } => Request::SetVisible { is_visible: visible },
        ClientEvent::Leave {} => Request::Leave,
    })
}

/// The token in the data of a packet that connects: `{"token":"…"}`.
pub(super) fn token_of(auth: &str) -> Option<String> {
    let mut auth: Value = serde_json::from_str(auth).ok()?;
    auth.get_mut("token").map(Value::take).and_then(token_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_with_their_arguments() {
        let join = |name: &str, is_visible| {
            Request::Join(JoinRequest {
                name: name.to_owned(),
                tab: None,
                is_visible,
                kind: JoinKind::Repeat,
                since: None,
            })
        };
        for (data, expected) in [
            (r#"["got_a_new_user",{"name":"Ana"}]"#, join("Ana", true)),
            (r#"["got_a_new_user",{"name":"","visible":false,"x":1}]"#, join("", false)),
            (r#"["got_a_new_user",{"name":"A","tab":"no tab","since":3}]"#, join("A", true)),
            (r#"["watch"]"#, Request::Watch { since: None }),
            (r#"["watch",{}]"#, Request::Watch { since: None }),
            (r#"["resync",null]"#, Request::Resync),
            (
                r#"["rename",{"name":"Ann","event":"leave"}]"#,
                Request::Rename { name: "Ann".into() },
            ),
            (r#"["visible",{"visible":false}]"#, Request::SetVisible { is_visible: false }),
            (r#"["leave",{}, 5]"#, Request::Leave),
        ] {
            assert_eq!(parse(data).as_ref(), Ok(&expected), "{data}");
        }
    }

    #[test]
    fn bad_arguments_are_refused_with_the_name_of_a_known_event() {
        for (data, of) in [
            ("", None),
            ("[]", None),
            ("{}", None),
            ("[5]", None),
            (r#"["dance",{}]"#, None),
            (r#"["<script>"]"#, None),
            (r#"["got_a_new_user"]"#, Some("got_a_new_user")),
            (r#"["got_a_new_user",{"name":5}]"#, Some("got_a_new_user")),
            (r#"["got_a_new_user","Ana"]"#, Some("got_a_new_user")),
            (r#"["rename",{}]"#, Some("rename")),
            (r#"["visible",{"visible":"no"}]"#, Some("visible")),
            (r#"["watch",[]]"#, Some("watch")),
            (r#"["watch",{}"#, None),
        ] {
            assert_eq!(parse(data), Err(UnknownEvent { of }), "{data}");
        }
    }

    #[test]
    fn token_is_a_text_of_what_the_client_connects_with() {
        assert_eq!(token_of(r#"{"token":"a.b.c","x":1}"#).as_deref(), Some("a.b.c"));
        for auth in ["", "{}", "[]", r#"{"token":null}"#, r#"{"token":"a"} x"#] {
            assert_eq!(token_of(auth), None, "{auth}");
        }
        assert_eq!(token_of(r#"{"token":5}"#).as_deref(), Some("5"));
    }

    #[test]
    fn deeply_nested_text_is_refused() {
        let deep = format!("[\"watch\",{}", "[".repeat(4_000));
        assert_eq!(parse(&deep), Err(UnknownEvent { of: None }));
    }
}
