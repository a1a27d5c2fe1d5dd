//! Removes what is pasted along with a name: characters that nobody sees and nobody typed.

use app::presence::single_spaced;

/// Marks of direction, places where a line may or must not break, and the byte order mark.
const PASTED_ALONG: [char; 7] =
    ['\u{ad}', '\u{61c}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}'];

/// Ends an embedding or an override (UAX #9, section 2.3).
const POP_DIRECTIONAL_FORMATTING: char = '\u{202c}';
/// Ends an isolate (UAX #9, section 2.5).
const POP_DIRECTIONAL_ISOLATE: char = '\u{2069}';

/// The text has a character that makes it appear in another order than it is stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text has a character that reverses text")]
pub(super) struct ReversedTextError;

/// The text without what is pasted along, and with single spaces.
///
/// Embeddings and isolates are removed where each wraps whole words, as programs put them around a name that
/// they insert into a sentence. Within a word they change the order of its letters, and without an end
/// the order of what follows.
pub(super) fn tidied(text: &str) -> Result<String, ReversedTextError> {
    let mut kept = String::with_capacity(text.len());
    // The ends that embeddings and isolates wait for, the innermost last.
    let mut ends = Vec::new();
    let mut is_after_end = false;
    for character in text.chars() {
        match character {
            '\u{202d}' | '\u{202e}' => return Err(ReversedTextError),
            '\u{202a}' | '\u{202b}' | '\u{2066}'..='\u{2068}' => {
                if kept.ends_with(|last: char| !last.is_whitespace()) {
                    return Err(ReversedTextError);
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
                    return Err(ReversedTextError);
                }
                is_after_end = true;
            }
            _ if PASTED_ALONG.contains(&character) => {}
            _ => {
                if is_after_end && !character.is_whitespace() {
                    return Err(ReversedTextError);
                }
                is_after_end = false;
                kept.push(character);
            }
        }
    }
    if !ends.is_empty() {
        return Err(ReversedTextError);
    }
    Ok(single_spaced(&kept))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn embedding_is_removed_where_it_wraps_whole_words() {
        for (text, expected) in [
            ("\u{202a}Ana Sousa\u{202c}", Ok("Ana Sousa")),
            ("Ana \u{2068}Sousa\u{2069}", Ok("Ana Sousa")),
            ("\u{2067}\u{202b}מרים\u{202c} כהן\u{2069}", Ok("מרים כהן")),
            ("\u{feff}\u{2066}Ana\u{200e}\u{2069}\u{200f}", Ok("Ana")),
            ("An\u{2066}a\u{2069}", Err(ReversedTextError)),
            ("\u{2066}An\u{2069}a", Err(ReversedTextError)),
            // It looks like "AB".
            ("\u{2067}\u{2066}B\u{2069}\u{2066}A\u{2069}\u{2069}", Err(ReversedTextError)),
            ("\u{2067}Ana\u{202c}", Err(ReversedTextError)),
            ("\u{202a}\u{2066}Ana\u{202c}\u{2069}", Err(ReversedTextError)),
            ("Ana\u{2069}", Err(ReversedTextError)),
            ("\u{202a}Ana", Err(ReversedTextError)),
            ("\u{202e}anA\u{202c}", Err(ReversedTextError)),
        ] {
            assert_eq!(tidied(text).as_deref(), expected.as_ref().copied(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn tidying_is_idempotent_and_keeps_every_other_character(
            text in "[ab א\u{3000}\u{ad}\u{200b}\u{200e}\u{202a}\u{202c}\u{2066}\u{2069}\u{feff}]{0,20}",
        ) {
            if let Ok(kept) = tidied(&text) {
                prop_assert_eq!(tidied(&kept), Ok(kept.clone()));
                let letters = |text: &str| -> String {
                    text.chars().filter(|letter| "abא".contains(*letter)).collect()
                };
                prop_assert_eq!(letters(&kept), letters(&text));
                prop_assert!(kept.chars().all(|kept| "ab א".contains(kept)));
            }
        }
    }
}
