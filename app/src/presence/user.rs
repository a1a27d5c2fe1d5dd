//! A user: one row of the list.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Name;

/// One row of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "WireUser", into = "WireUser")]
pub struct User {
    /// Identifies the person in this room; people with equal names have different ids.
    pub id: UserId,
    /// The name they chose.
    pub name: Name,
    /// When they joined, in whole seconds since the Unix epoch by the server's clock.
    pub joined: u64,
    /// Whether they are here, away or reconnecting.
    pub state: PresenceState,
}

/// [`User`] on the wire, where the name's skeleton is a field of its own.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct WireUser {
    id: UserId,
    name: Name,
    joined: u64,
    /// Left out while it is [`PresenceState::Here`].
    #[serde(default, skip_serializing_if = "PresenceState::is_here")]
    state: PresenceState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    look: Option<Name>,
    /// Only written: the id says it.
    #[serde(skip_deserializing, skip_serializing_if = "is_false")]
    verified: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl From<WireUser> for User {
    fn from(WireUser { id, name, joined, state, look, verified: _ }: WireUser) -> Self {
        Self { id, name: name.with_wire_skeleton(look), joined, state }
    }
}

impl From<User> for WireUser {
    fn from(User { id, name, joined, state }: User) -> Self {
        let look = name.wire_skeleton();
        Self { id, name, joined, state, look, verified: id.is_verified() }
    }
}

/// The presence of a listed person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// At least one of their pages is open and visible.
    #[default]
    Here,
    /// Every one of their pages has been hidden for a while.
    Away,
    /// Their connection was lost and may come back.
    Reconnecting,
}

impl PresenceState {
    /// The state's name on the wire and in the digest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Away => "away",
            Self::Reconnecting => "reconnecting",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn is_here(&self) -> bool {
        *self == Self::Here
    }
}

/// The public id of a person in one room: 11 characters of base64url, 66 bits.
///
/// It is public and proves nothing: knowing it does not let a client act as that person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId([u8; UserId::LENGTH]);

impl UserId {
    /// Its length in characters, which are all ASCII.
    pub const LENGTH: usize = 11;

    /// The id made of the first 66 bits, in base64url (RFC 4648, section 5).
    pub fn from_leading_bits(bits: u128) -> Self {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut rest = bits;
        Self(std::array::from_fn(|_| {
            let six_bits = usize::try_from(rest >> 122).unwrap_or_default();
            rest <<= 6;
            ALPHABET[six_bits]
        }))
    }

    /// The id of somebody for whom another application vouches, made of the first 54 bits. That it does so is a part of
    /// the id, so it is known wherever the row is: on other servers, after a restart, to readers of old lists.
    pub fn of_verified(bits: u128) -> Self {
        Self::from_leading_bits(bits | Self::VERIFIED)
    }

    /// The id of anybody else, made of the first 66 bits but one at most.
    pub fn of_unverified(bits: u128) -> Self {
        let is_reserved = bits & Self::VERIFIED == Self::VERIFIED;
        Self::from_leading_bits(if is_reserved { bits & !Self::LAST_BIT } else { bits })
    }

    /// Whether another application vouches for this person. Only servers make ids.
    pub fn is_verified(&self) -> bool {
        self.0.ends_with(b"__")
    }

    /// The last of the 66 bits.
    const LAST_BIT: u128 = 1 << 62;

    /// The last twelve of them, which are `__`.
    const VERIFIED: u128 = 0xFFF << 62;

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // It can't fail: both constructors only accept ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The text is not 11 characters of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserIdError;

impl fmt::Display for UserIdError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a user id is 11 characters of A-Z a-z 0-9 _ -")
    }
}

impl std::error::Error for UserIdError {}

impl FromStr for UserId {
    type Err = UserIdError;

    fn from_str(text: &str) -> Result<Self, UserIdError> {
        let bytes: [u8; Self::LENGTH] = text.as_bytes().try_into().map_err(|_| UserIdError)?;
        let is_base64url =
            bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_');
        if is_base64url { Ok(Self(bytes)) } else { Err(UserIdError) }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_is_eleven_characters_of_base64url() {
        let text = "Ab0_-xyzXYZ";
        let id: UserId = text.parse().unwrap();
        assert_eq!([id.as_str(), &id.to_string(), &format!("{id:?}")], [text; 3]);
        for text in ["", "short", "twelve_chars", "with space!", "élevenchar"] {
            assert_eq!(text.parse::<UserId>(), Err(UserIdError), "{text}");
        }
        let message = serde_json::from_str::<UserId>(r#""short""#).unwrap_err().to_string();
        assert!(message.starts_with("a user id is 11 characters of A-Z a-z 0-9 _ -"), "{message}");
    }

    #[test]
    fn an_id_is_the_first_bits_in_base64url() {
        assert_eq!(UserId::from_leading_bits(0).as_str(), "AAAAAAAAAAA");
        assert_eq!(UserId::from_leading_bits(u128::MAX).as_str(), "___________");
        // "Hello, world" in base64url is SGVsbG8sIHdvcmxk.
        let hello = u128::from_be_bytes(*b"Hello, world\0\0\0\0");
        assert_eq!(UserId::from_leading_bits(hello).as_str(), "SGVsbG8sIHd");
    }

    proptest! {
        #[test]
        fn id_says_whether_somebody_vouches_for_the_person(bits: u128, ends_as_verified: bool) {
            let bits = if ends_as_verified { bits | UserId::VERIFIED } else { bits };
            prop_assert!(UserId::of_verified(bits).is_verified());
            let other = UserId::of_unverified(bits);
            prop_assert!(!other.is_verified());
            // Nobody's id changes but that of one person in 4,096.
            let same = UserId::from_leading_bits(bits);
            prop_assert_eq!(other == same, !same.is_verified());
        }
    }

    #[test]
    fn row_says_that_it_is_verified_and_is_read_without_that() {
        let user = User {
            id: UserId::of_verified(0),
            name: Name::parse("Ana").unwrap(),
            joined: 5,
            state: PresenceState::Here,
        };
        let text = serde_json::to_string(&user).unwrap();
        assert_eq!(text, r#"{"id":"AAAAAAAAA__","name":"Ana","joined":5,"verified":true}"#);
        assert_eq!(serde_json::from_str::<User>(&text).unwrap(), user);
    }

    #[test]
    fn a_row_writes_its_state_only_when_it_is_not_here() {
        let mut user = User {
            id: "AAAAAAAAAAA".parse().unwrap(),
            name: Name::parse("Ana").unwrap(),
            joined: 5,
            state: PresenceState::Here,
        };
        assert_eq!(
            serde_json::to_string(&user).unwrap(),
            r#"{"id":"AAAAAAAAAAA","name":"Ana","joined":5}"#
        );
        user.state = PresenceState::Away;
        assert_eq!(
            serde_json::to_string(&user).unwrap(),
            r#"{"id":"AAAAAAAAAAA","name":"Ana","joined":5,"state":"away"}"#
        );
    }
}
