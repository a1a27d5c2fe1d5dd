//! Sorting and filtering the list.

use std::collections::BinaryHeap;

use super::{
    name_index::{Entry, NameIndex},
    search_key::search_key,
};
use crate::presence::{UserId, id_map::IdMap, single_spaced};

/// How many of the newest people a wall shows all the time, while the others take turns.
pub(crate) const NEWEST: usize = 4;

/// How many people a wall shows at once: as many as its style sheet has places for.
pub(crate) const MOST_ON_WALL: usize = 44;

/// The visitor's options for the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListOptions {
    /// Who is shown.
    pub(crate) shown: Shown,
    /// Who came last is first, and not in the order of names.
    pub(crate) is_newest_first: bool,
    /// Show only names that contain this search key; empty shows everyone.
    pub(crate) query: String,
    /// On a wall, where everyone is shown, the newest first: how many people after the first [`NEWEST`] were on earlier
    /// pages. They come last.
    pub(crate) wall: Option<usize>,
}

/// The people that a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Everyone.
    #[default]
    All,
    /// Those who are not away.
    Here,
    /// Those who are away.
    Away,
}

impl Shown {
    fn includes(self, entry: &Entry) -> bool {
        match self {
            Self::All => true,
            Self::Here => !entry.is_away,
            Self::Away => entry.is_away,
        }
    }
}

impl ListOptions {
    /// Whether everyone is shown.
    pub(crate) fn is_unfiltered(&self) -> bool {
        self.query.is_empty() && self.shown == Shown::All
    }

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

    /// The ids of the matching people, in order: the visitor, those who are here, those who are away, each by name or
    /// the newest first. In a search, names with a word that begins with the query come first.
    ///
    /// While the visitor looks at the list, `pinned` is the order in which it is shown: those rows keep
    /// their order, and new ones follow in the order of the options.
    pub(crate) fn arrange(
        &self,
        name_index: &NameIndex,
        you: Option<UserId>,
        pinned: Option<&[UserId]>,
    ) -> Vec<UserId> {
        if let Some(shown) = self.wall {
            return order_on_wall(name_index, shown);
        }
        let rank = |entry: &Entry| {
            let of_match = match_rank(&entry.search_key, &self.query)?;
            let of_state = if Some(entry.id) == you { 0 } else { 1 + u8::from(entry.is_away) };
            self.shown.includes(entry).then_some(3 * of_match + of_state)
        };
        let entries = (0_u32..)
            .zip(name_index.entries())
            .filter_map(|(number, entry)| Some((rank(entry)?, number, entry)));
        // Allocated once: growing by doubling would take up to three times the memory.
        let mut keys = Vec::with_capacity(name_index.entries().len());
        keys.extend(entries.map(|(rank, number, entry)| {
            if self.is_newest_first {
                (rank, 0, "", !number, entry.id)
            } else {
                // Of equal names the one that came first.
                let key = &*entry.search_key;
                (rank, leading_bytes(key), key, number, entry.id)
            }
        }));
        // A heap sorts with a tenth of the code of `sort`.
        let keys = BinaryHeap::from(keys).into_sorted_vec();
        let sorted = keys.into_iter().map(|(.., id)| id).collect();
        match pinned {
            Some(pinned) => pinned_first(pinned, sorted),
            None => sorted,
        }
    }
}

/// Everyone, the newest first; `shown` of those who follow the [`NEWEST`] are last.
fn order_on_wall(name_index: &NameIndex, shown: usize) -> Vec<UserId> {
    let newest_first = || name_index.entries().iter().rev().map(|entry| entry.id);
    let turned = newest_first().skip(NEWEST + shown);
    let shown = newest_first().skip(NEWEST).take(shown);
    newest_first().take(NEWEST).chain(turned).chain(shown).collect()
}

