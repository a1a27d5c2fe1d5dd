//! What stands for a person at a glance: two letters in a colour.

use crate::presence::UserId;

/// The class of an avatar; the style sheet has a pair of colours for each, in light and in dark.
const TINTS: [&str; 12] = [
    "avatar tint-0",
    "avatar tint-1",
    "avatar tint-2",
    "avatar tint-3",
    "avatar tint-4",
    "avatar tint-5",
    "avatar tint-6",
    "avatar tint-7",
    "avatar tint-8",
    "avatar tint-9",
    "avatar tint-10",
    "avatar tint-11",
];

/// The most characters that are taken for one letter: enough for a family of emoji.
const LONGEST_LETTER: usize = 8;

/// The first letters of the first and the last word.
///
/// They are not put into upper case here: the style sheet does that, without Unicode's tables.
pub(crate) fn initials(name: &str) -> String {
    let mut words = name.split(' ').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let mut text = String::from(first_letter(first));
    if let Some(last) = words.next_back() {
        if text.ends_with(is_arabic) {
            // A zero width non-joiner: two initials are not a syllable.
            text.push('\u{200c}');
        }
        text.push_str(first_letter(last));
    }
    text
}

/// The colour that follows an id.
pub(crate) fn tint_class(id: &UserId) -> &'static str {
    // An id is evenly spread already; the factor only lets each of its characters count.
    let mixed = id
        .as_str()
        .bytes()
        .fold(0_usize, |mixed, byte| mixed.wrapping_mul(31).wrapping_add(usize::from(byte)));
    TINTS[mixed % TINTS.len()]
}

/// The first character of a word with all that hangs on it.
fn first_letter(word: &str) -> &str {
    let bare = word.trim_start_matches(|character: char| character.is_ascii_punctuation());
    let word = if bare.is_empty() { word } else { bare };
    let mut end = 0;
    let mut previous = None;
    for (index, character) in word.char_indices().take(LONGEST_LETTER) {
        let belongs = match previous {
            None | Some(ZERO_WIDTH_JOINER) => true,
            // Two regional indicators are one flag, a third begins the next.
            Some(previous) if is_regional(previous) && is_regional(character) => index == 4,
            Some(_) => hangs_on(character),
        };
        if !belongs {
            break;
        }
        end = index + character.len_utf8();
        previous = Some(character);
    }
    word.get(..end).unwrap_or_default()
}

const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Whether it changes the character before it: accents, variants, skin tones, parts of flags.
fn hangs_on(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}'
        | ZERO_WIDTH_JOINER
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0020}'..='\u{e007f}')
}

fn is_regional(character: char) -> bool {
    matches!(character, '\u{1f1e6}'..='\u{1f1ff}')
}

fn is_arabic(character: char) -> bool {
    matches!(character, '\u{600}'..='\u{8ff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn they_are_the_first_letters_of_the_first_and_the_last_word() {
        for (name, letters) in [
            ("Ana Sousa", "AS"),
            ("Ana Maria de Sousa", "AS"),
            ("Bo", "B"),
            ("neha", "n"),
            ("Ирина Петрова", "ИП"),
            ("李小龍", "李"),
            ("مريم الحداد", "م\u{200c}ا"),
            ("Jürgen Weiß-Çelik", "JW"),
            ("(Bo) \"the\" <b>", "Bb"),
            ("--- ???", "-?"),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn emoji_and_accents_stay_whole() {
        for (name, letters) in [
            ("🙂 Sunny", "🙂S"),
            ("👩🏽‍🚀 Mae", "👩🏽‍🚀M"),
            ("👨‍👩‍👧‍👦family", "👨‍👩‍👧‍👦"),
            ("🇩🇪🇫🇷", "🇩🇪"),
            ("❤️love", "❤️"),
            ("E\u{301}va", "E\u{301}"),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn every_colour_is_used() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..200 {
            let id = format!("user----{number:03}").parse().unwrap();
            assert_eq!(tint_class(&id), tint_class(&id));
            seen.insert(tint_class(&id));
        }
        assert_eq!(seen.len(), TINTS.len());
    }

    proptest! {
        #[test]
        fn any_text_has_short_initials(name in any::<String>()) {
            prop_assert!(initials(&name).chars().count() <= 2 * LONGEST_LETTER + 1);
        }
    }
}
