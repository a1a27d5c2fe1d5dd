//! Who has the same name as someone else, so that the two can be told apart.

use super::folding::to_lower_case;
use crate::presence::{Name, Roster, UserId};

/// The names of a few rows that somebody else of the list bears too; names that differ only in case
/// count as the same.
///
/// A name is known by its hash: two that share one by accident only get a needless mark.
#[derive(Clone, Debug, Default)]
pub(crate) struct Namesakes {
    /// The hashes of the few names, and how many bear each.
    bearers: Vec<(u64, usize)>,
}

impl Namesakes {
    /// Counts the bearers of the names that these few have.
    pub(crate) fn of<'ids>(roster: &Roster, few: impl Iterator<Item = &'ids UserId>) -> Self {
        let mut bearers: Vec<(u64, usize)> = Vec::new();
        // Most of a long list is none of the few, which its last byte tells.
        let mut is_last_byte = [false; 256];
        for user in few.filter_map(|id| roster.get(id)) {
            let hash = folded_hash(&user.name);
            is_last_byte[usize::from(hash.to_le_bytes()[0])] = true;
            if !bearers.iter().any(|(other, _)| *other == hash) {
                bearers.push((hash, 0));
            }
        }
        for user in roster.users() {
            let hash = folded_hash(&user.name);
            if is_last_byte[usize::from(hash.to_le_bytes()[0])]
                && let Some((_, count)) = bearers.iter_mut().find(|(other, _)| *other == hash)
            {
                *count += 1;
            }
        }
        Self { bearers }
    }

    /// Whether more than one bears the name.
    pub(crate) fn has_twin(&self, name: &Name) -> bool {
        let hash = folded_hash(name);
        self.bearers.iter().any(|(other, count)| *other == hash && *count > 1)
    }
}

/// A short mark that tells someone from their twins: the first three letters or digits of the id.
pub(crate) fn twin_mark(id: &UserId) -> String {
    id.as_str().chars().filter(char::is_ascii_alphanumeric).take(3).collect()
}

/// 64-bit FNV-1a over the letters of a name in lower case.
fn folded_hash(name: &Name) -> u64 {
    let letters = name.as_str().chars().map(to_lower_case);
    letters.fold(0xcbf2_9ce4_8422_2325, |hash, letter| {
        (hash ^ u64::from(letter)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::{PresenceState, User};

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
        let roster = Roster::from_users(users).unwrap();
        Namesakes::of(&roster, roster.users().map(|user| &user.id))
    }

    #[test]
    fn twins_are_found_and_others_are_not() {
        let namesakes = namesakes(&["Kim", "Bo", "KIM", "Bob"]);
        assert!(namesakes.has_twin(&name("kim")));
        assert!(!namesakes.has_twin(&name("Bo")));
        assert!(!namesakes.has_twin(&name("nobody")));
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
    fn a_mark_is_three_letters_or_digits() {
        assert_eq!(twin_mark(&"-m_3f-xyzab".parse().unwrap()), "m3f");
        assert_eq!(twin_mark(&"-----------".parse().unwrap()), "");
    }
}
