//! Removes what is pasted along with a name: characters that nobody sees and nobody typed.
//!
//! The server decides. A page tidies as well, to see whether a new name is the one that a person has already.

use super::single_spaced;

/// Marks of direction, places where a line may or must not break, and the byte order mark.
const PASTED_ALONG: [char; 7] =
    ['\u{ad}', '\u{61c}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}'];

/// Ends an embedding or an override (UAX #9, section 2.3).
const POP_DIRECTIONAL_FORMATTING: char = '\u{202c}';
/// Ends an isolate (UAX #9, section 2.5).
const POP_DIRECTIONAL_ISOLATE: char = '\u{2069}';

/// The text without what is pasted along, and with single spaces.
///
/// Embeddings and isolates are removed where each wraps whole words, as programs put them around a name that
/// they insert into a sentence. Within a word they change the order of its letters, and without an end
/// the order of what follows: then, and with an override, there is no tidy text.
pub fn tidied(text: &str) -> Option<String> {
    let mut kept = String::with_capacity(text.len());
    // The ends that embeddings and isolates wait for, the innermost last.
    let mut ends = Vec::new();
    let mut is_after_end = false;
    for character in text.chars() {
        match character {
            '\u{202d}' | '\u{202e}' => return None,
            '\u{202a}' | '\u{202b}' | '\u{2066}'..='\u{2068}' => {
                if kept.ends_with(|last: char| !last.is_whitespace()) {
                    return None;
                }
                let is_isolate = character >= '\u{2066}';
                ends.push(if is_isolate {
                    POP_DIRECTIONAL_ISOLATE
                } else {
                    POP_DIRECTIONAL_FORMATTING
                });
            }
            POP_DIRECTIONAL_FORMATTING | POP_DIRECTIONAL_ISOLATE => {
                if ends.pop() != Some(character) {
                    return None;
                }
                is_after_end = true;
            }
            _ if PASTED_ALONG.contains(&character) => {}
            _ => {
                if is_after_end && !character.is_whitespace() {
                    return None;
                }
                is_after_end = false;
                kept.push(character);
            }
        }
    }
    if !ends.is_empty() {
        return None;
    }
    Some(single_spaced(&kept))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn embedding_is_removed_where_it_wraps_whole_words() {
        for (text, expected) in [
            ("\u{202a}Ana Sousa\u{202c}", Some("Ana Sousa")),
            ("Ana \u{2068}Sousa\u{2069}", Some("Ana Sousa")),
            ("\u{2067}\u{202b}מרים\u{202c} כהן\u{2069}", Some("מרים כהן")),
            ("\u{feff}\u{2066}Ana\u{200e}\u{2069}\u{200f}", Some("Ana")),
            ("An\u{2066}a\u{2069}", None),
            ("\u{2066}An\u{2069}a", None),
            // It looks like "AB".
            ("\u{2067}\u{2066}B\u{2069}\u{2066}A\u{2069}\u{2069}", None),
            ("\u{2067}Ana\u{202c}", None),
            ("\u{202a}\u{2066}Ana\u{202c}\u{2069}", None),
            ("Ana\u{2069}", None),
            ("\u{202a}Ana", None),
            ("\u{202e}anA\u{202c}", None),
        ] {
            assert_eq!(tidied(text).as_deref(), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn tidying_is_idempotent_and_keeps_every_other_character(
            text in "[ab א\u{3000}\u{ad}\u{200b}\u{200e}\u{202a}\u{202c}\u{2066}\u{2069}\u{feff}]{0,20}",
        ) {
            if let Some(kept) = tidied(&text) {
                prop_assert_eq!(tidied(&kept), Some(kept.clone()));
                let letters = |text: &str| -> String {
                    text.chars().filter(|letter| "abא".contains(*letter)).collect()
                };
                prop_assert_eq!(letters(&kept), letters(&text));
                prop_assert!(kept.chars().all(|kept| "ab א".contains(kept)));
            }
        }
    }
}
