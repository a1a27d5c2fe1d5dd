//! Finds people whose names are the same or look the same, so that their rows can be distinguished.

use super::{name_index::NameIndex, name_key::NameKey};
use crate::presence::{Name, UserId};

/// How many people of the list have each of a few names, or one that looks like it; names that differ
/// only in case count as the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lookalikes {
    /// The hashes of the few names, and how many people have each.
    counts: Vec<(u64, usize)>,
}

impl Lookalikes {
    /// Counts how many people have each of these few names.
    pub(crate) fn of<'few>(name_index: &NameIndex, few: impl Iterator<Item = &'few Name>) -> Self {
        let mut counts: Vec<(u64, usize)> = Vec::new();
        // Most names of a long list are none of the few: comparing the last byte first rules them out.
        let mut has_last_byte = [false; 256];
        for hash in few.flat_map(|name| NameKey::of(name).hashes()) {
            has_last_byte[usize::from(hash.to_le_bytes()[0])] = true;
            if !counts.iter().any(|(other, _)| *other == hash) {
                counts.push((hash, 0));
            }
        }
        for hash in name_index.entries().iter().flat_map(|entry| entry.key.hashes()) {
            if has_last_byte[usize::from(hash.to_le_bytes()[0])]
                && let Some((_, count)) = counts.iter_mut().find(|(other, _)| *other == hash)
            {
                *count += 1;
            }
        }
        Self { counts }
    }

    /// Whether more than one person has the name, or one that looks like it.
    pub(crate) fn has_lookalike(&self, name: &Name) -> bool {
        NameKey::of(name)
            .hashes()
            .any(|hash| self.counts.iter().any(|(other, count)| *other == hash && *count > 1))
    }
}

/// A short mark that distinguishes rows with the same name: the first three letters or digits of the id.
pub(crate) fn disambiguator(id: &UserId) -> String {
    id.as_str().chars().filter(char::is_ascii_alphanumeric).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::{PresenceState, Roster, User};

    fn id(number: usize) -> UserId {
        format!("user-----{number:02}").parse().unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn lookalikes(names: &[&str]) -> Lookalikes {
        lookalikes_of(names.iter().map(|text| name(text)))
    }

    fn lookalikes_of(names: impl Iterator<Item = Name>) -> Lookalikes {
        let users = names.enumerate().map(|(number, name)| User {
            id: id(number),
            name,
            joined: 0,
            state: PresenceState::Here,
        });
        let roster = Roster::from_users(users).unwrap();
        Lookalikes::of(&NameIndex::of(&roster), roster.users().map(|user| &user.name))
    }

    #[test]
    fn equal_names_are_lookalikes_and_others_are_not() {
        let lookalikes = lookalikes(&["Kim", "Bo", "KIM", "Bob"]);
        assert!(lookalikes.has_lookalike(&name("kim")));
        assert!(!lookalikes.has_lookalike(&name("Bo")));
        assert!(!lookalikes.has_lookalike(&name("nobody")));
    }

    #[test]
    fn names_that_look_alike_are_lookalikes() {
        let looking = |text, look| name(text).with_skeleton(Some(look));
        let list =
            [name("Paypal"), looking("раураl", "paypal"), looking("Ivan", "lvan"), name("Bo")];
        let lookalikes = lookalikes_of(list.iter().cloned());
        assert!(lookalikes.has_lookalike(&list[0]) && lookalikes.has_lookalike(&list[1]));
        assert!(!lookalikes.has_lookalike(&list[2]) && !lookalikes.has_lookalike(&list[3]));
        // A name is not its own lookalike.
        let alone = looking("ANA", "ana");
        assert!(!lookalikes_of([alone.clone()].into_iter()).has_lookalike(&alone));
        let both = [name("lvan"), looking("Ivan", "lvan"), name("ivan")];
        let lookalikes = lookalikes_of(both.iter().cloned());
        assert!(both.iter().all(|name| lookalikes.has_lookalike(name)));
    }

    #[test]
    fn names_that_differ_in_case_are_lookalikes() {
        for (one, other) in [
            ("Ирина Ђорђевић", "ИРИНА ЂОРЂЕВИЋ"),
            ("ÉVA", "éva"),
            ("Ωmega Άλφα Ώρα", "ωMEGA ΆΛΦΑ ΏΡΑ"),
            ("Γιώργος", "ΓΙΏΡΓΟΣ"),
            ("Łukasz Żak", "ŁUKASZ ŻAK"),
            ("Nguyễn", "NGUYỄN"),
        ] {
            assert!(lookalikes(&[one, other]).has_lookalike(&name(one)), "{one} {other}");
        }
        for (one, other) in [("a×", "a÷"), ("[", "{"), ("@", "`"), ("李", "杏"), ("م", "ن")] {
            assert!(!lookalikes(&[one, other]).has_lookalike(&name(one)), "{one} {other}");
        }
    }

    #[test]
    fn a_disambiguator_is_three_letters_or_digits() {
        assert_eq!(disambiguator(&"-m_3f-xyzab".parse().unwrap()), "m3f");
        assert_eq!(disambiguator(&"-----------".parse().unwrap()), "");
    }
}
