//! Finds people whose names are the same or look the same, so that their rows can be distinguished.

use super::{name_index::NameIndex, name_key::NameKey};
use crate::presence::{Name, UserId};

/// The places of a few people among those of the list who have the same name, or one that looks like it, in order of
/// arrival; names that differ only in case count as the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lookalikes {
    /// Those who are not the first of their name.
    places: Vec<(UserId, usize)>,
}

impl Lookalikes {
    /// Finds the places of these few people.
    pub(crate) fn of<'few>(
        name_index: &NameIndex,
        few: impl Iterator<Item = (UserId, &'few Name)>,
    ) -> Self {
        let mut ids = Vec::new();
        // The hashes of the few names, and how many people had each so far.
        let mut counts: Vec<(u64, usize)> = Vec::new();
        // Most names of a long list are none of the few: comparing the last byte first rules them out.
        let mut has_last_byte = [false; 256];
        for (id, name) in few {
            ids.push(id);
            for hash in NameKey::of(name).hashes() {
                has_last_byte[usize::from(hash.to_le_bytes()[0])] = true;
                if !counts.iter().any(|(other, _)| *other == hash) {
                    counts.push((hash, 0));
                }
            }
        }
        let mut places = Vec::new();
        for entry in name_index.entries() {
            let mut earlier = 0;
            for hash in entry.key.hashes() {
                if has_last_byte[usize::from(hash.to_le_bytes()[0])]
                    && let Some((_, count)) = counts.iter_mut().find(|(other, _)| *other == hash)
                {
                    earlier = earlier.max(*count);
                    *count += 1;
                }
            }
            if earlier > 0 && ids.contains(&entry.id) {
                places.push((entry.id, earlier + 1));
            }
        }
        Self { places }
    }

    /// The place of this person among those of the same name; none for the first.
    pub(crate) fn place(&self, id: &UserId) -> Option<usize> {
        self.places.iter().find(|(other, _)| other == id).map(|(_, place)| *place)
    }
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

    fn places(names: &[&str]) -> Vec<Option<usize>> {
        places_of(&names.iter().map(|text| name(text)).collect::<Vec<_>>())
    }

    fn places_of(names: &[Name]) -> Vec<Option<usize>> {
        let users = names.iter().enumerate().map(|(number, name)| User {
            id: id(number),
            name: name.clone(),
            joined: 0,
            state: PresenceState::Here,
        });
        let roster = Roster::from_users(users).unwrap();
        let few = roster.users().map(|user| (user.id, &user.name));
        let lookalikes = Lookalikes::of(&NameIndex::of(&roster), few);
        (0..names.len()).map(|number| lookalikes.place(&id(number))).collect()
    }

    #[test]
    fn equal_names_are_numbered_in_order_of_arrival() {
        let expected = [None, None, Some(2), None, Some(3)];
        assert_eq!(places(&["Kim", "Bo", "KIM", "Bob", "kim"]), expected);
    }

    #[test]
    fn names_that_look_alike_are_numbered() {
        let looking = |text, look| name(text).with_skeleton(Some(look));
        let list =
            [name("Paypal"), looking("раураl", "paypal"), looking("Ivan", "lvan"), name("Bo")];
        assert_eq!(places_of(&list), [None, Some(2), None, None]);
        // A name is not its own lookalike.
        assert_eq!(places_of(&[looking("ANA", "ana")]), [None]);
        let three = [name("lvan"), looking("Ivan", "lvan"), name("ivan")];
        assert_eq!(places_of(&three)[..2], [None, Some(2)]);
        assert!(places_of(&three)[2].is_some());
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
            assert_eq!(places(&[one, other]), [None, Some(2)], "{one} {other}");
        }
        for (one, other) in [("a×", "a÷"), ("[", "{"), ("@", "`"), ("李", "杏"), ("م", "ن")] {
            assert_eq!(places(&[one, other]), [None, None], "{one} {other}");
        }
    }
}
