//! A checksum by which two lists are compared.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{User, fnv1a};

/// The sum of the hashes of a list's rows; 16 lower-case hex digits on the wire.
///
/// Addition is commutative and has an inverse: the order of the rows does not count, a row can be taken
/// out again, and a change costs the same in a list of ten and of a hundred thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// The digest with this row added.
    #[must_use]
    pub fn with(self, user: &User) -> Self {
        Self(self.0.wrapping_add(row_hash(user)))
    }

    /// The digest without this row, which has to be in it.
    #[must_use]
    pub fn without(self, user: &User) -> Self {
        Self(self.0.wrapping_sub(row_hash(user)))
    }
}

/// 64-bit FNV-1a of `id`, a zero byte, `name`, a zero byte, `state`.
fn row_hash(user: &User) -> u64 {
    let parts = [user.id.as_str(), "\0", user.name.as_str(), "\0", user.state.as_str()];
    fnv1a(parts.iter().flat_map(|part| part.bytes()).map(u64::from))
}

/// The text is not 16 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestError;

impl fmt::Display for DigestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a digest is 16 lower-case hex digits")
    }
}

impl std::error::Error for DigestError {}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 16 || !text.bytes().all(is_hex) {
            return Err(DigestError);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| DigestError)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::{Name, PresenceState};

    fn user(id: &str, name: &str, state: PresenceState) -> User {
        User { id: id.parse().unwrap(), name: Name::parse(name).unwrap(), joined: 7, state }
    }

    #[test]
    fn a_digest_is_the_sum_that_the_protocol_defines() {
        // Computed by an independent program from the definition in docs/protocol.md.
        let ana = user("AAAAAAAAAAA", "Ana", PresenceState::Here);
        let bo = user("BBBBBBBBBBB", "Bö", PresenceState::Away);
        assert_eq!(Digest::default().to_string(), "0000000000000000");
        assert_eq!(Digest::default().with(&ana).to_string(), "9ce8c489cb687b56");
        assert_eq!(Digest::default().with(&ana).with(&bo).to_string(), "aeb4a9e521088866");
    }

    #[test]
    fn row_order_does_not_count_and_a_row_can_be_taken_out() {
        let ana = user("AAAAAAAAAAA", "Ana", PresenceState::Here);
        let bo = user("BBBBBBBBBBB", "Bo", PresenceState::Reconnecting);
        let both = Digest::default().with(&ana).with(&bo);
        assert_eq!(both, Digest::default().with(&bo).with(&ana));
        assert_eq!(both.without(&ana), Digest::default().with(&bo));
        assert_eq!(both.to_string().parse(), Ok(both));
    }

    #[test]
    fn invalid_text_is_rejected() {
        for text in ["", "0", "00000000000000zz", "ABCDEF0123456789", "00000000000000000"] {
            assert_eq!(text.parse::<Digest>(), Err(DigestError), "{text}");
        }
        let message = serde_json::from_str::<Digest>(r#""0""#).unwrap_err().to_string();
        assert!(message.starts_with("a digest is 16 lower-case hex digits"), "{message}");
    }
}
