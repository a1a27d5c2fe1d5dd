//! The lower case of letters, for comparing names.
//!
//! Unicode's full tables would be a tenth of what a browser loads.

/// The lower case of a letter, for the widely used scripts that have case.
///
/// Equal names in other scripts with case are only left without a mark.
pub(crate) fn to_lower_case(letter: char) -> char {
    let number = u32::from(letter);
    let lower = match letter {
        // Latin, Greek and Cyrillic, where the cases are in separate ranges.
        'A'..='Z' | 'À'..='Ö' | 'Ø'..='Þ' | 'Α'..='Ρ' | 'Σ'..='Ϋ' | 'А'..='Я' => {
            number + 32
        }
        'Ѐ'..='Џ' => number + 80,
        // Greek with an accent.
        'Ά' => 'ά'.into(),
        'Έ'..='Ί' => number + 37,
        'Ό' => 'ό'.into(),
        'Ύ' | 'Ώ' => number + 63,
        // Sigma at the end of a word.
        'ς' => 'σ'.into(),
        // Latin, Cyrillic and Vietnamese, where the cases alternate: even, then odd;
        'Ā'..='į'
        | 'Ĳ'..='ķ'
        | 'Ŋ'..='ŷ'
        | 'Ȁ'..='ȟ'
        | 'Ȣ'..='ȳ'
        | 'Ѡ'..='ҁ'
        | 'Ҋ'..='ҿ'
        | 'Ӑ'..='ԯ'
        | '\u{1e00}'..='\u{1e95}'
        | '\u{1ea0}'..='\u{1eff}' => number | 1,
        // or odd, then even.
        'Ĺ'..='ň' | 'Ź'..='ž' => (number + 1) & !1,
        _ => number,
    };
    char::from_u32(lower).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_case_agrees_with_unicode() {
        for letter in (0..0x2_0000).filter_map(char::from_u32).filter(|letter| *letter != 'ς') {
            let lower = to_lower_case(letter);
            let unicode: String = letter.to_lowercase().collect();
            assert!(lower == letter || unicode == lower.to_string(), "{letter} {lower}");
        }
    }
}
