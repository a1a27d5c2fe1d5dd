//! A person's name.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest a name may be, in bytes of UTF-8.
pub const LONGEST_NAME_IN_BYTES: usize = 400;

/// A person's name: trimmed, inner white space folded to single spaces, 1 to 400 bytes.
///
/// A name is shown as text, and never interpreted as markup. The server also enforces the limit of
/// 100 grapheme clusters, and tidies the text: Unicode's tables stay out of the browser. A name from the wire is not
/// validated again: the server did.
#[derive(Clone)]
pub struct Name {
    text: Arc<str>,
    /// It is derived from the text, so it does not count in comparisons.
    skeleton: Option<Arc<str>>,
}

impl Name {
    /// Normalises white space and checks what can be checked without Unicode's tables.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let normalised = single_spaced(text);
        if normalised.is_empty() {
            return Err(NameError::Empty);
        }
        if normalised.len() > LONGEST_NAME_IN_BYTES {
            return Err(NameError::TooManyBytes);
        }
        Ok(Self::from_text(normalised))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same name with the skeleton (UTS #39) that names which look alike share.
    #[must_use]
    pub fn with_skeleton(self, skeleton: Option<&str>) -> Self {
        Self { skeleton: skeleton.map(Arc::from), ..self }
    }

    /// The skeleton (UTS #39), where it differs from the name in lower case.
    pub fn skeleton(&self) -> Option<&str> {
        self.skeleton.as_deref()
    }

    /// The name with the skeleton of the wire's `look` field.
    pub(super) fn with_wire_skeleton(self, skeleton: Option<Self>) -> Self {
        Self { skeleton: skeleton.map(|skeleton| skeleton.text), ..self }
    }

    /// The value of the wire's `look` field.
    pub(super) fn wire_skeleton(&self) -> Option<Self> {
        self.skeleton.clone().map(|text| Self { text, skeleton: None })
    }

    fn from_text(text: String) -> Self {
        Self { text: text.into(), skeleton: None }
    }
}

/// The text, trimmed and with white space of all kinds folded to single spaces.
pub fn single_spaced(text: &str) -> String {
    let mut words = String::new();
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Name {}

/// Why a text is not a valid name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// It is empty or white space.
    Empty,
    /// It has more than 400 bytes.
    TooManyBytes,
}

impl fmt::Display for NameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "Enter your name.",
            Self::TooManyBytes => {
                "This name takes more than 400 bytes. Use fewer characters or emoji."
            }
        })
    }
}

impl std::error::Error for NameError {}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, formatter)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from_text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn white_space_is_trimmed_and_folded() {
        assert_eq!(Name::parse("  Ana \t\n Sousa\u{3000}").unwrap().as_str(), "Ana Sousa");
        assert_eq!(Name::parse("<b>Bo</b>").unwrap().as_str(), "<b>Bo</b>");
    }

    #[test]
    fn empty_and_too_long_names_are_rejected() {
        assert_eq!(Name::parse(" \u{a0}\n"), Err(NameError::Empty));
        assert!(Name::parse(&"x".repeat(400)).is_ok());
        assert_eq!(Name::parse(&"x".repeat(401)), Err(NameError::TooManyBytes));
        assert_eq!(Name::parse(&"x ".repeat(5_000)), Err(NameError::TooManyBytes));
    }

    #[test]
    fn an_error_says_what_to_do() {
        assert!(NameError::Empty.to_string().contains("Enter your name"));
        assert!(NameError::TooManyBytes.to_string().contains("400 bytes"));
    }

    #[test]
    fn a_skeleton_is_kept_beside_the_name_and_on_the_wire() {
        let plain = Name::parse("paypa1").unwrap();
        assert_eq!((plain.skeleton(), plain.wire_skeleton()), (None, None));
        let name = plain.clone().with_skeleton(Some("paypal"));
        assert_eq!((name.as_str(), name.skeleton()), ("paypa1", Some("paypal")));
        let on_wire = name.wire_skeleton();
        assert_eq!(on_wire.as_ref().map(Name::as_str), Some("paypal"));
        assert_eq!(plain.with_wire_skeleton(on_wire).skeleton(), Some("paypal"));
        assert_eq!(name.with_skeleton(None).skeleton(), None);
    }

    proptest! {
        #[test]
        fn a_parsed_name_is_normalised_and_parses_to_itself(text in any::<String>()) {
            if let Ok(name) = Name::parse(&text) {
                prop_assert!(!name.as_str().is_empty());
                prop_assert!(name.as_str().len() <= LONGEST_NAME_IN_BYTES);
                prop_assert!(!name.as_str().contains("  "));
                prop_assert_eq!(name.as_str().trim(), name.as_str());
                prop_assert_eq!(name.to_string(), name.as_str());
                prop_assert_eq!(format!("{name:?}"), format!("{:?}", name.as_str()));
                prop_assert_eq!(Name::parse(name.as_str()), Ok(name));
            }
        }
    }
}
