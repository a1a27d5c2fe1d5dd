//! Which texts the server accepts as names.
//!
//! It is not in `app`, so that the browser does not download Unicode's tables.

mod confusable;
mod invisible;

use app::presence::{Name, NameError, tidied};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use self::{
    confusable::skeleton,
    invisible::{Fault, first_fault, without_idle_characters},
};

/// The longest name, in grapheme clusters (UAX #29), which readers call characters. Spaces between its words
/// are not counted: the longest of CLDR's sample names has 110 clusters in 14 words.
pub const LONGEST_NAME_IN_CLUSTERS: usize = 100;

/// Why a text is not accepted as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameValidationError {
    /// It has too many grapheme clusters.
    #[error("This name is too long. Use at most 100 characters.")]
    TooLong,
    /// It is empty, or has too many bytes.
    #[error("{0}")]
    Invalid(#[from] NameError),
    /// Its letters would appear in another order than they were typed in.
    #[error("This name contains a character that reverses text. Please type the name again.")]
    ReversesText,
    /// It has marks that stand alone, or cover other text.
    #[error(
        "This name has an accent without a letter, or too many accents on one letter. Please remove them."
    )]
    Marks,
    /// It has characters that are invisible, or that no font has.
    #[error(
        "This name has characters that can't be shown. Please use letters, digits, punctuation or emoji."
    )]
    NotAllowed,
}

/// Tidies, normalises and validates a name. Every script and emoji are allowed. Invisible characters that
/// are often pasted along are removed, others are not allowed. Texts that are canonically equivalent become
/// equal (NFC, UAX #15).
pub fn validate(text: &str) -> Result<Name, NameValidationError> {
    let tidy = tidied(text).ok_or(NameValidationError::ReversesText)?;
    let composed: String = tidy.nfc().collect();
    // What was kept apart may compose.
    let normalised: String = without_idle_characters(&composed).nfc().collect();
    let clusters = normalised.graphemes(true).filter(|cluster| *cluster != " ");
    if clusters.take(LONGEST_NAME_IN_CLUSTERS + 1).count() > LONGEST_NAME_IN_CLUSTERS {
        return Err(NameValidationError::TooLong);
    }
    let name = Name::parse(&normalised)?;
    match first_fault(name.as_str()) {
        Some(Fault::Mark) => Err(NameValidationError::Marks),
        Some(Fault::Invisible) => Err(NameValidationError::NotAllowed),
        None => Ok(with_skeleton(name)),
    }
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

    /// CLDR's sample names, their fields separated by tabs.
    const CLDR_NAMES: &str = include_str!("cldr_names.txt");

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
            ("too_long", NameValidationError::TooLong),
            ("too_many_bytes", NameValidationError::Invalid(NameError::TooManyBytes)),
            ("reverses_text", NameValidationError::ReversesText),
            ("marks", NameValidationError::Marks),
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
    fn name_has_at_most_a_hundred_clusters_of_any_script() {
        for letter in ["x", "李", "e\u{301}", "שָׁ"] {
            assert!(validate(&letter.repeat(100)).is_ok() == (letter.len() <= 4), "{letter}");
            let longer = validate(&letter.repeat(101));
            assert_eq!(longer, Err(NameValidationError::TooLong), "{letter}");
        }
        assert!(validate(&"x ".repeat(100)).is_ok());
        assert_eq!(validate(&"x ".repeat(101)), Err(NameValidationError::TooLong));
    }

    #[test]
    fn name_has_at_most_four_hundred_bytes_and_says_which_limit_it_exceeds() {
        // One cluster of 7 characters and 25 bytes: 16 of them are 400 bytes.
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        assert!(validate(&family.repeat(16)).is_ok());
        let too_many_bytes = NameValidationError::Invalid(NameError::TooManyBytes);
        assert_eq!(validate(&family.repeat(17)), Err(too_many_bytes));
        assert!(too_many_bytes.to_string().contains("400 bytes"));
        assert!(NameValidationError::TooLong.to_string().contains("100 characters"));
        // What is removed does not count.
        assert_eq!(validate(&"x\u{200b} ".repeat(100)), validate(&"x ".repeat(100)));
    }

    /// Every sample name: whole, without title and credentials, by surname first, and informal.
    #[test]
    fn cldr_sample_names_are_all_accepted() {
        let mut names = std::collections::BTreeSet::new();
        for line in CLDR_NAMES.lines().filter(|line| !line.starts_with('#')) {
            let line = unescaped(line);
            let mut fields: Vec<&str> = line.split('\t').collect();
            fields.resize(8, "");
            let [title, given, informal, given2, surname, surname2, generation, credentials] =
                fields[..]
            else {
                panic!("eight fields: {line}")
            };
            for order in [
                &[title, given, given2, surname, surname2, generation, credentials][..],
                &[given, given2, surname, surname2],
                &[surname, surname2, given, given2],
                &[informal, surname],
            ] {
                names.insert(order.join(" "));
            }
        }
        // Some have no surname and no informal name.
        names.retain(|name| !name.trim().is_empty());
        assert!(names.len() > 1_129, "{}", names.len());
        let refused: Vec<_> = names.iter().filter(|name| validate(name).is_err()).collect();
        assert!(refused.is_empty(), "{refused:#?}");
    }

    /// Texts in which characters with a rule of their own are frequent.
    fn any_text() -> impl Strategy<Value = String> {
        let special = prop::sample::select(
            "aé\u{301}\u{345}\u{200b}\u{200e}\u{ad}\u{2068}\u{2069}\u{200d}\u{200c}\u{fe0f}\u{20e3}❤🔥🏽🏴1 \u{a0}क्ا葛\u{e0100}\u{e0067}\u{e007f}ᠠ\u{180b}ㄱ\u{1161}"
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
