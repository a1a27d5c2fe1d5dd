//! One key that tokens are signed with. Pure.

use std::{fmt, str::FromStr};

use ring::{
    hmac,
    signature::{ED25519, UnparsedPublicKey},
};
use tokio_rustls::rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};

use crate::identity::key_pattern::is_patterned;

/// The shortest secret of HS256, in bytes: as long as its hash (RFC 7518, section 3.2).
const SHORTEST_SECRET_IN_BYTES: usize = 32;

/// What stands before the 32 bytes of an Ed25519 public key (RFC 8410, section 4).
const ED25519_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The coordinates y of the eight points of Ed25519 whose order is small, as keys have them, little-endian and without
/// the sign of x: -1, 0 and 1, these also with the prime 2^255 - 19 added, and two of order 8.
const SMALL_ORDER: [[u8; 32]; 7] = [
    with_ends(0x00, 0x00, 0x00),
    with_ends(0x01, 0x00, 0x00),
    with_ends(0xec, 0xff, 0x7f),
    with_ends(0xed, 0xff, 0x7f),
    with_ends(0xee, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

const fn with_ends(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut bytes = [between; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// Whether a signature by this key says nothing about who signed (RFC 8032 does not refuse such keys).
fn has_small_order(key: &[u8; 32]) -> bool {
    let mut y = *key;
    y[31] &= 0x7f;
    SMALL_ORDER.contains(&y)
}

/// The longest id.
const LONGEST_ID_IN_BYTES: usize = 64;

/// How tokens are signed with a key. The settings say it, and never a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 7518, section 3.2): the host application and this server have one secret.
    Hs256,
    /// Ed25519 (RFC 8037, section 3.1): this server has the public key alone.
    EdDsa,
}

impl Algorithm {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Hs256, Self::EdDsa];

    /// As a token's header and the settings name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// The name of a key: the `kid` of its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId(String);

/// The text is no name of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("1 to {LONGEST_ID_IN_BYTES} of the letters A to Z, a to z, digits, and - _ .")]
pub struct ParseKeyIdError;

impl FromStr for KeyId {
    type Err = ParseKeyIdError;

    fn from_str(text: &str) -> Result<Self, ParseKeyIdError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_valid =
            (1..=LONGEST_ID_IN_BYTES).contains(&text.len()) && text.bytes().all(is_plain);
        if is_valid { Ok(Self(text.to_owned())) } else { Err(ParseKeyIdError) }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A key, and whose tokens it is for.
#[derive(Clone)]
pub struct TokenKey {
    id: KeyId,
    material: Material,
    issuer: Option<String>,
    audience: Option<String>,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TokenKey({})", self.id)
    }
}

#[derive(Clone)]
enum Material {
    Secret(hmac::Key),
    Ed25519([u8; 32]),
}

/// Why the content of a file is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyContentError {
    /// It is no text, so tools disagree on where it ends.
    #[error("a secret is a line of visible ASCII characters, and nothing else")]
    Characters,
    /// It is too short.
    #[error("a secret of HS256 has at least {SHORTEST_SECRET_IN_BYTES} characters")]
    Short,
    /// It was not made of random numbers.
    #[error("it follows a pattern, so anybody could guess it")]
    Patterned,
    /// It verifies what nobody signed.
    #[error("it is one of the few points of Ed25519 for which anybody can sign")]
    SmallOrder,
    /// It is no public key.
    #[error(
        "EdDSA needs a public key of Ed25519 in PEM, which begins with -----BEGIN PUBLIC KEY-----"
    )]
    NoPublicKey,
}

impl TokenKey {
    /// The key in a file with this content, for tokens of any issuer and without an audience.
    pub fn parse(id: KeyId, algorithm: Algorithm, content: &[u8]) -> Result<Self, KeyContentError> {
        let material = match algorithm {
            Algorithm::Hs256 => Material::Secret(secret(content)?),
            Algorithm::EdDsa => Material::Ed25519(public_key(content)?),
        };
        Ok(Self { id, material, issuer: None, audience: None })
    }

    /// The same for tokens of this issuer alone, and for this audience.
    #[must_use]
    pub fn for_parties(self, issuer: Option<String>, audience: Option<String>) -> Self {
        Self { issuer, audience, ..self }
    }

    /// The `kid` of its tokens.
    pub fn id(&self) -> &str {
        &self.id.0
    }

    pub(super) fn has_id(&self, id: &KeyId) -> bool {
        self.id == *id
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Secret(_) => Algorithm::Hs256,
            Material::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    pub(super) fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }

