//! Verifies a token. Pure: keys and time are parameters.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{
    claims::{Claim, Claims},
    key::TokenKey,
    strict_json,
};

/// The longest token. It has to fit into a frame of 4 KiB, and into a cookie.
const MOST_BYTES: usize = 3_072;

/// The longest time from now until a token expires.
const LONGEST_LIFE_IN_SECONDS: u64 = 24 * 60 * 60;

/// How far the issuer's clock may be from this server's.
pub const LEEWAY_IN_SECONDS: u64 = 60;

/// Why a token is refused. Its text fits into a close frame (123 bytes), and repeats nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is longer than any valid one.
    #[error("The token has more than {MOST_BYTES} bytes.")]
    TooLong,
    /// It is no JWT in compact form, in exactly one spelling.
    #[error(
        "The token is no JWT: three parts in base64url without padding, JSON without duplicate fields."
    )]
    Form,
    /// It is valid only for who understands more (RFC 7515, section 4.1.11).
    #[error("The token's header has crit, and this server knows no extensions.")]
    CriticalHeader,
    /// It is a token for something else.
    #[error("The token's typ has to be JWT, or left out.")]
    Type,
    /// It names no key.
    #[error("The token's header needs a kid, the name of its key in the server's settings.")]
    NoKeyId,
    /// Its key is unknown.
    #[error("The token's kid is that of no key of this server.")]
    UnknownKey,
    /// Its algorithm is not that of its key.
    #[error("The token's alg is not that of its key.")]
    Algorithm,
    /// Its signature is not that of its key.
    #[error("The token's signature is wrong.")]
    Signature,
    /// It comes from somebody else than the key is for.
    #[error("The token's iss is not the one that its key is for.")]
    Issuer,
    /// It is for somebody else.
    #[error("The token's aud is not the one that its key is for.")]
    Audience,
    /// A claim is missing or invalid.
    #[error("{0}")]
    Claim(Claim),
    /// It is no longer valid.
    #[error("The token has expired.")]
    Expired,
    /// It is valid for too long.
    #[error("The token's exp is more than 24 hours ahead.")]
    LongLived,
    /// It is not valid yet.
    #[error("The token's nbf is in the future.")]
    TooEarly,
}

/// What a token says, if one of these keys signed it and it is valid `now`, in seconds since the Unix epoch.
pub fn verify(token: &str, keys: &[TokenKey], now: u64) -> Result<Claims, TokenError> {
    if token.len() > MOST_BYTES {
        return Err(TokenError::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Form)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Form)?;
    // The decoder refuses padding, and bits that count for nothing. A further point is in no alphabet.
    let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Form);
    let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
    let header = strict_json::object(&header).ok_or(TokenError::Form)?;
    let key = key_of(&header, keys)?;
    if !key.has_signed(signed.as_bytes(), &signature) {
        return Err(TokenError::Signature);
    }
    let claims = strict_json::object(&payload).ok_or(TokenError::Form)?;
    check_parties(&claims, key)?;
    check_times(&claims, now)?;
    Claims::read(&claims).map_err(TokenError::Claim)
}

/// The key that the header names, if the header says nothing against it.
fn key_of<'keys>(
    header: &Map<String, Value>,
    keys: &'keys [TokenKey],
) -> Result<&'keys TokenKey, TokenError> {
    if header.contains_key("crit") {
        return Err(TokenError::CriticalHeader);
    }
    let text = |name| header.get(name).and_then(Value::as_str);
    if header.contains_key("typ") && !text("typ").is_some_and(|typ| typ.eq_ignore_ascii_case("JWT"))
    {
        return Err(TokenError::Type);
    }
    let id = text("kid").ok_or(TokenError::NoKeyId)?;
    let key = keys.iter().find(|key| key.id() == id).ok_or(TokenError::UnknownKey)?;
    // The key decides; the token may only agree (RFC 8725, section 3.1).
    if text("alg") == Some(key.algorithm().name()) { Ok(key) } else { Err(TokenError::Algorithm) }
}

/// Whether the token comes from whom its key is for, and is meant for this server.
///
/// A token with an audience is refused where none is set (RFC 7519, section 4.1.3).
fn check_parties(claims: &Map<String, Value>, key: &TokenKey) -> Result<(), TokenError> {
    let text = |name| claims.get(name).and_then(Value::as_str);
    if key.issuer().is_some() && text("iss") != key.issuer() {
        return Err(TokenError::Issuer);
    }
    let is_meant = match (claims.get("aud"), key.audience()) {
        (None, None) => true,
        (Some(Value::String(one)), Some(own)) => one == own,
        (Some(Value::Array(all)), Some(own)) => all.iter().any(|one| one.as_str() == Some(own)),
        _ => false,
    };
    if is_meant { Ok(()) } else { Err(TokenError::Audience) }
}

fn check_times(claims: &Map<String, Value>, now: u64) -> Result<(), TokenError> {
    let seconds = |name| claims.get(name).map(Value::as_u64);
    let expires = seconds("exp").flatten().ok_or(TokenError::Claim(Claim::Exp))?;
    if expires.saturating_add(LEEWAY_IN_SECONDS) <= now {
        return Err(TokenError::Expired);
    }
    if expires > now.saturating_add(LONGEST_LIFE_IN_SECONDS + LEEWAY_IN_SECONDS) {
        return Err(TokenError::LongLived);
    }
    match seconds("nbf") {
        Some(None) => Err(TokenError::Claim(Claim::Nbf)),
        Some(Some(begins)) if begins > now.saturating_add(LEEWAY_IN_SECONDS) => {
            Err(TokenError::TooEarly)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
