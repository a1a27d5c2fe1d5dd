//! Names for new rooms: what the title says, and an unguessable rest. Pure: randomness is a parameter.

use app::presence::RoomName;

use super::near_miss::suggestion;

/// The most characters of a title.
pub(crate) const LONGEST_TITLE: usize = 60;

/// The most characters of a title's part of the name.
const LONGEST_SLUG: usize = 40;

/// 32 letters and digits that are not easily confused when read aloud or written down.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// How many characters of the name are random: five bits each, 40 in all.
const RANDOM_CHARACTERS: usize = 8;

/// How many random bytes a name takes: one a character, and one for each word.
pub(crate) const RANDOM_BYTES: usize = RANDOM_CHARACTERS + 2;

/// For a title that has no letter a to z and no digit, not even without accents: words that are easy to say in most
/// languages, and that offend nobody.
const FIRST_WORDS: [&str; 16] = [
    "amber", "bright", "calm", "clever", "cosy", "gentle", "golden", "green", "happy", "kind",
    "lucky", "merry", "quick", "quiet", "silver", "sunny",
];
const SECOND_WORDS: [&str; 16] = [
    "bear", "bird", "brook", "cloud", "dolphin", "fox", "garden", "lake", "maple", "meadow",
    "moon", "otter", "panda", "river", "rose", "tiger",
];

/// The name of a new room with this title, from uniformly random bytes: `monday-stand-up-x7k2m9qd`.
pub(crate) fn new_room_name(title: &str, random: [u8; RANDOM_BYTES]) -> Option<RoomName> {
    let [first, second, characters @ ..] = random;
    let words = || {
        let word = |words: [&'static str; 16], byte: u8| words[usize::from(byte % 16)];
        [word(FIRST_WORDS, first), "-", word(SECOND_WORDS, second)].concat()
    };
    let start = slug(title).unwrap_or_else(words);
    let end: String =
        characters.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    [&start, "-", &end].concat().parse().ok()
}

/// The title in characters of a room's name: lower case, without accents, a hyphen between words. None of a title
/// that has none of these characters.
fn slug(title: &str) -> Option<String> {
    let title: String = title.chars().take(LONGEST_TITLE).collect();
    let name = suggestion(&title)?;
    let words: Vec<_> = name.as_str().split('-').filter(|word| !word.is_empty()).collect();
    let mut slug = words.join("-");
    slug.truncate(LONGEST_SLUG);
    Some(slug.trim_end_matches('-').to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn name_begins_with_the_title() {
        let random = [0, 0, 1, 2, 3, 4, 5, 6, 7, 255];
        for (title, name) in [
            ("Monday stand-up", "monday-stand-up-bcdefgh9"),
            ("  Équipe — Sept! ", "equipe-sept-bcdefgh9"),
            ("straße", "strasse-bcdefgh9"),
            ("a -- b", "a-b-bcdefgh9"),
            ("", "amber-bear-bcdefgh9"),
            ("会議", "amber-bear-bcdefgh9"),
            ("اجتماع", "amber-bear-bcdefgh9"),
            ("!?", "amber-bear-bcdefgh9"),
        ] {
            let found = new_room_name(title, random);
            assert_eq!(found.as_ref().map(RoomName::as_str), Some(name), "{title}");
        }
    }

    #[test]
    fn long_title_is_cut_between_hyphens() {
        let title = format!("{} {}", "x".repeat(39), "y".repeat(30));
        assert_eq!(slug(&title), Some("x".repeat(39)));
        assert_eq!(slug(&"y".repeat(80)), Some("y".repeat(40)));
    }

    proptest! {
        #[test]
        fn name_is_valid_for_any_title(title in "\\PC{0,90}|[a-z A-Z-]{0,90}", random in any::<[u8; RANDOM_BYTES]>()) {
            let name = new_room_name(&title, random);
            prop_assert!(name.is_some_and(|name| name.as_str().len() <= LONGEST_SLUG + 1 + RANDOM_CHARACTERS));
        }

        #[test]
        fn slug_is_never_empty_and_is_its_own_slug(title in "\\PC{0,90}|[a-z A-Z0-9-]{0,90}") {
            if let Some(first) = slug(&title) {
                prop_assert!(!first.is_empty() && first.len() <= LONGEST_SLUG);
                prop_assert!(first.parse::<RoomName>().is_ok());
                prop_assert_eq!(slug(&first), Some(first));
            }
        }

        /// All random bits are in the name.
        #[test]
        fn name_keeps_the_entropy_of_its_bytes(random in any::<[u8; RANDOM_BYTES]>(), place in 2..RANDOM_BYTES) {
            let names = (0..32).filter_map(|five_bits| {
                let mut other = random;
                other[place] ^= five_bits;
                new_room_name("team", other)
            });
            prop_assert_eq!(names.collect::<std::collections::BTreeSet<_>>().len(), 32);
        }
    }
}
