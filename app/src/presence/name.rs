//! What a person is called.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest a name may be, in bytes of UTF-8.
pub const LONGEST_NAME_IN_BYTES: usize = 200;

/// A person's name: trimmed, inner white space folded to single spaces, 1 to 200 bytes.
///
/// A name is text, whatever is in it, and is only ever shown as text.
/// The limit of 40 grapheme clusters is the server's to check, so that Unicode's tables stay out of the browser.
/// A name that comes over the wire is taken as it is: the server vouches for it.
#[derive(Clone)]
pub struct Name {
    text: Arc<str>,
    /// It follows from the text, so it makes no name another one.
    skeleton: Option<Arc<str>>,
}

impl Name {
    /// Tidies `text` and checks what can be checked without Unicode's tables.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut tidy = String::with_capacity(text.len().min(LONGEST_NAME_IN_BYTES));
        for word in text.split_whitespace() {
            if !tidy.is_empty() {
                tidy.push(' ');
            }
            tidy.push_str(word);
            if tidy.len() > LONGEST_NAME_IN_BYTES {
                return Err(NameError::TooLong);
            }
        }
        if tidy.is_empty() {
            return Err(NameError::Empty);
        }
        Ok(Self::from_text(tidy))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same name, which looks like `skeleton` at a glance; only for comparing with others.
    #[must_use]
    pub fn with_skeleton(self, skeleton: Option<&str>) -> Self {
        Self { skeleton: skeleton.map(Arc::from), ..self }
    }

    /// What it looks like at a glance, where that is another text than the name in lower case.
    pub fn skeleton(&self) -> Option<&str> {
        self.skeleton.as_deref()
    }

    /// Put together again after the wire, where the look stands beside the name.
    pub(super) fn with_look(self, skeleton: Option<Self>) -> Self {
        Self { skeleton: skeleton.map(|skeleton| skeleton.text), ..self }
    }

    /// For the wire.
    pub(super) fn look_alone(&self) -> Option<Self> {
        self.skeleton.clone().map(|text| Self { text, skeleton: None })
    }

    fn from_text(text: String) -> Self {
        Self { text: text.into(), skeleton: None }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Name {}

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing but white space.
    Empty,
    /// More than 200 bytes or, on the server, more than 40 grapheme clusters.
    TooLong,
}

impl fmt::Display for NameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "Please type a name, so that the others know who is here.",
            Self::TooLong => "That name is too long: please use at most 40 characters.",
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
    fn nothing_and_too_much_are_refused() {
        assert_eq!(Name::parse(" \u{a0}\n"), Err(NameError::Empty));
        assert!(Name::parse(&"x".repeat(200)).is_ok());
        assert_eq!(Name::parse(&"x".repeat(201)), Err(NameError::TooLong));
        assert_eq!(Name::parse(&"x ".repeat(5_000)), Err(NameError::TooLong));
    }

    #[test]
    fn a_fault_says_what_to_do() {
        assert!(NameError::Empty.to_string().contains("type a name"));
        assert!(NameError::TooLong.to_string().contains("at most 40 characters"));
    }

    proptest! {
        #[test]
        fn a_name_is_tidy_and_stays_as_it_is(text in any::<String>()) {
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
