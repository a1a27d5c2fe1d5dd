//! Who has the same name as someone else, or one that looks the same, so that the two can be told apart.

use std::collections::HashMap;

use crate::presence::{Name, User, UserId};

/// How many bear each name of a list, and each look; names that differ only in case count as the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Namesakes {
    /// By a hash of the name: two names that share one by accident only get a needless mark.
    bearers: HashMap<u64, u32>,
}

impl Namesakes {
    /// Counts the names of these people.
    pub(crate) fn of<'user>(users: impl Iterator<Item = &'user User>) -> Self {
        let mut namesakes = Self::default();
        for user in users {
            for hash in hashes(&user.name) {
                *namesakes.bearers.entry(hash).or_default() += 1;
            }
        }
        namesakes
    }

    /// Whether more than one bears the name, or one that looks like it.
    pub(crate) fn has_twin(&self, name: &Name) -> bool {
        hashes(name).any(|hash| self.bearers.get(&hash).is_some_and(|count| *count > 1))
    }
}

/// A short mark that tells someone from their twins: the first three letters or digits of the id.
pub(crate) fn twin_mark(id: &UserId) -> String {
    id.as_str().chars().filter(char::is_ascii_alphanumeric).take(3).collect()
}

/// Of the name, and of what it looks like where that is something else: the server knows that, and says so.
fn hashes(name: &Name) -> impl Iterator<Item = u64> {
    let own = folded_hash(name.as_str());
    let look = name.look().map(folded_hash).filter(|look| *look != own);
    [Some(own), look].into_iter().flatten()
}

/// 64-bit FNV-1a over the letters of a name in lower case.
fn folded_hash(name: &str) -> u64 {
    let letters = name.chars().map(to_lower_case);
    letters.fold(0xcbf2_9ce4_8422_2325, |hash, letter| {
        (hash ^ u64::from(letter)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The lower case of a letter of the scripts that have one and are widely used.
///
/// Unicode's own tables would be a tenth of all that a browser loads, and twins that they would
/// find beyond these only go without a mark.
fn to_lower_case(letter: char) -> char {
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
    use crate::presence::PresenceState;

    fn id(number: usize) -> UserId {
        format!("user-----{number:02}").parse().unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn namesakes(names: &[&str]) -> Namesakes {
        let users: Vec<User> = names
            .iter()
            .enumerate()
            .map(|(number, text)| User {
                id: id(number),
                name: name(text),
                joined: 0,
                state: PresenceState::Here,
            })
            .collect();
        Namesakes::of(users.iter())
    }

    #[test]
    fn twins_are_found_and_others_are_not() {
        let namesakes = namesakes(&["Kim", "Bo", "KIM", "Bob"]);
        assert!(namesakes.has_twin(&name("kim")));
        assert!(!namesakes.has_twin(&name("Bo")));
        assert!(!namesakes.has_twin(&name("nobody")));
    }

    #[test]
    fn names_that_look_alike_are_twins() {
        let looking = |text, look| User {
            id: id(9),
            name: name(text).looking_like(Some(look)),
            joined: 0,
            state: PresenceState::Here,
        };
        let plain = |text| User { name: name(text), ..looking(text, text) };
        let list =
            [plain("Paypal"), looking("раураl", "paypal"), looking("Ivan", "lvan"), plain("Bo")];
        let namesakes = Namesakes::of(list.iter());
        assert!(namesakes.has_twin(&list[0].name) && namesakes.has_twin(&list[1].name));
        assert!(!namesakes.has_twin(&list[2].name) && !namesakes.has_twin(&list[3].name));
        // Nobody is their own twin.
        let alone = [looking("ANA", "ana")];
        assert!(!Namesakes::of(alone.iter()).has_twin(&alone[0].name));
        let both = [plain("lvan"), looking("Ivan", "lvan"), plain("ivan")];
        let namesakes = Namesakes::of(both.iter());
        assert!(both.iter().all(|user| namesakes.has_twin(&user.name)));
    }

    #[test]
    fn case_is_folded_in_the_scripts_that_have_it() {
        for (one, other) in [
            ("Ирина Ђорђевић", "ИРИНА ЂОРЂЕВИЋ"),
            ("ÉVA", "éva"),
            ("Ωmega Άλφα Ώρα", "ωMEGA ΆΛΦΑ ΏΡΑ"),
            ("Γιώργος", "ΓΙΏΡΓΟΣ"),
            ("Łukasz Żak", "ŁUKASZ ŻAK"),
            ("Nguyễn", "NGUYỄN"),
        ] {
            assert!(namesakes(&[one, other]).has_twin(&name(one)), "{one} {other}");
        }
        for (one, other) in [("a×", "a÷"), ("[", "{"), ("@", "`"), ("李", "杏"), ("م", "ن")] {
            assert!(!namesakes(&[one, other]).has_twin(&name(one)), "{one} {other}");
        }
    }

    #[test]
    fn letters_that_unicode_keeps_apart_stay_apart() {
        for letter in (0..0x2_0000).filter_map(char::from_u32).filter(|letter| *letter != 'ς') {
            let folded = to_lower_case(letter);
            let unicode: String = letter.to_lowercase().collect();
            assert!(folded == letter || unicode == folded.to_string(), "{letter} {folded}");
        }
    }

    #[test]
    fn a_mark_is_three_letters_or_digits() {
        assert_eq!(twin_mark(&"-m_3f-xyzab".parse().unwrap()), "m3f");
        assert_eq!(twin_mark(&"-----------".parse().unwrap()), "");
    }
}
