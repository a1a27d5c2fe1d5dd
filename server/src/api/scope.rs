//! What an API key permits.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// One thing that a key permits, named `resource:action` as OAuth scopes are by many services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// To list rooms, and to read how many people are in each.
    #[serde(rename = "rooms:read")]
    RoomsRead,
    /// To remove everybody from a room.
    #[serde(rename = "rooms:close")]
    RoomsClose,
    /// To read who is in a room.
    #[serde(rename = "users:read")]
    UsersRead,
    /// To remove one person from a room.
    #[serde(rename = "users:remove")]
    UsersRemove,
}

/// There is no such scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no scope {found:?}: the scopes are {}", Scope::names())]
pub struct UnknownScopeError {
    found: String,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] =
        [Self::RoomsRead, Self::RoomsClose, Self::UsersRead, Self::UsersRemove];

    /// Its name in commands, in the file of keys and in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoomsRead => "rooms:read",
            Self::RoomsClose => "rooms:close",
            Self::UsersRead => "users:read",
            Self::UsersRemove => "users:remove",
        }
    }

    /// All names, for a sentence.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = UnknownScopeError;

    fn from_str(text: &str) -> Result<Self, UnknownScopeError> {
        let known = Self::ALL.into_iter().find(|scope| scope.name() == text);
        known.ok_or_else(|| UnknownScopeError { found: text.to_owned() })
    }
}

/// All that a key permits: at least one scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeSet<Scope>", into = "BTreeSet<Scope>")]
pub struct Scopes(BTreeSet<Scope>);

/// A key that permits nothing is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key needs at least one scope")]
pub struct NoScopeError;

impl Scopes {
    /// Whether the key permits this.
    pub fn permit(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }
}

impl TryFrom<BTreeSet<Scope>> for Scopes {
    type Error = NoScopeError;

    fn try_from(scopes: BTreeSet<Scope>) -> Result<Self, NoScopeError> {
        if scopes.is_empty() { Err(NoScopeError) } else { Ok(Self(scopes)) }
    }
}

impl From<Scopes> for BTreeSet<Scope> {
    fn from(Scopes(scopes): Scopes) -> Self {
        scopes
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|scope| scope.name()).collect();
        formatter.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_has_one_name_everywhere() {
        for scope in Scope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.name());
        }
        let error = "rooms:write".parse::<Scope>().unwrap_err().to_string();
        assert!(error.contains("rooms:write") && error.contains("users:remove"), "{error}");
    }

    #[test]
    fn key_permits_its_scopes_alone_and_at_least_one() {
        let scopes = Scopes::try_from(BTreeSet::from([Scope::RoomsRead])).unwrap();
        let permitted = Scope::ALL.map(|scope| scopes.permit(scope));
        assert_eq!(permitted, [true, false, false, false]);
        assert_eq!(Scopes::try_from(BTreeSet::new()), Err(NoScopeError));
    }
}