    /// Whether the signature is this key's; of a secret in constant time.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Secret(key) => hmac::verify(key, message, signature).is_ok(),
            Material::Ed25519(key) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
            }
        }
    }
}

/// A line of text: of other bytes nobody could tell whether a line feed at the end belongs to them.
fn secret(content: &[u8]) -> Result<hmac::Key, KeyContentError> {
    let secret = content.trim_ascii();
    if !secret.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(KeyContentError::Characters);
    }
    if secret.len() < SHORTEST_SECRET_IN_BYTES {
        return Err(KeyContentError::Short);
    }
    if is_patterned(secret) {
        return Err(KeyContentError::Patterned);
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, secret))
}

fn public_key(content: &[u8]) -> Result<[u8; 32], KeyContentError> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(content)
        .map_err(|_| KeyContentError::NoPublicKey)?;
    let key = der.strip_prefix(&ED25519_PREFIX).ok_or(KeyContentError::NoPublicKey)?;
    let key = key.try_into().map_err(|_| KeyContentError::NoPublicKey)?;
    if has_small_order(&key) {
        return Err(KeyContentError::SmallOrder);
    }
    if is_patterned(&key) {
        return Err(KeyContentError::Patterned);
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use base64::Engine;

    use super::*;

    fn key(algorithm: Algorithm, content: &str) -> Result<TokenKey, KeyContentError> {
        TokenKey::parse("k".parse().unwrap(), algorithm, content.as_bytes())
    }

    #[test]
    fn secret_is_a_line_of_text_that_is_long_enough() {
        let secret = "f2a8d0b7139c5e64a1f08b3c7d92e654";
        let parsed = key(Algorithm::Hs256, &format!("{secret}\n")).unwrap();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), b"message");
        assert!(parsed.has_signed(b"message", tag.as_ref()));
        assert!(!parsed.has_signed(b"massage", tag.as_ref()));
        assert!(!parsed.has_signed(b"message", &tag.as_ref()[..31]));
        for (content, error) in [
            (&secret[1..], KeyContentError::Short),
            ("", KeyContentError::Short),
            (&secret.replace('f', "é"), KeyContentError::Characters),
            (&format!("{secret}\n{secret}"), KeyContentError::Characters),
            (&"password".repeat(8), KeyContentError::Patterned),
        ] {
            assert_eq!(key(Algorithm::Hs256, content).unwrap_err(), error, "{content}");
        }
    }

    #[test]
    fn public_key_is_one_of_ed25519() {
        let pem = |base64: &str| {
            format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
        };
        let valid = "MCowBQYDK2VwAyEAYfkl5YPtQFCSUyY/5RGrUWjtF4hzKuAtt55+agL7U2s=";
        assert!(key(Algorithm::EdDsa, &pem(valid)).is_ok());
        // X25519, which differs in one byte; and one that is cut.
        let other = valid.replace("K2Vw", "K2Vu");
        for content in [
            &pem(&other),
            &pem("MCowBQYDK2VwAyEA"),
            valid,
            "",
            "a secret of 32 characters, or more",
        ] {
            assert_eq!(
                key(Algorithm::EdDsa, content).unwrap_err(),
                KeyContentError::NoPublicKey,
                "{content}"
            );
        }
    }

    fn pem_of(point: [u8; 32]) -> String {
        let der = [&ED25519_PREFIX[..], &point].concat();
        let base64 = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
    }

    #[test]
    fn keys_for_which_anybody_can_sign_are_refused() {
        // The neutral point and the number 0, which fit one message in eight or more.
        let forged = [with_ends(0x01, 0x00, 0x00), [0; 32]].concat();
        for y in SMALL_ORDER {
            for sign in [0x00, 0x80] {
                let mut point = y;
                point[31] |= sign;
                let unchecked = UnparsedPublicKey::new(&ED25519, point);
                let fits = |message: u8| unchecked.verify(&[message], &forged).is_ok();
                assert!((0..=255).any(fits), "{point:02x?} is not of small order");
                let refused = key(Algorithm::EdDsa, &pem_of(point)).unwrap_err();
                assert_eq!(refused, KeyContentError::SmallOrder, "{point:02x?}");
            }
        }
        let counted = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let refused = key(Algorithm::EdDsa, &pem_of(counted)).unwrap_err();
        assert_eq!(refused, KeyContentError::Patterned);
    }

    #[test]
    fn id_is_plain() {
        assert!("2026-12_a.b".parse::<KeyId>().is_ok());
        for text in ["", "a b", "é", "a\"", &"a".repeat(65)] {
            assert_eq!(text.parse::<KeyId>(), Err(ParseKeyIdError), "{text}");
        }
    }
}
