//! Packets of Socket.IO as text (revision 5 of its protocol), and back. Pure.

use std::fmt;

use app::presence::{RoomName, RoomNameError};
use serde::Serialize;

/// What a client sends, inside a message of Engine.IO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'text> {
    pub(super) kind: PacketKind,
    /// The namespace's path, as the client wrote it.
    pub(super) path: &'text str,
    /// The number by which the client knows its request again, if it asks for an acknowledgement.
    pub(super) ack: Option<u64>,
    /// JSON, which is not parsed yet.
    pub(super) data: &'text str,
}

/// The kinds of packets that a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PacketKind {
    Connect,
    Disconnect,
    Event,
    /// The server asks for no acknowledgements: it is ignored.
    Ack,
}

/// Why a message is no packet of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PacketError {
    #[error("the type of the packet is unknown")]
    UnknownType,
    #[error("packets with binary data are not supported")]
    Binary,
    #[error("the number of the acknowledgement is too large")]
    AckNumber,
}

impl<'text> Packet<'text> {
    /// Reads `<type>[/path,][ack][data]`.
    pub(super) fn parse(text: &'text str) -> Result<Self, PacketError> {
        let mut characters = text.chars();
        let kind = match characters.next() {
            Some('0') => PacketKind::Connect,
            Some('1') => PacketKind::Disconnect,
            Some('2') => PacketKind::Event,
            Some('3') => PacketKind::Ack,
            Some('5' | '6') => return Err(PacketError::Binary),
            _ => return Err(PacketError::UnknownType),
        };
        let rest = characters.as_str();
        let (path, rest) = match rest.split_once(',') {
            Some((path, rest)) if path.starts_with('/') => (path, rest),
            _ if rest.starts_with('/') => (rest, ""),
            _ => ("/", rest),
        };
        let data = rest.trim_start_matches(|character: char| character.is_ascii_digit());
        let number = rest.strip_suffix(data).unwrap_or_default();
        let ack = match number {
            "" => None,
            number => Some(number.parse().map_err(|_| PacketError::AckNumber)?),
        };
        Ok(Self { kind, path, ack, data })
    }
}

/// A namespace that is a room: `/` is the lobby, `/r/team` the room `team`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Namespace {
    Lobby,
    /// The lobby has a path of this form as well.
    Room(RoomName),
}

/// Why there is no such namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NamespaceError {
    #[error("There is no such namespace: connect to /r/ROOM for a room, and to / for the lobby.")]
    Unknown,
    #[error("{0}")]
    RoomName(RoomNameError),
}

impl Namespace {
    /// The namespace with this path.
    pub(super) fn parse(path: &str) -> Result<Self, NamespaceError> {
        match path.strip_prefix("/r/") {
            None if path == "/" => Ok(Self::Lobby),
            None => Err(NamespaceError::Unknown),
            Some(room) => room.parse().map(Self::Room).map_err(NamespaceError::RoomName),
        }
    }

    /// The room behind it.
    pub(super) fn room(&self) -> RoomName {
        match self {
            Self::Lobby => RoomName::lobby(),
            Self::Room(room) => room.clone(),
        }
    }
}

/// What stands between the type of a packet and its data.
impl fmt::Display for Namespace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lobby => Ok(()),
            Self::Room(room) => write!(formatter, "/r/{room},"),
        }
    }
}

/// The packet that accepts a client. `id` is what the client's library shows as the socket's id; it means nothing here.
pub(super) fn connected(namespace: &Namespace, id: &str) -> String {
    format!(r#"0{namespace}{{"sid":"{id}"}}"#)
}

/// The packet that refuses a client, in a namespace that may not exist.
pub(super) fn connect_error(path: &str, code: &str, message: &str) -> String {
    #[derive(Serialize)]
    struct Error<'text> {
        message: &'text str,
        data: Code<'text>,
    }
    #[derive(Serialize)]
    struct Code<'text> {
        code: &'text str,
    }
    let comma = if path == "/" { "" } else { "," };
    let path = if path == "/" { "" } else { path };
    format!("4{path}{comma}{}", json(&Error { message, data: Code { code } }))
}

/// The packet that ends a client's part in a namespace: its library does not come back by itself.
pub(super) fn disconnected(namespace: &Namespace) -> String {
    format!("1{namespace}")
}

/// The packet with an event: its name and its argument, as JSON.
pub(super) fn event(namespace: &Namespace, arguments: &str) -> String {
    format!("2{namespace}{arguments}")
}