/// How well a search key matches a query: 0 if a word of it begins with the query, 1 if it is elsewhere in it; none if it
/// is not in it.
fn match_rank(search_key: &str, query: &str) -> Option<u8> {
    let query = query.as_bytes();
    // Without a query no name has to be searched.
    if query.is_empty() {
        return Some(0);
    }
    let key = search_key.as_bytes();
    let mut places = (0..).zip(key.windows(query.len())).filter(|(_, part)| *part == query);
    let (first, _) = places.next()?;
    let begins_word = |place: usize| place == 0 || key.get(place - 1) == Some(&b' ');
    Some(u8::from(!begins_word(first) && !places.any(|(place, _)| begins_word(place))))
}

/// The first 16 bytes of a key as one number: comparing it first decides most comparisons quickly.
fn leading_bytes(search_key: &str) -> u128 {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(search_key.bytes()) {
        *to = from;
    }
    u128::from_be_bytes(bytes)
}

fn pinned_first(pinned: &[UserId], found: Vec<UserId>) -> Vec<UserId> {
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

    fn options(is_newest_first: bool, query: &str) -> ListOptions {
        let mut options = ListOptions { is_newest_first, ..ListOptions::default() };
        options.set_query(query);
        options
    }

    fn arranged(roster: &Roster, options: &ListOptions, you: Option<UserId>) -> Vec<String> {
        names(roster, &options.arrange(&NameIndex::of(roster), you, None))
    }

    #[test]
    fn rows_are_in_the_order_of_names_or_the_newest_first_with_the_visitor_above() {
        let roster = roster(&NAMES);
        let by_name = arranged(&roster, &options(false, ""), None);
        assert_eq!(by_name, ["Ana", "Ana", "bo", "Émile", "zoe", "李"]);
        let order = options(false, "").arrange(&NameIndex::of(&roster), None, None);
        assert_eq!(order[..2], [user(1, "Ana").id, user(4, "Ana").id]);
        let newest_first = arranged(&roster, &options(true, ""), None);
        assert_eq!(newest_first, ["李", "Ana", "bo", "Émile", "Ana", "zoe"]);
        let you = Some(user(2, "Émile").id);
        let by_name = arranged(&roster, &options(false, ""), you);
        assert_eq!(by_name, ["Émile", "Ana", "Ana", "bo", "zoe", "李"]);
        let newest_first = arranged(&roster, &options(true, ""), you);
        assert_eq!(newest_first, ["Émile", "李", "Ana", "bo", "Ana", "zoe"]);
    }

    #[test]
    fn those_who_are_away_follow_and_can_be_shown_alone_or_left_out() {
        let away = |number: u8| if number < 2 { PresenceState::Away } else { PresenceState::Here };
        let users = (0..)
            .zip(NAMES)
            .map(|(number, name)| User { state: away(number), ..user(number, name) });
        let roster = Roster::from_users(users).unwrap();
        let shown =
            |shown| arranged(&roster, &ListOptions { shown, ..ListOptions::default() }, None);
        assert_eq!(shown(Shown::All), ["Ana", "bo", "Émile", "李", "Ana", "zoe"]);
        assert_eq!(shown(Shown::Here), ["Ana", "bo", "Émile", "李"]);
        assert_eq!(shown(Shown::Away), ["Ana", "zoe"]);
        // One who is away is first all the same in their own list.
        let you = Some(user(0, "zoe").id);
        let order = arranged(&roster, &ListOptions::default(), you);
        assert_eq!(order, ["zoe", "Ana", "bo", "Émile", "李", "Ana"]);
    }

    #[test]
    fn a_wall_shows_the_newest_all_the_time_and_the_others_in_turns() {
        let away = |number: u8| if number < 2 { PresenceState::Away } else { PresenceState::Here };
        let users = (0..8).map(|number| User { state: away(number), ..user(number, "Ana") });
        let roster = Roster::from_users(users).unwrap();
        let order = |shown| {
            let options = ListOptions { wall: Some(shown), ..ListOptions::default() };
            let order = options.arrange(&NameIndex::of(&roster), Some(user(3, "Ana").id), None);
            let numbers =
                order.iter().map(|id| (0..8).find(|number| user(*number, "Ana").id == *id));
            numbers.map(Option::unwrap).collect::<Vec<u8>>()
        };
        assert_eq!(order(0), [7, 6, 5, 4, 3, 2, 1, 0]);
        assert_eq!(order(3), [7, 6, 5, 4, 0, 3, 2, 1]);
        // People left since: everyone is shown all the same.
        assert_eq!(order(9), [7, 6, 5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn a_query_matches_any_part_of_a_name_whatever_its_case_and_accents() {
        let roster = roster(&NAMES);
        for (query, found) in [
            ("an", vec!["Ana", "Ana"]),
            ("EMI", vec!["Émile"]),
            ("  o ", vec!["bo", "zoe"]),
            ("李", vec!["李"]),
            ("nobody", vec![]),
            ("  ", vec!["Ana", "Ana", "bo", "Émile", "zoe", "李"]),
            ("e\u{301}mi", vec!["Émile"]),
            // Nothing that counts is typed, or more than a name can have.
            ("\u{301}", vec![]),
            ("\u{200d} \u{5b8}", vec![]),
            (&*"x".repeat(201), vec![]),
            (&*"a".repeat(100_000), vec![]),
        ] {
            assert_eq!(arranged(&roster, &options(false, query), None), found, "{query}");
        }
    }

    #[test]
    fn names_with_a_word_that_begins_with_the_query_come_first() {
        let roster = roster(&["Zoë Tanaka", "Hana", "Ana Yılmaz", "Maria Anand", "Bo"]);
        assert_eq!(
            arranged(&roster, &options(false, "ana"), None),
            ["Ana Yılmaz", "Maria Anand", "Hana", "Zoë Tanaka"]
        );
        // The first match is within a word, and a later one begins one.
        assert_eq!(match_rank("hana ana", "ana"), Some(0));
        assert_eq!(match_rank("hana", "ana"), Some(1));
        assert_eq!(match_rank("hana", "x"), None);
    }

    proptest! {
        /// Pinned rows keep their order, the others follow in theirs, and everyone is shown once.
        #[test]
        fn new_rows_follow_the_pinned_ones(
            before in prop::sample::subsequence((0..30_u8).collect::<Vec<_>>(), 0..30).prop_shuffle(),
            after in prop::sample::subsequence((0..30_u8).collect::<Vec<_>>(), 0..30).prop_shuffle(),
        ) {
            let by_name = options(false, "");
            let list = |numbers: &[u8]| {
                Roster::from_users(numbers.iter().map(|number| user(*number, NAMES[usize::from(number % 6)])))
                    .unwrap()
            };
            let pinned = by_name.arrange(&NameIndex::of(&list(&before)), None, None);
            let after = list(&after);
            let order = by_name.arrange(&NameIndex::of(&after), None, Some(&pinned));
            let stayed: Vec<_> = pinned.iter().copied().filter(|id| after.contains(id)).collect();
            prop_assert_eq!(&order[..stayed.len()], &stayed[..]);
            let sorted = by_name.arrange(&NameIndex::of(&after), None, None);
            let new: Vec<_> = sorted.into_iter().filter(|id| !stayed.contains(id)).collect();
            prop_assert_eq!(&order[stayed.len()..], &new[..]);
            let (mut all, mut expected) = (order, after.users().map(|user| user.id).collect::<Vec<_>>());
            all.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(all, expected);
        }

        #[test]
        fn sorting_keeps_every_row(
            numbers in prop::sample::subsequence((0..30_u8).collect::<Vec<_>>(), 0..30),
            is_newest_first: bool,
        ) {
            let list = numbers.iter().map(|number| user(*number, NAMES[usize::from(number % 6)]));
            let roster = Roster::from_users(list).unwrap();
            let order = options(is_newest_first, "").arrange(&NameIndex::of(&roster), None, None);
            prop_assert_eq!(order.len(), numbers.len());
            let search_key: Vec<String> = names(&roster, &order).iter().map(|name| search_key(name)).collect();
            prop_assert!(is_newest_first || search_key.is_sorted());
        }
    }
}
