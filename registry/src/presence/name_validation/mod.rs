//! What the server accepts as a name.
//!
//! Here and not in `app`, so that Unicode's tables don't travel to the browser.

mod confusable;
mod invisible;

use app::presence::{Name, NameError};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use self::{confusable::skeleton, invisible::has_no_invisible};

/// The longest a name may be, in grapheme clusters (UAX #29): what a reader would call characters.
pub const LONGEST_NAME_IN_CLUSTERS: usize = 40;

/// Why a text is not accepted as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameValidationError {
    /// It is empty or too long.
    #[error("{0}")]
    Invalid(#[from] NameError),
    /// There is something in it that nobody can see, or that hides what is around it.
    #[error(
        "That name has something in it that can't be seen: please type it with letters, digits, signs or emoji."
    )]
    NotAllowed,
}

/// Tidies what somebody typed and says whether it is a name: in every script and with emoji, but with
/// nothing that can't be seen, and normalised, so that what looks the same is the same (NFC, UAX #15).
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

/// The name with what it looks like, which is not kept with it everywhere.
pub fn with_skeleton(name: Name) -> Name {
    let look = skeleton(name.as_str());
    name.with_skeleton(look.as_deref())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A verdict and texts on each line; what can't be seen is written `\u{200d}`.
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

    /// Whether a page takes the two for twins: a name or a look of both is the same but for case.
    fn are_twins(pair: &[String]) -> bool {
        let texts = |name: &str| {
            let name = validate(name).unwrap();
            [Some(name.as_str().to_lowercase()), name.skeleton().map(str::to_lowercase)]
        };
        let [one, other] = [texts(&pair[0]), texts(&pair[1])];
        one.iter().flatten().any(|text| other.iter().flatten().any(|other| other == text))
    }

    #[test]
    fn every_name_of_the_corpus_is_what_it_says() {
        let good = corpus("good");
        assert!(good.len() > 50);
        for fields in good {
            let tidy = fields.get(1).unwrap_or(&fields[0]);
            assert_eq!(validate(&fields[0]).unwrap().as_str(), tidy, "{fields:?}");
        }
        let refusals = [
            ("empty", NameValidationError::Invalid(NameError::Empty)),
            ("too_long", NameValidationError::Invalid(NameError::TooLong)),
            ("not_allowed", NameValidationError::NotAllowed),
        ];
        for (verdict, refused) in refusals {
            let bad = corpus(verdict);
            assert!(!bad.is_empty(), "{verdict}");
            for fields in bad {
                assert_eq!(validate(&fields[0]), Err(refused), "{fields:?}");
            }
        }
    }

    #[test]
    fn names_that_look_alike_are_twins_and_others_are_not() {
        for pair in corpus("alike") {
            assert!(are_twins(&pair), "{pair:?}");
        }
        for pair in corpus("apart") {
            assert!(!are_twins(&pair), "{pair:?}");
        }
        // What most names look like needs not be said.
        for name in corpus("plain") {
            assert_eq!(skeleton(&name[0]), None, "{name:?}");
        }
    }

    #[test]
    fn a_name_has_up_to_forty_clusters_of_any_script() {
        assert!(validate(&"x".repeat(40)).is_ok());
        assert_eq!(validate(&"x".repeat(41)), Err(NameError::TooLong.into()));
        // One cluster of 7 characters and 25 bytes: 8 of them are 200 bytes.
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        assert!(validate(&family.repeat(8)).is_ok());
        assert_eq!(validate(&family.repeat(9)), Err(NameError::TooLong.into()));
    }

    /// Text with what is special for the rules in it, oftener than chance would have it.
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
        fn what_is_accepted_is_tidy_and_accepted_again(text in any_text()) {
            if let Ok(name) = validate(&text) {
                prop_assert_eq!(validate(name.as_str()), Ok(name.clone()));
                prop_assert!(unicode_normalization::is_nfc(name.as_str()));
                let refused = |character: char| character.is_control() || "\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}".contains(character);
                prop_assert!(!name.as_str().contains(refused));
                let begins_with_nothing = name.as_str().starts_with(['\u{301}', '\u{200d}', '\u{fe0f}']);
                prop_assert!(!begins_with_nothing);
            }
        }

        /// A look is a text of its own: what looks like it looks like the name.
        #[test]
        fn a_look_is_short_and_has_no_look(text in any_text()) {
            if let Ok(name) = validate(&text)
                && let Some(look) = skeleton(name.as_str())
            {
                prop_assert!(!look.is_empty());
                prop_assert!(look.len() <= app::presence::LONGEST_NAME_IN_BYTES);
                prop_assert_ne!(look, name.as_str().to_lowercase());
            }
        }
    }
}
