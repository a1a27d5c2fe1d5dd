//! Tokens of a host application: signed statements about who a visitor is, and what they may do in which rooms.
//!
//! A token is a JWT (RFC 7519) as RFC 8725 recommends to read one. A verifier of two algorithms is all that is needed;
//! ARCHITECTURE.md says why it is our own. Everything but the keys' files is pure.

mod claims;
mod jwt;
mod key;
mod key_file;
mod keyring;
mod strict_json;

pub use self::{
    claims::{Capability, Claim, Claims},
    jwt::{LEEWAY_IN_SECONDS, TokenError, verify},
    key::{Algorithm, KeyId, ParseKeyIdError, TokenKey},
    key_file::{KeySource, TokenKeyError},
    keyring::{MOST_KEYS, TokenKeyring, reload_token_keys},
};
