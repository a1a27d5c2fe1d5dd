//! The name of a room, as in its URL.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// 1 to 64 characters of `a-z`, `0-9` and `-`, starting and ending with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(Box<str>);

impl RoomName {
    /// The most characters of a room name.
    pub const LONGEST: usize = 64;

    /// The room at `/`.
    pub fn lobby() -> Self {
        Self("lobby".into())
    }

    /// The valid room name closest to `text`, if there is one.
    pub fn suggest(text: &str) -> Option<Self> {
        let mut name = String::new();
        for character in text.chars() {
            if name.len() == Self::LONGEST {
                break;
            }
            if character.is_ascii_alphanumeric() {
                name.push(character.to_ascii_lowercase());
            } else if character == '-' || !(name.is_empty() || name.ends_with('-')) {
                name.push('-');
            }
        }
        name.trim_matches('-').parse().ok()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a valid room name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomNameError {
    /// It is valid but for upper-case letters.
    UpperCase,
    /// It has no characters, or more than 64.
    Length,
    /// It has a character other than `a-z`, `0-9` and `-`, or starts or ends with `-`.
    Characters,
}

impl fmt::Display for RoomNameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UpperCase => "A room name is in lower case.",
            Self::Length => "A room name has 1 to 64 characters.",
            Self::Characters => {
                "A room name has only the letters a to z, digits and hyphens, \
                 and starts and ends with a letter or a digit."
            }
        })
    }
}

impl std::error::Error for RoomNameError {}

impl FromStr for RoomName {
    type Err = RoomNameError;

    fn from_str(text: &str) -> Result<Self, RoomNameError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !text.bytes().all(is_plain) || text.starts_with('-') || text.ends_with('-') {
            return Err(RoomNameError::Characters);
        }
        if text.is_empty() || text.len() > Self::LONGEST {
            return Err(RoomNameError::Length);
        }
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(RoomNameError::UpperCase);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for RoomName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RoomName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn valid_names_are_accepted() {
        for text in ["a", "9", "lobby", "team-7", "a--b", &"x".repeat(64)] {
            let name = text.parse::<RoomName>().unwrap();
            assert_eq!((name.as_str(), name.to_string().as_str()), (text, text));
        }
        assert_eq!("lobby".parse(), Ok(RoomName::lobby()));
    }

    #[test]
    fn invalid_names_are_rejected_with_the_reason() {
        for (text, error) in [
            ("", RoomNameError::Length),
            (&*"x".repeat(65), RoomNameError::Length),
            ("Team", RoomNameError::UpperCase),
            ("-a", RoomNameError::Characters),
            ("a-", RoomNameError::Characters),
            ("a_b", RoomNameError::Characters),
            ("a b", RoomNameError::Characters),
            ("é", RoomNameError::Characters),
            ("..", RoomNameError::Characters),
        ] {
            assert_eq!(text.parse::<RoomName>(), Err(error), "{text}");
        }
    }

    #[test]
    fn an_error_states_the_rule() {
        for (error, rule) in [
            (RoomNameError::UpperCase, "in lower case"),
            (RoomNameError::Length, "1 to 64 characters"),
            (RoomNameError::Characters, "letters a to z, digits and hyphens"),
        ] {
            assert!(error.to_string().contains(rule), "{error}");
        }
    }

    #[test]
    fn a_suggestion_is_close_to_the_text() {
        for (text, suggestion) in [
            ("a_b", Some("a-b")),
            ("a _ b", Some("a-b")),
            ("Team Meeting!", Some("team-meeting")),
            ("-team-", Some("team")),
            ("a--b", Some("a--b")),
            (&*"x".repeat(65), Some(&*"x".repeat(64))),
            ("<script>", Some("script")),
            ("é", None),
            ("", None),
        ] {
            let found = RoomName::suggest(text);
            assert_eq!(found.as_ref().map(RoomName::as_str), suggestion, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_suggestion_is_valid_and_a_valid_name_suggests_itself(text in "[a-zA-Z0-9-]{0,70}|\\PC{0,80}") {
            let suggestion = RoomName::suggest(&text);
            if let Ok(name) = text.parse::<RoomName>() {
                prop_assert_eq!(suggestion, Some(name));
            } else if let Some(suggestion) = suggestion {
                prop_assert_eq!(suggestion.as_str().parse::<RoomName>(), Ok(suggestion));
            }
        }

        #[test]
        fn a_name_rejected_for_its_case_is_valid_in_lower_case(text in "[a-zA-Z0-9-]{0,70}") {
            if text.parse::<RoomName>() == Err(RoomNameError::UpperCase) {
                prop_assert!(text.to_ascii_lowercase().parse::<RoomName>().is_ok());
            }
        }
    }
}
