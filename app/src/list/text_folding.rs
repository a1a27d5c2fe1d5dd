//! Letters as they are compared: without case, and for looking up without accents.
//!
//! Unicode's own tables would be a tenth of all that a browser loads.

/// A text as it is looked for and put in order: in lower case, and without the accents of Latin.
pub(crate) fn search_key(text: &str) -> String {
    text.chars().map(|letter| strip_accent(to_lower_case(letter))).collect()
}

/// The letter that stands for a small Latin one in the order of the alphabet.
fn strip_accent(letter: char) -> char {
    match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => 'i',
        'ĺ' | 'ļ' | 'ľ' | 'ł' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => 'o',
        'ŕ' | 'ŗ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => 's',
        'ţ' | 'ť' | 'ț' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        _ => letter,
    }
}

/// The lower case of a letter of the scripts that have one and are widely used.
///
/// Twins that Unicode's tables would find beyond these only go without a mark.
pub(crate) fn to_lower_case(letter: char) -> char {
    let number = u32::from(letter);
    let lower = match letter {
        // Latin, Greek and Cyrillic, where the cases stand apart.
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
        // Latin, Cyrillic and Vietnamese, where they stand side by side: even, then odd;
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
    fn letters_that_unicode_keeps_apart_stay_apart() {
        for letter in (0..0x2_0000).filter_map(char::from_u32).filter(|letter| *letter != 'ς') {
            let search_key = to_lower_case(letter);
            let unicode: String = letter.to_lowercase().collect();
            assert!(
                search_key == letter || unicode == search_key.to_string(),
                "{letter} {search_key}"
            );
        }
    }

    #[test]
    fn names_are_folded_to_what_is_typed() {
        for (name, plain) in [
            ("Jürgen Weiß-Çelik", "jurgen weiß-celik"),
            ("ŁUKASZ Żak", "lukasz zak"),
            ("Ørsted", "orsted"),
            ("Émile Zoë", "emile zoe"),
            ("ИРИНА", "ирина"),
            ("李小龍 🙂", "李小龍 🙂"),
        ] {
            assert_eq!(search_key(name), plain);
            assert_eq!(search_key(&search_key(name)), plain);
        }
    }
}
