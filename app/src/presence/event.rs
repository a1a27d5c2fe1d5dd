//! The frames of the wire protocol, version 1; `docs/protocol.md` says what each means.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};

use super::{Difference, Digest, Epoch, TabId, User, UserId};

/// A frame that a client sends: one JSON object with an `event` field.
///
/// Names are unvetted here: the server decides what a name is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ClientEvent {
    /// Follow the room without being listed. Only as a socket's first frame.
    Watch {
        /// Where the client's list is.
        #[serde(default, deserialize_with = "usable", skip_serializing_if = "Option::is_none")]
        since: Option<Since>,
    },
    /// Be listed under this name, and follow the room.
    GotANewUser {
        /// The name as it was typed.
        name: String,
        /// Which page instance this is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tab: Option<TabId>,
        /// Whether the page is visible; it is when this is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visible: Option<bool>,
        /// Where the client's list is.
        #[serde(default, deserialize_with = "usable", skip_serializing_if = "Option::is_none")]
        since: Option<Since>,
    },
    /// Change the name, keep the row.
    Rename {
        /// The new name as it was typed.
        name: String,
    },
    /// This tab is hidden, or shown again.
    Visible {
        /// Whether it is shown.
        visible: bool,
    },
    /// This person is no longer listed.
    Leave {},
    /// The client's list may be wrong: send the list.
    Resync {},
}

/// A point of a room's count that a client knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// In which epoch.
    pub epoch: Epoch,
    /// The number of changes since that epoch began.
    pub seq: u64,
}

/// As it stands where it has to be one word: `EPOCH.SEQ`.
impl fmt::Display for Since {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.epoch, self.seq)
    }
}

impl Since {
    /// The point that is written as `EPOCH.SEQ`, if that is one.
    pub fn from_text(text: &str) -> Option<Self> {
        let (epoch, seq) = text.rsplit_once('.')?;
        Some(Self { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? })
    }
}

/// A `since` that can't be used counts as absent.
fn usable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Since>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Anything {
        Usable(Since),
        Useless(IgnoredAny),
    }
    Ok(match Anything::deserialize(deserializer)? {
        Anything::Usable(since) => Some(since),
        Anything::Useless(IgnoredAny) => None,
    })
}

/// A frame that the server sends: one JSON object with an `event` field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ServerEvent {
    /// The whole list, or its beginning.
    ExistingUsers(ExistingUsers),
    /// More of a long list.
    MoreUsers(MoreUsers),
    /// What a client that holds a list has missed.
    Resumed(Resumed),
    /// What happened next.
    Changes(Changes),
    /// Where the list should be now.
    Beat(Beat),
    /// A frame was not accepted.
    Refused(Refusal),
    /// Something newer than this program, to be ignored.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// The whole list at `seq`, in order of arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExistingUsers {
    /// The epoch of `seq`.
    pub epoch: Epoch,
    /// The number of changes that the list includes.
    pub seq: u64,
    /// The receiver's own id in this room, listed or not; none where there is no person.
    pub you: Option<UserId>,
    /// The server's clock, in milliseconds since the Unix epoch.
    pub now: u64,
    /// How many rows the whole list has; what is not in `users` follows in `more_users`.
    pub count: usize,
    /// The rows, or the first of them.
    pub users: Vec<User>,
}

/// A long list goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoreUsers {
    /// The next rows.
    pub users: Vec<User>,
}

/// The answer to one who holds the list at `from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// The epoch of `from` and `seq`.
    pub epoch: Epoch,
    /// Where the client's list was.
    pub from: u64,
    /// Where it is now; equal to `from` in all but the last piece of a difference that was cut.
    pub seq: u64,
    /// The receiver's own id in this room.
    pub you: Option<UserId>,
    /// The server's clock, in milliseconds since the Unix epoch.
    pub now: u64,
    /// What was missing.
    #[serde(flatten)]
    pub difference: Difference,
}

/// What happened next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The last `seq` that was sent on this socket.
    pub from: u64,
    /// Where the list is now; equal to `from` in all but the last piece of a difference that was cut.
    pub seq: u64,
    /// What changed.
    #[serde(flatten)]
    pub difference: Difference,
}

/// Where the list should be now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// The last `seq` that was sent on this socket.
    pub seq: u64,
    /// The rows of every state.
    pub count: usize,
    /// The digest of those rows.
    pub digest: Digest,
    /// The server's clock, in milliseconds since the Unix epoch.
    pub now: u64,
}

/// A frame was not accepted, and nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The `event` of the frame, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Cow<'static, str>>,
    /// Why, for programs.
    pub code: RefusalCode,
    /// Why, and what to do: a sentence for a person.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// Whether a frame with this `event` may be what was not accepted.
    pub fn is_of(&self, event: &str) -> bool {
        self.of.as_deref().is_none_or(|of| of == event)
    }
}

/// Why a frame was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The name was nothing but white space.
    NameEmpty,
    /// The name had more than 40 grapheme clusters or 200 bytes.
    NameTooLong,
    /// The name had something in it that a name can't have.
    NameNotAllowed,
    /// A rename by someone who is not listed.
    NotListed,
    /// The room takes no more people.
    RoomFull,
    /// This person has too many sockets in the room.
    TooManyTabs,
    /// More than 40 frames at once, or then more than 5 a second.
    TooFast,
    /// Text that is no frame, or `watch` when it is not the first.
    BadFrame,
    /// A code that is newer than this program.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// Why a socket was closed (RFC 6455, section 7.4, and the protocol's own from 4400).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// The conversation is over.
    Normal = 1000,
    /// The other side broke the rules of WebSocket.
    ProtocolError = 1002,
    /// A binary frame.
    Binary = 1003,
    /// Text that is not UTF-8.
    NotUtf8 = 1007,
    /// A frame over 4 KiB.
    TooBig = 1009,
    /// The server failed.
    InternalError = 1011,
    /// The server is restarting: come back.
    Restart = 1012,
    /// Three bad frames in a row.
    BadFrames = 4400,
    /// No first frame within 10 s.
    NoFirstFrame = 4408,
    /// Replaced by a newer socket of the same tab.
    Replaced = 4409,
    /// Went on after being refused as too fast.
    TooFast = 4429,
}

impl CloseCode {
    /// The number on the wire.
    #[expect(clippy::as_conversions, reason = "the enumeration is its numbers")]
    pub fn number(self) -> u16 {
        self as u16
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_point_is_read_as_it_was_written(epoch in "[A-Za-z0-9_-]{1,32}", seq: u64) {
            let point = Since { epoch: epoch.parse().unwrap(), seq };
            prop_assert_eq!(Since::from_text(&point.to_string()), Some(point));
        }

        #[test]
        fn what_is_no_point_is_not_read(text in "[^.]{0,9}|\\.|a\\.|\\.1|a\\.-1|a b\\.1") {
            prop_assert_eq!(Since::from_text(&text), None);
        }
    }
}
