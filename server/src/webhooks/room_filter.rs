//! Of which rooms a receiver is told. Pure.

use std::{fmt, str::FromStr};

use app::presence::RoomName;

/// Some rooms, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomFilter(Vec<RoomPattern>);

/// One room, or all whose names begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RoomPattern {
    Room(RoomName),
    Prefix(String),
}

/// The text is neither a room nor the beginning of one with an asterisk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a list of rooms like [\"lobby\", \"team-*\"]")]
pub struct ParseRoomPatternError;

impl RoomFilter {
    /// Every room.
    pub fn all() -> Self {
        Self(vec![RoomPattern::Prefix(String::new())])
    }

    /// These rooms: `lobby`, `team-*`, or `*` for all.
    pub fn parse<'text>(
        patterns: impl IntoIterator<Item = &'text str>,
    ) -> Result<Self, ParseRoomPatternError> {
        let patterns: Vec<_> = patterns.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        if patterns.is_empty() { Err(ParseRoomPatternError) } else { Ok(Self(patterns)) }
    }

    /// Whether the receiver is told of this room.
    pub(crate) fn contains(&self, room: &RoomName) -> bool {
        self.0.iter().any(|pattern| match pattern {
            RoomPattern::Room(name) => name == room,
            RoomPattern::Prefix(prefix) => room.as_str().starts_with(prefix),
        })
    }

    /// As the settings have them.
    pub fn patterns(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }
}

impl FromStr for RoomPattern {
    type Err = ParseRoomPatternError;

    fn from_str(text: &str) -> Result<Self, ParseRoomPatternError> {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match text.strip_suffix('*') {
            Some(prefix) if prefix.bytes().all(is_plain) && !prefix.starts_with('-') => {
                Ok(Self::Prefix(prefix.to_owned()))
            }
            Some(_) => Err(ParseRoomPatternError),
            None => text.parse().map(Self::Room).map_err(|_| ParseRoomPatternError),
        }
    }
}

impl fmt::Display for RoomPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room(name) => formatter.write_str(name.as_str()),
            Self::Prefix(prefix) => write!(formatter, "{prefix}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_has_rooms_and_beginnings_of_rooms() {
        let filter = RoomFilter::parse(["lobby", "team-*"]).unwrap();
        let is_in = |name: &str| filter.contains(&name.parse().unwrap());
        assert!(is_in("lobby") && is_in("team-7") && is_in("team-red"));
        assert!(!is_in("lobby-2") && !is_in("team") && !is_in("a-team-7"));
        assert_eq!(filter.patterns().collect::<Vec<_>>(), ["lobby", "team-*"]);
        assert!(RoomFilter::all().contains(&RoomName::lobby()));
        assert_eq!(RoomFilter::parse(["*"]).unwrap(), RoomFilter::all());
        for text in ["", "Team-*", "a b", "te*am", "-*", "**"] {
            assert_eq!(RoomFilter::parse([text]), Err(ParseRoomPatternError), "{text}");
        }
        assert_eq!(RoomFilter::parse([]), Err(ParseRoomPatternError));
    }
}
