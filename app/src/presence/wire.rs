//! The frames of the wire protocol, version 1; `docs/protocol.md` says what each means.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};

use super::{Difference, Digest, Epoch, TabId, User, UserId};

/// A frame that a client sends: one JSON object with an `event` field.
///
/// Names are not validated here: the server does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ClientEvent {
    /// Follow the room without being listed. Only as a socket's first frame.
    Watch {
        /// The position of the client's list, to resume from.
        #[serde(
            default,
            deserialize_with = "valid_or_none",
            skip_serializing_if = "Option::is_none"
        )]
        since: Option<Since>,
    },
    /// Be listed under this name, and follow the room.
    GotANewUser {
        /// The name as it was typed.
        name: String,
        /// The id of this page instance.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tab: Option<TabId>,
        /// Whether the page is visible; `true` if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visible: Option<bool>,
        /// The position of the client's list, to resume from.
        #[serde(
            default,
            deserialize_with = "valid_or_none",
            skip_serializing_if = "Option::is_none"
        )]
        since: Option<Since>,
    },
    /// Change the name, keep the row.
    Rename {
        /// The new name as it was typed.
        name: String,
    },
    /// This tab is hidden, or shown again.
    Visible {
        /// Whether the tab is visible.
        visible: bool,
    },
    /// Take this person off the list.
    Leave {},
    /// Send the whole list: the client's may be wrong.
    Resync {},
}

/// A position in a room's log of changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Since {
    /// The epoch of `seq`.
    pub epoch: Epoch,
    /// The number of changes since that epoch began.
    pub seq: u64,
}

/// The form for headers and attributes: `EPOCH.SEQ`.
impl fmt::Display for Since {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.epoch, self.seq)
    }
}

impl Since {
    /// Parses `EPOCH.SEQ`.
    pub fn from_text(text: &str) -> Option<Self> {
        let (epoch, seq) = text.rsplit_once('.')?;
        Some(Self { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? })
    }
}

/// Reads an invalid `since` as absent: the client then gets the whole list.
fn valid_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Since>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum AnySince {
        Valid(Since),
        Invalid(IgnoredAny),
    }
    Ok(match AnySince::deserialize(deserializer)? {
        AnySince::Valid(since) => Some(since),
        AnySince::Invalid(IgnoredAny) => None,
    })
}

/// A frame that the server sends: one JSON object with an `event` field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ServerEvent {
    /// The whole list, or its first rows.
    ExistingUsers(ExistingUsers),
    /// More rows of a long list.
    MoreUsers(MoreUsers),
    /// The net changes since the client's position.
    Resumed(Resumed),
    /// The next changes.
    Changes(Changes),
    /// The position and digest of the list, sent at intervals.
    Beat(Beat),
    /// A frame was not accepted.
    Refused(Refusal),
    /// An event that is newer than this program, to be ignored.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// The whole list at `seq`, in order of arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExistingUsers {
    /// The epoch of `seq`.
    pub epoch: Epoch,
    /// The number of changes that the list includes.
    pub seq: u64,
    /// The receiver's own id in this room, listed or not; none for a client without an identity.
    pub you: Option<UserId>,
    /// The server's clock, in milliseconds since the Unix epoch.
    pub now: u64,
    /// The length of the whole list; rows beyond `users` follow in `more_users`.
    pub count: usize,
    /// The rows, or the first of them.
    pub users: Vec<User>,
}

/// More rows of a long list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MoreUsers {
    /// The next rows.
    pub users: Vec<User>,
}

/// The net changes since `from`, for a client that resumes there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resumed {
    /// The epoch of `from` and `seq`.
    pub epoch: Epoch,
    /// The client's position.
    pub from: u64,
    /// The position after these changes; equal to `from` in all but the last piece of a split difference.
    pub seq: u64,
    /// The receiver's own id in this room.
    pub you: Option<UserId>,
    /// The server's clock, in milliseconds since the Unix epoch.
    pub now: u64,
    /// The changes.
    #[serde(flatten)]
    pub difference: Difference,
}

/// The next changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Changes {
    /// The last `seq` that was sent on this socket.
    pub from: u64,
    /// The position after these changes; equal to `from` in all but the last piece of a split difference.
    pub seq: u64,
    /// The changes.
    #[serde(flatten)]
    pub difference: Difference,
}

/// The position and digest of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Beat {
    /// The last `seq` that was sent on this socket.
    pub seq: u64,
    /// The number of rows, whatever their state.
    pub count: usize,
    /// The digest of those rows.
    pub digest: Digest,
    /// The server's clock, in milliseconds since the Unix epoch.
    pub now: u64,
    /// The list is as of this time by the same clock: this server has not heard the others since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<u64>,
}

/// A frame was not accepted, and nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refusal {
    /// The `event` of the frame, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Cow<'static, str>>,
    /// The reason, for programs.
    pub code: RefusalCode,
    /// The reason and what to do: a sentence for people.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// Whether the refused frame may have had this `event`.
    pub fn is_of(&self, event: &str) -> bool {
        self.of.as_deref().is_none_or(|of| of == event)
    }
}

/// Why a frame was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The name was nothing but white space.
    NameEmpty,
    /// The name had more than 100 grapheme clusters or 400 bytes.
    NameTooLong,
    /// The name had characters that are not allowed.
    NameNotAllowed,
    /// A rename by a person who is not listed.
    NotListed,
    /// The room takes no more people.
    RoomFull,
    /// The host has closed the room to people who are not on its list.
    RoomClosed,
    /// This person has too many sockets in the room.
    TooManyTabs,
    /// More than 40 frames at once, or then more than 5 a second.
    TooFast,
    /// Malformed text, or a `watch` that is not the first frame.
    BadFrame,
    /// A rename by a person whose token has the name.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    NameFixed,
    /// This person may only watch the room.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    JoinNotAllowed,
    /// A new token is not valid, or of another person.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    TokenRefused,
    /// A code that is newer than this program. In the browser also those above that only say what the server's
    /// sentence says: they cost no WASM there.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// Why a socket was closed (RFC 6455, section 7.4, and the protocol's own from 4400).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// The client or the server is done.
    Normal = 1000,
    /// The peer violated the WebSocket protocol.
    ProtocolError = 1002,
    /// A binary frame, which the protocol does not use.
    Binary = 1003,
    /// The connection was lost without a close frame. Never sent; browsers and logs use it.
    Abnormal = 1006,
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
    /// The room needs a valid token: come back with a new one.
    Unauthorized = 4401,
    /// The room is not for this person: stay away.
    Forbidden = 4403,
    /// No first frame within 10 s.
    NoFirstFrame = 4408,
    /// Replaced by a newer socket of the same tab.
    Replaced = 4409,
    /// Kept sending after `too_fast`.
    TooFast = 4429,
}

impl CloseCode {
    /// The code as it is sent.
    #[expect(clippy::as_conversions, reason = "the enumeration is its numbers")]
    pub const fn number(self) -> u16 {
        self as u16
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_position_is_read_as_it_was_written(epoch in "[A-Za-z0-9_-]{1,32}", seq: u64) {
            let position = Since { epoch: epoch.parse().unwrap(), seq };
            prop_assert_eq!(Since::from_text(&position.to_string()), Some(position));
        }

        #[test]
        fn an_invalid_position_is_rejected(text in "[^.]{0,9}|\\.|a\\.|\\.1|a\\.-1|a b\\.1") {
            prop_assert_eq!(Since::from_text(&text), None);
        }
    }
}
