//! Avatars: two initials on a colour.

use crate::presence::UserId;

/// The classes of avatars; the style sheet has a pair of colours for each, in light and in dark.
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

/// The most code points of one initial: enough for an emoji of a family.
const LONGEST_INITIAL: usize = 8;

/// The initials of the first and the last word.
///
/// The style sheet puts them into upper case, which needs Unicode's tables.
pub(crate) fn initials(name: &str) -> String {
    let mut words = name.split(' ').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let mut text = String::from(initial(first));
    if let Some(last) = words.next_back() {
        if text.ends_with(joins_letters) {
            // A zero width non-joiner keeps the two initials from being joined like letters of a word.
            text.push('\u{200c}');
        }
        text.push_str(initial(last));
    }
    text
}

/// The colour of an id.
pub(crate) fn tint_class(id: &UserId) -> &'static str {
    // Ids are uniform already; the factor only makes each character count. Not in `usize`, which has 64
    // bits on the server and 32 in the browser.
    let mixed = id
        .as_str()
        .bytes()
        .fold(0_u32, |mixed, byte| mixed.wrapping_mul(31).wrapping_add(u32::from(byte)));
    TINTS[usize::try_from(mixed).unwrap_or_default() % TINTS.len()]
}

/// The first character of a word with everything that modifies it.
fn initial(word: &str) -> &str {
    let without_punctuation =
        word.trim_start_matches(|character: char| character.is_ascii_punctuation());
    let word = if without_punctuation.is_empty() { word } else { without_punctuation };
    let mut end = 0;
    let mut previous = None;
    for (index, character) in word.char_indices().take(LONGEST_INITIAL) {
        let is_part = match previous {
            None | Some(ZERO_WIDTH_JOINER) => true,
            // Two regional indicators are one flag; a third starts the next.
            Some(previous) if is_regional(previous) && is_regional(character) => index == 4,
            Some(_) => is_modifier(character),
        };
        if !is_part {
            break;
        }
        end = index + character.len_utf8();
        previous = Some(character);
    }
    word.get(..end).unwrap_or_default()
}

const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Whether it modifies the character before it: accents, variants, skin tones, parts of flags.
fn is_modifier(character: char) -> bool {
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

/// Whether it is in the blocks of Arabic, Syriac and N'Ko, whose letters join, or between them.
fn joins_letters(character: char) -> bool {
    matches!(character, '\u{600}'..='\u{8ff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
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
    fn initials_keep_emoji_and_accents_whole() {
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

    /// With 64-bit arithmetic on one side these two would have another colour there.
    #[test]
    fn colour_does_not_depend_on_the_width_of_usize() {
        for (id, class) in [("Ana0Bo1Cy2D", "avatar tint-8"), ("abcdefghijk", "avatar tint-2")] {
            assert_eq!(tint_class(&id.parse().unwrap()), class, "{id}");
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
            prop_assert!(initials(&name).chars().count() <= 2 * LONGEST_INITIAL + 1);
        }
    }
}
