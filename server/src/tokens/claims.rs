//! What a token says. Pure.

use std::collections::BTreeSet;

use app::presence::Name;
use registry::presence::name_validation;
use serde_json::{Map, Value};

use crate::webhooks::RoomFilter;

/// The longest `sub` and `iss`, in bytes.
const LONGEST_ID_IN_BYTES: usize = 256;

/// The longest `info`, in bytes of JSON: every row of a list may have one.
const LONGEST_INFO_IN_BYTES: usize = 512;

/// What a valid token says of its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Who vouches for the holder. With the subject it is the person.
    pub issuer: Option<String>,
    /// The holder, as the issuer knows them.
    pub subject: String,
    /// When the token expires, in seconds since the Unix epoch.
    pub expires: u64,
    /// The name under which the holder is listed.
    pub name: Option<Name>,
    /// The rooms that the token is for.
    pub rooms: RoomFilter,
    /// What it permits there.
    pub can: BTreeSet<Capability>,
    /// What everybody may know of the holder, as JSON.
    pub info: Option<Box<str>>,
}

/// What a token permits in its rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// To see who is there.
    Watch,
    /// To be listed, and so to see who is there.
    Join,
    /// What a host may do.
    Host,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Watch, Self::Join, Self::Host];

    fn parse(text: &str) -> Option<Self> {
        match text {
            "watch" => Some(Self::Watch),
            "join" => Some(Self::Join),
            "host" => Some(Self::Host),
            _ => None,
        }
    }
}

/// A claim that is missing or invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Claim {
    /// Who the holder is.
    #[error("The token needs a sub: a text of 1 to {LONGEST_ID_IN_BYTES} bytes.")]
    Sub,
    /// Who vouches for them.
    #[error("The token's iss has to be a text of 1 to {LONGEST_ID_IN_BYTES} bytes.")]
    Iss,
    /// When the token expires.
    #[error("The token needs an exp: whole seconds since the Unix epoch.")]
    Exp,
    /// From when on it is valid.
    #[error("The token's nbf has to be whole seconds since the Unix epoch.")]
    Nbf,
    /// The name.
    #[error("The token's name is none that can be on a list.")]
    Name,
    /// The rooms.
    #[error("The token's rooms have to be a list of rooms like [\"lobby\", \"team-*\"].")]
    Rooms,
    /// The capabilities.
    #[error("The token's can has to be a list of some of watch, join and host.")]
    Can,
    /// What others may know.
    #[error("The token's info has more than {LONGEST_INFO_IN_BYTES} bytes.")]
    Info,
}

impl Claims {
    /// Reads the claims whose times were checked.
    pub(super) fn read(claims: &Map<String, Value>) -> Result<Self, Claim> {
        let id = |name, wrong| match claims.get(name) {
            None => Ok(None),
            Some(Value::String(id)) if (1..=LONGEST_ID_IN_BYTES).contains(&id.len()) => {
                Ok(Some(id.clone()))
            }
            Some(_) => Err(wrong),
        };
        Ok(Self {
            issuer: id("iss", Claim::Iss)?,
            subject: id("sub", Claim::Sub)?.ok_or(Claim::Sub)?,
            expires: claims.get("exp").and_then(Value::as_u64).ok_or(Claim::Exp)?,
            name: claims.get("name").map(name).transpose()?,
            rooms: claims.get("rooms").map_or_else(|| Ok(RoomFilter::all()), rooms)?,
            can: claims.get("can").map_or_else(|| Ok(default_capabilities()), capabilities)?,
            info: claims.get("info").map(info).transpose()?,
        })
    }
}

fn name(value: &Value) -> Result<Name, Claim> {
    let text = value.as_str().ok_or(Claim::Name)?;
    name_validation::validate(text).map_err(|_| Claim::Name)
}

fn rooms(value: &Value) -> Result<RoomFilter, Claim> {
    RoomFilter::parse(texts(value).ok_or(Claim::Rooms)?).map_err(|_| Claim::Rooms)
}

/// What a token permits that does not say.
fn default_capabilities() -> BTreeSet<Capability> {
    BTreeSet::from([Capability::Watch, Capability::Join])
}

fn capabilities(value: &Value) -> Result<BTreeSet<Capability>, Claim> {
    let texts = texts(value).ok_or(Claim::Can)?;
    texts.into_iter().map(|text| Capability::parse(text).ok_or(Claim::Can)).collect()
}

fn info(value: &Value) -> Result<Box<str>, Claim> {
    let text = value.to_string();
    if text.len() <= LONGEST_INFO_IN_BYTES { Ok(text.into()) } else { Err(Claim::Info) }
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}