/// The packet that acknowledges a request.
pub(super) fn acknowledgement(namespace: &Namespace, ack: u64, answer: &impl Serialize) -> String {
    format!("3{namespace}{ack}[{}]", json(answer))
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        // Unreachable: JSON can represent all that is sent.
        tracing::error!(%error, "an event could not be encoded");
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> (PacketKind, &str, Option<u64>, &str) {
        let Packet { kind, path, ack, data } = Packet::parse(text).unwrap();
        (kind, path, ack, data)
    }

    #[test]
    fn packets_are_read_as_the_protocol_has_them() {
        use PacketKind::{Ack, Connect, Disconnect, Event};
        for (text, expected) in [
            ("0", (Connect, "/", None, "")),
            (r#"0{"token":"a,b"}"#, (Connect, "/", None, r#"{"token":"a,b"}"#)),
            ("0/r/team,", (Connect, "/r/team", None, "")),
            ("0/r/team", (Connect, "/r/team", None, "")),
            ("1/r/team,", (Disconnect, "/r/team", None, "")),
            (r#"2["watch"]"#, (Event, "/", None, r#"["watch"]"#)),
            (r#"2["a,b"]"#, (Event, "/", None, r#"["a,b"]"#)),
            (r#"212["watch",{}]"#, (Event, "/", Some(12), r#"["watch",{}]"#)),
            (r#"2/r/team,7["leave"]"#, (Event, "/r/team", Some(7), r#"["leave"]"#)),
            ("3/admin,0[]", (Ack, "/admin", Some(0), "[]")),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_packet_of_a_client_is_refused() {
        for (text, error) in [
            ("", PacketError::UnknownType),
            ("4", PacketError::UnknownType),
            ("9[]", PacketError::UnknownType),
            ("é", PacketError::UnknownType),
            (r#"51-["a",{"_placeholder":true,"num":0}]"#, PacketError::Binary),
            ("61-0[]", PacketError::Binary),
            ("299999999999999999999[]", PacketError::AckNumber),
        ] {
            assert_eq!(Packet::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn namespaces_are_rooms() {
        assert_eq!(Namespace::parse("/"), Ok(Namespace::Lobby));
        assert_eq!(Namespace::Lobby.room(), RoomName::lobby());
        let team = Namespace::parse("/r/team-7").unwrap();
        assert_eq!(team.room().as_str(), "team-7");
        assert_eq!(connected(&team, "x"), r#"0/r/team-7,{"sid":"x"}"#);
        assert_eq!(connected(&Namespace::Lobby, "x"), r#"0{"sid":"x"}"#);
        assert_eq!(disconnected(&team), "1/r/team-7,");
        assert_eq!(event(&team, r#"["a",1]"#), r#"2/r/team-7,["a",1]"#);
        assert_eq!(acknowledgement(&Namespace::Lobby, 7, &1), "37[1]");
        for path in ["", "/admin", "/r", "/R/team", "r/team"] {
            assert_eq!(Namespace::parse(path), Err(NamespaceError::Unknown), "{path}");
        }
        for path in ["/r/", "/r/Team", "/r/a b", "/r/a/b"] {
            assert!(matches!(Namespace::parse(path), Err(NamespaceError::RoomName(_))), "{path}");
        }
    }

    #[test]
    fn connect_error_has_a_sentence_and_a_code() {
        assert_eq!(
            connect_error("/admin", "room_name_invalid", "There \"is\" none."),
            r#"4/admin,{"message":"There \"is\" none.","data":{"code":"room_name_invalid"}}"#
        );
        assert!(connect_error("/", "sockets", "Full.").starts_with(r#"4{"message""#));
    }

    proptest! {
        #[test]
        fn any_text_is_a_packet_or_an_error(text in "[0-9]{0,3}(/[a-z/,]{0,6})?\\PC{0,20}") {
            if let Ok(Packet { path, data, .. }) = Packet::parse(&text) {
                prop_assert!(path.starts_with('/'));
                prop_assert!(text.ends_with(data));
            }
        }

        #[test]
        fn event_is_read_as_it_was_written(room in "[a-z0-9]{1,9}", ack: Option<u64>) {
            let namespace = Namespace::parse(&format!("/r/{room}")).unwrap();
            let number = ack.map(|ack| ack.to_string()).unwrap_or_default();
            let text = format!(r#"2{namespace}{number}["a",{{}}]"#);
            let packet = Packet::parse(&text).unwrap();
            prop_assert_eq!(Namespace::parse(packet.path), Ok(namespace));
            prop_assert_eq!((packet.ack, packet.data), (ack, r#"["a",{}]"#));
        }
    }
}
