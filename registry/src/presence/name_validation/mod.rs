//! Which texts the server accepts as names.
//!
//! It is not in `app`, so that the browser does not download Unicode's tables.

mod confusable;
mod invisible;

use app::presence::{Name, NameError};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use self::{confusable::skeleton, invisible::has_no_invisible};

/// The longest name, in grapheme clusters (UAX #29), which readers call characters.
pub const LONGEST_NAME_IN_CLUSTERS: usize = 40;

/// Why a text is not accepted as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameValidationError {
    /// It is empty or too long.
    #[error("{0}")]
    Invalid(#[from] NameError),
    /// It has invisible characters, or marks that cover other text.
    #[error(
        "This name has invisible characters. Please use letters, digits, punctuation or emoji."
    )]
    NotAllowed,
}

/// Normalises and validates a name. Every script and emoji are allowed, invisible characters are not. Texts
/// that are canonically equivalent become equal (NFC, UAX #15).
pub fn validate(text: &str) -> Result<Name, NameValidationError> {
    let normalised: String = text.nfc().collect();
    let name = Name::parse(&normalised)?;
    if name.as_str().graphemes(true).nth(LONGEST_NAME_IN_CLUSTERS).is_some() {
        return Err(NameError::TooLong.into());
    }
    if !has_no_invisible(name.as_str()) {
        return Err(NameValidationError::NotAllowed);
    }
    Ok(with_skeleton(name))
}

/// Adds the skeleton to a name that comes without: it is not saved with every name.
pub fn with_skeleton(name: Name) -> Name {
    let skeleton = skeleton(name.as_str());
    name.with_skeleton(skeleton.as_deref())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A verdict and texts on each line; invisible characters are written as `\u{200d}`.
    const CORPUS: &str = include_str!("corpus.txt");

    fn unescaped(text: &str) -> String {
        let mut parts = text.split("\\u{");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (digits, rest) = part.split_once('}').unwrap();
            whole.push(char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap());
            whole.push_str(rest);
        }
        whole
    }

    fn corpus(verdict: &str) -> Vec<Vec<String>> {
        let lines = CORPUS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let fields = lines.map(|line| line.split('\t').collect::<Vec<_>>());
        let of_verdict = fields.filter(|fields| fields[0] == verdict);
        of_verdict.map(|fields| fields[1..].iter().map(|text| unescaped(text)).collect()).collect()
    }

    /// Whether a page marks two names as similar: their names or skeletons are equal but for case.
    fn are_similar(pair: &[String]) -> bool {
        let texts = |name: &str| {
            let name = validate(name).unwrap();
            [Some(name.as_str().to_lowercase()), name.skeleton().map(str::to_lowercase)]
        };
        let [one, other] = [texts(&pair[0]), texts(&pair[1])];
        one.iter().flatten().any(|text| other.iter().flatten().any(|other| other == text))
    }

    #[test]
    fn every_name_of_the_corpus_gets_its_verdict() {
        let good = corpus("good");
        assert!(good.len() > 50);
        for fields in good {
            let normalised = fields.get(1).unwrap_or(&fields[0]);
            assert_eq!(validate(&fields[0]).unwrap().as_str(), normalised, "{fields:?}");
        }
        let errors = [
            ("empty", NameValidationError::Invalid(NameError::Empty)),
            ("too_long", NameValidationError::Invalid(NameError::TooLong)),
            ("not_allowed", NameValidationError::NotAllowed),
        ];
        for (verdict, error) in errors {
            let bad = corpus(verdict);
            assert!(!bad.is_empty(), "{verdict}");
            for fields in bad {
                assert_eq!(validate(&fields[0]), Err(error), "{fields:?}");
            }
        }
    }

    #[test]
    fn names_that_look_alike_are_similar_and_others_are_not() {
        for pair in corpus("alike") {
            assert!(are_similar(&pair), "{pair:?}");
        }
        for pair in corpus("apart") {
            assert!(!are_similar(&pair), "{pair:?}");
        }
        // Most names are their own skeletons.
        for name in corpus("plain") {
            assert_eq!(skeleton(&name[0]), None, "{name:?}");
        }
    }

    #[test]
    fn name_has_at_most_forty_clusters_of_any_script() {
        assert!(validate(&"x".repeat(40)).is_ok());
        assert_eq!(validate(&"x".repeat(41)), Err(NameError::TooLong.into()));
        // One cluster of 7 characters and 25 bytes: 8 of them are 200 bytes.
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        assert!(validate(&family.repeat(8)).is_ok());
        assert_eq!(validate(&family.repeat(9)), Err(NameError::TooLong.into()));
    }

    /// Texts in which characters with a rule of their own are frequent.
    fn any_text() -> impl Strategy<Value = String> {
        let special = prop::sample::select(
            "aé\u{301}\u{345}\u{200d}\u{200c}\u{fe0f}\u{20e3}❤🔥🏽🏴1 \u{a0}क्ا葛\u{e0100}\u{e0067}\u{e007f}ᠠ\u{180b}ㄱ\u{1161}"
                .chars()
                .collect::<Vec<_>>(),
        );
        let character = prop_oneof![3 => special, 1 => any::<char>()];
        prop::collection::vec(character, 0..30)
            .prop_map(|characters| characters.into_iter().collect())
    }

    proptest! {
        #[test]
        fn valid_name_is_normalised_and_valid_again(text in any_text()) {
            if let Ok(name) = validate(&text) {
                prop_assert_eq!(validate(name.as_str()), Ok(name.clone()));
                prop_assert!(unicode_normalization::is_nfc(name.as_str()));
                let is_invisible = |character: char| character.is_control() || "\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}".contains(character);
                prop_assert!(!name.as_str().contains(is_invisible));
                let begins_with_a_mark = name.as_str().starts_with(['\u{301}', '\u{200d}', '\u{fe0f}']);
                prop_assert!(!begins_with_a_mark);
            }
        }

        #[test]
        fn skeleton_is_short_and_differs_from_the_name(text in any_text()) {
            if let Ok(name) = validate(&text)
                && let Some(skeleton) = skeleton(name.as_str())
            {
                prop_assert!(!skeleton.is_empty());
                prop_assert!(skeleton.len() <= app::presence::LONGEST_NAME_IN_BYTES);
                prop_assert_ne!(skeleton, name.as_str().to_lowercase());
            }
        }
    }
}
