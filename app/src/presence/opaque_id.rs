//! Short identifiers that only the side that made them interprets.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Identifies one sequence of a room's `seq`; it changes when the server can't continue the old one.
pub type Epoch = OpaqueId<32>;

/// Identifies one page instance of a person; chosen by the client.
pub type TabId = OpaqueId<64>;

/// 1 to `LONGEST` characters of `A-Z a-z 0-9 _ -`, only compared and never interpreted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpaqueId<const LONGEST: usize>(Box<str>);

impl<const LONGEST: usize> OpaqueId<LONGEST> {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Epoch {
    /// The epoch with this number, in hex.
    pub fn from_number(number: u64) -> Self {
        Self(format!("{number:016x}").into())
    }
}

impl TabId {
    /// A tab id from uniformly random bytes, of which six bits each are used.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        let characters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte % 64)]));
        Self(String::from_iter(characters).into())
    }
}

/// The text is empty, too long, or has other characters than `A-Z a-z 0-9 _ -`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpaqueIdError {
    longest: usize,
}

impl fmt::Display for OpaqueIdError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "expected 1 to {} characters of A-Z a-z 0-9 _ -", self.longest)
    }
}

impl std::error::Error for OpaqueIdError {}

impl<const LONGEST: usize> FromStr for OpaqueId<LONGEST> {
    type Err = OpaqueIdError;

    fn from_str(text: &str) -> Result<Self, OpaqueIdError> {
        let fits = (1..=LONGEST).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if fits { Ok(Self(text.into())) } else { Err(OpaqueIdError { longest: LONGEST }) }
    }
}

impl<const LONGEST: usize> fmt::Display for OpaqueId<LONGEST> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<const LONGEST: usize> Serialize for OpaqueId<LONGEST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const LONGEST: usize> Deserialize<'de> for OpaqueId<LONGEST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_short_plain_texts_are_valid() {
        assert!("A-z_09".parse::<Epoch>().is_ok());
        assert!("e".repeat(32).parse::<Epoch>().is_ok());
        assert!("e".repeat(33).parse::<Epoch>().is_err());
        assert!("e".repeat(64).parse::<TabId>().is_ok());
        let numbered = Epoch::from_number(u64::MAX);
        assert_eq!(numbered.as_str().parse(), Ok(numbered));
        for text in ["", "a b", "é", "a.b", "\""] {
            assert!(text.parse::<TabId>().is_err(), "{text}");
        }
        let message = "a b".parse::<TabId>().unwrap_err().to_string();
        assert_eq!(message, "expected 1 to 64 characters of A-Z a-z 0-9 _ -");
    }

    proptest! {
        /// All 96 random bits are in the id.
        #[test]
        fn a_random_tab_id_keeps_the_entropy_of_its_bytes(bytes in any::<[u8; 16]>()) {
            let tab = TabId::from_random(bytes);
            prop_assert_eq!(tab.to_string(), tab.as_str());
            prop_assert_eq!(tab.as_str().parse(), Ok(tab.clone()));
            for place in 0..bytes.len() {
                let mut others = std::collections::BTreeSet::new();
                for six_bits in 0..64 {
                    let mut other = bytes;
                    other[place] = bytes[place] ^ six_bits;
                    others.insert(TabId::from_random(other));
                }
                prop_assert_eq!(others.len(), 64);
            }
        }
    }
}
