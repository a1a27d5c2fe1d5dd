//! In which order the rows stand, and which of them are looked for.

use std::collections::BinaryHeap;

use super::{
    name_index::{Entry, NameIndex},
    text_folding::search_key,
};
use crate::presence::{Name, UserId, id_map::IdMap};

/// What the visitor wants to see of the list, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListOptions {
    /// From A to Z, and not in order of arrival.
    pub(crate) is_by_name: bool,
    /// Only those whose names have this in them, folded as it is; everyone, where it is empty.
    pub(crate) query: String,
}

impl ListOptions {
    /// Looks for what the visitor typed.
    pub(crate) fn set_query(&mut self, typed: &str) {
        // What can't be a name is what nobody is called, or nothing.
        self.query = Name::parse(typed).map(|name| search_key(name.as_str())).unwrap_or_default();
    }

    /// Everyone who is to be shown, in order.
    ///
    /// Who `held` comes first, in that order, as far as they are still to be shown: somebody looks
    /// at them. Whoever came since stands behind them.
    pub(crate) fn arrange<'a>(
        &self,
        name_index: &'a NameIndex,
        held: Option<&[UserId]>,
    ) -> Vec<UserId> {
        let query = self.query.as_bytes();
        let found = name_index.entries().iter().filter(|entry| {
            // Most of the time everyone is, and there is no need to look at ten thousand names.
            query.is_empty()
                || entry.search_key.as_bytes().windows(query.len()).any(|part| part == query)
        });
        match held {
            _ if !self.is_by_name => found.map(|entry| entry.id).collect(),
            Some(held) => behind(held, found.map(|entry| entry.id)),
            None => {
                // A heap sorts in a tenth of the code of `sort`.
                let key =
                    |entry: &'a Entry| (beginning(&entry.search_key), &*entry.search_key, entry.id);
                // Room for everyone at once: one that doubles takes up to three times as much on its way.
                let mut named = Vec::with_capacity(name_index.entries().len());
                named.extend(found.map(key));
                let named = BinaryHeap::from(named).into_sorted_vec();
                named.into_iter().map(|(_, _, id)| id).collect()
            }
        }
    }
}

/// The first bytes of a name as one number: it puts names in the same order as they do, sooner.
fn beginning(search_key: &str) -> u128 {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(search_key.bytes()) {
        *to = from;
    }
    u128::from_be_bytes(bytes)
}

fn behind(held: &[UserId], found: impl Iterator<Item = UserId>) -> Vec<UserId> {
    let found: Vec<UserId> = found.collect();
    // Collecting would sort first, with code of its own.
    let mut new = IdMap::default();
    for id in &found {
        new.insert(*id, 0_u64);
    }
    let mut order: Vec<UserId> =
        held.iter().copied().filter(|id| new.remove(id).is_some()).collect();
    order.extend(found.into_iter().filter(|id| new.contains_key(id)));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::presence::{Name, PresenceState, Roster, User};

    const NAMES: [&str; 6] = ["zoe", "Ana", "Émile", "bo", "Ana", "李"];

    fn user(number: u8, name: &str) -> User {
        User {
            id: format!("user-----{number:02}").parse().unwrap(),
            name: Name::parse(name).unwrap(),
            joined: 0,
            state: PresenceState::Here,
        }
    }

    fn roster(names: &[&str]) -> Roster {
        Roster::from_users((0..).zip(names).map(|(number, name)| user(number, name))).unwrap()
    }

    fn names(roster: &Roster, order: &[UserId]) -> Vec<String> {
        order.iter().map(|id| roster.get(id).unwrap().name.to_string()).collect()
    }

    fn options(is_by_name: bool, query: &str) -> ListOptions {
        let mut options = ListOptions { is_by_name, ..ListOptions::default() };
        options.set_query(query);
        options
    }

    #[test]
    fn rows_stand_in_order_of_arrival_or_of_names() {
        let roster = roster(&NAMES);
        let arrived = options(false, "").arrange(&NameIndex::of(&roster), None);
        assert_eq!(names(&roster, &arrived), NAMES);
        let by_name = options(true, "").arrange(&NameIndex::of(&roster), None);
        assert_eq!(names(&roster, &by_name), ["Ana", "Ana", "bo", "Émile", "zoe", "李"]);
    }

    #[test]
    fn a_name_is_found_by_any_part_of_it_whatever_its_case_and_accents() {
        let roster = roster(&NAMES);
        for (query, found) in [
            ("an", vec!["Ana", "Ana"]),
            ("EMI", vec!["Émile"]),
            ("  o ", vec!["zoe", "bo"]),
            ("李", vec!["李"]),
            ("nobody", vec![]),
        ] {
            let order = options(false, query).arrange(&NameIndex::of(&roster), None);
            assert_eq!(names(&roster, &order), found, "{query}");
        }
    }

    proptest! {
        /// Whoever is looked at stays in place, and everyone is there once.
        #[test]
        fn who_comes_stands_behind_those_who_are_looked_at(
            before in prop::sample::subsequence((0..30_u8).collect::<Vec<_>>(), 0..30).prop_shuffle(),
            after in prop::sample::subsequence((0..30_u8).collect::<Vec<_>>(), 0..30).prop_shuffle(),
        ) {
            let by_name = options(true, "");
            let list = |numbers: &[u8]| {
                Roster::from_users(numbers.iter().map(|number| user(*number, NAMES[usize::from(number % 6)])))
                    .unwrap()
            };
            let held = by_name.arrange(&NameIndex::of(&list(&before)), None);
            let after = list(&after);
            let order = by_name.arrange(&NameIndex::of(&after), Some(&held));
            let stayed: Vec<_> = held.iter().copied().filter(|id| after.contains(id)).collect();
            prop_assert_eq!(&order[..stayed.len()], &stayed[..]);
            let (mut all, mut expected) = (order, after.users().map(|user| user.id).collect::<Vec<_>>());
            all.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(all, expected);
        }

        #[test]
        fn by_name_nobody_is_left_out(numbers in prop::sample::subsequence((0..30_u8).collect::<Vec<_>>(), 0..30)) {
            let list = numbers.iter().map(|number| user(*number, NAMES[usize::from(number % 6)]));
            let roster = Roster::from_users(list).unwrap();
            let order = options(true, "").arrange(&NameIndex::of(&roster), None);
            prop_assert_eq!(order.len(), numbers.len());
            let search_key: Vec<String> = names(&roster, &order).iter().map(|name| search_key(name)).collect();
            prop_assert!(search_key.is_sorted());
        }
    }
}
