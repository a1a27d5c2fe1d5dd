//! An API key: its text, which is shown once, and what is kept of it.

use std::{fmt, str::FromStr};

use hmac::digest::{CtOutput, Output};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::scope::Scopes;
use crate::hex::{decode_hex, hex};

/// What every key begins with, so that programs that look for leaked secrets recognise one.
const PREFIX: &str = "rollcall_key_";

/// 256 bits: nobody guesses them, however many tries there are.
const RANDOM_BYTES: usize = 32;

/// Longer names say no more.
const LONGEST_NAME: usize = 64;

/// What is kept of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// What the operator calls it.
    pub name: KeyName,
    /// What it permits.
    pub scopes: Scopes,
    /// When it was made, in seconds since the Unix epoch.
    pub created: u64,
    /// Recognises it.
    pub sha256: KeyHash,
}

/// The SHA-256 hash of a key.
///
/// A slow hash, as for passwords, makes guesses expensive. A key has 256 random bits, which nobody guesses at any
/// price, so a fast one protects it as well, and a request does not pay for it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyHash([u8; 32]);

impl fmt::Debug for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyHash(secret)")
    }
}

impl KeyHash {
    /// The hash of a key's text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Whether this is the hash of a key's text; in constant time.
    pub fn is_of(self, text: &str) -> bool {
        CtOutput::<Sha256>::from(Sha256::digest(text))
            == CtOutput::from(Output::<Sha256>::from(self.0))
    }
}

/// A text that is no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits")]
pub struct KeyHashError;

impl TryFrom<String> for KeyHash {
    type Error = KeyHashError;

    fn try_from(text: String) -> Result<Self, KeyHashError> {
        decode_hex(&text).map(Self).ok_or(KeyHashError)
    }
}

impl From<KeyHash> for String {
    fn from(KeyHash(bytes): KeyHash) -> Self {
        hex(&bytes)
    }
}

/// The text of a new key. Only its hash is kept.
pub fn new_key() -> Result<String, getrandom::Error> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random)?;
    Ok([PREFIX, &hex(&random)].concat())
}

/// The name of a key: 1 to 64 letters, digits, hyphens, dots and underscores, so that it is one word in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

/// A text that is no name of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's name has 1 to {LONGEST_NAME} letters, digits, hyphens, dots and underscores")]
pub struct KeyNameError;

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(text: &str) -> Result<Self, KeyNameError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyNameError)
        }
    }
}

impl TryFrom<String> for KeyName {
    type Error = KeyNameError;

    fn try_from(text: String) -> Result<Self, KeyNameError> {
        text.parse()
    }
}

impl From<KeyName> for String {
    fn from(KeyName(name): KeyName) -> Self {
        name
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_has_its_hash() {
        let (key, other) = (new_key().unwrap(), new_key().unwrap());
        assert_ne!(key, other);
        assert_eq!(key.len(), PREFIX.len() + 2 * RANDOM_BYTES);
        let hash = KeyHash::of(&key);
        assert!(hash.is_of(&key));
        for text in [&*other, &key[1..], &key[..key.len() - 1], &format!("{key}0"), ""] {
            assert!(!hash.is_of(text), "{text}");
        }
        assert!(!format!("{hash:?}").contains(&String::from(hash)));
        assert_eq!(KeyHash::try_from(String::from(hash)), Ok(hash));
        assert_eq!(KeyHash::try_from("abc".to_owned()), Err(KeyHashError));
    }

    #[test]
    fn name_of_a_key_is_one_word() {
        for name in ["crm", "a", "billing-2.eu_west", &"a".repeat(64)] {
            assert_eq!(name.parse::<KeyName>().unwrap().to_string(), name);
        }
        for text in ["", "two words", "a\n", "é", "a/b", &"a".repeat(65)] {
            assert_eq!(text.parse::<KeyName>(), Err(KeyNameError), "{text:?}");
        }
    }
}
