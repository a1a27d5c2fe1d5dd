//! Sorting and filtering the list.

use std::collections::BinaryHeap;

use super::{
    name_index::{Entry, NameIndex},
    search_key::search_key,
};
use crate::presence::{UserId, id_map::IdMap, single_spaced};

/// The visitor's options for the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListOptions {
    /// Sort by name, and not in order of arrival.
    pub(crate) is_by_name: bool,
    /// Show only names that contain this search key; empty shows everyone.
    pub(crate) query: String,
}

impl ListOptions {
    /// Sets the query to the search key of the typed text.
    pub(crate) fn set_query(&mut self, typed: &str) {
        let typed = single_spaced(typed);
        self.query = search_key(&typed);
        // Only an empty text is no query. One of accents alone has an empty key, and matches nobody: no key
        // of a name has what a search ignores.
        if self.query.is_empty() {
            self.query = typed;
        }
    }

    /// The ids of the matching people, in order.
    ///
    /// While the visitor looks at the list, `pinned` is the order in which it is shown: those rows keep
    /// their order, and new ones follow.
    pub(crate) fn arrange<'a>(
        &self,
        name_index: &'a NameIndex,
        pinned: Option<&[UserId]>,
    ) -> Vec<UserId> {
        let query = self.query.as_bytes();
        let found = name_index.entries().iter().filter(|entry| {
            // Without a query no name has to be searched.
            query.is_empty()
                || entry.search_key.as_bytes().windows(query.len()).any(|part| part == query)
        });
        match pinned {
            _ if !self.is_by_name => found.map(|entry| entry.id).collect(),
            Some(pinned) => pinned_first(pinned, found.map(|entry| entry.id)),
            None => {
                // A heap sorts with a tenth of the code of `sort`.
                let key = |entry: &'a Entry| {
                    (leading_bytes(&entry.search_key), &*entry.search_key, entry.id)
                };
                // Allocated once: growing by doubling would take up to three times the memory.
                let mut keys = Vec::with_capacity(name_index.entries().len());
                keys.extend(found.map(key));
                let keys = BinaryHeap::from(keys).into_sorted_vec();
                keys.into_iter().map(|(_, _, id)| id).collect()
            }
        }
    }
}

/// The first 16 bytes of a key as one number: comparing it first decides most comparisons quickly.
fn leading_bytes(search_key: &str) -> u128 {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(search_key.bytes()) {
        *to = from;
    }
    u128::from_be_bytes(bytes)
}

fn pinned_first(pinned: &[UserId], found: impl Iterator<Item = UserId>) -> Vec<UserId> {
    let found: Vec<UserId> = found.collect();
    // `collect` would add code for sorting first.
    let mut new = IdMap::default();
    for id in &found {
        new.insert(*id, 0_u64);
    }
    let mut order: Vec<UserId> =
        pinned.iter().copied().filter(|id| new.remove(id).is_some()).collect();
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
    fn rows_are_in_order_of_arrival_or_of_names() {
        let roster = roster(&NAMES);
        let arrived = options(false, "").arrange(&NameIndex::of(&roster), None);
        assert_eq!(names(&roster, &arrived), NAMES);
        let by_name = options(true, "").arrange(&NameIndex::of(&roster), None);
        assert_eq!(names(&roster, &by_name), ["Ana", "Ana", "bo", "Émile", "zoe", "李"]);
    }

    #[test]
    fn a_query_matches_any_part_of_a_name_whatever_its_case_and_accents() {
        let roster = roster(&NAMES);
        for (query, found) in [
            ("an", vec!["Ana", "Ana"]),
            ("EMI", vec!["Émile"]),
            ("  o ", vec!["zoe", "bo"]),
            ("李", vec!["李"]),
            ("nobody", vec![]),
            ("  ", NAMES.to_vec()),
            ("e\u{301}mi", vec!["Émile"]),
            // Nothing that counts is typed, or more than a name can have.
            ("\u{301}", vec![]),
            ("\u{200d} \u{5b8}", vec![]),
            (&*"x".repeat(201), vec![]),
            (&*"a".repeat(100_000), vec![]),
        ] {
            let order = options(false, query).arrange(&NameIndex::of(&roster), None);
            assert_eq!(names(&roster, &order), found, "{query}");
        }
    }

    proptest! {
        /// Pinned rows keep their order, and everyone is shown once.
        #[test]
        fn new_rows_follow_the_pinned_ones(
            before in prop::sample::subsequence((0..30_u8).collect::<Vec<_>>(), 0..30).prop_shuffle(),
            after in prop::sample::subsequence((0..30_u8).collect::<Vec<_>>(), 0..30).prop_shuffle(),
        ) {
            let by_name = options(true, "");
            let list = |numbers: &[u8]| {
                Roster::from_users(numbers.iter().map(|number| user(*number, NAMES[usize::from(number % 6)])))
                    .unwrap()
            };
            let pinned = by_name.arrange(&NameIndex::of(&list(&before)), None);
            let after = list(&after);
            let order = by_name.arrange(&NameIndex::of(&after), Some(&pinned));
            let stayed: Vec<_> = pinned.iter().copied().filter(|id| after.contains(id)).collect();
            prop_assert_eq!(&order[..stayed.len()], &stayed[..]);
            let (mut all, mut expected) = (order, after.users().map(|user| user.id).collect::<Vec<_>>());
            all.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(all, expected);
        }

        #[test]
        fn sorting_by_name_keeps_every_row(numbers in prop::sample::subsequence((0..30_u8).collect::<Vec<_>>(), 0..30)) {
            let list = numbers.iter().map(|number| user(*number, NAMES[usize::from(number % 6)]));
            let roster = Roster::from_users(list).unwrap();
            let order = options(true, "").arrange(&NameIndex::of(&roster), None);
            prop_assert_eq!(order.len(), numbers.len());
            let search_key: Vec<String> = names(&roster, &order).iter().map(|name| search_key(name)).collect();
            prop_assert!(search_key.is_sorted());
        }
    }
}
