//! What is worked out of each name once, and not at every drawing.

use super::{name_key::NameKey, text_folding::search_key};
use crate::presence::{Name, Roster, User, UserId};

/// Everyone of a list in order of arrival, with what their names are compared by.
#[derive(Debug, Default)]
pub(crate) struct NameIndex {
    entries: Vec<Entry>,
}

/// What is known of one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Who.
    pub(crate) id: UserId,
    /// The name as it is looked for and put in order.
    pub(crate) search_key: Box<str>,
    /// What their twins share with them.
    pub(crate) key: NameKey,
    name: Name,
}

impl NameIndex {
    /// What is known of everyone of this list.
    pub(crate) fn of(roster: &Roster) -> Self {
        let mut name_index = Self::default();
        name_index.sync(roster);
        name_index
    }

    /// Brings it to what the list says: of whoever is called as before, nothing is worked out again.
    pub(crate) fn sync(&mut self, roster: &Roster) {
        // Whoever stayed stands in the same order, and whoever is new stands behind them. Where that
        // is not so, because the list is another one, all is worked out again, and just as right.
        let mut users = roster.users().peekable();
        self.entries.retain_mut(|entry| {
            let Some(user) = users.next_if(|user| user.id == entry.id) else { return false };
            if user.name != entry.name {
                *entry = Entry::of(user);
            }
            true
        });
        // Room for an eighth more and not for as many again, so that a page holds what it needs.
        if self.entries.capacity() < roster.len() {
            self.entries.reserve_exact(users.len() + roster.len() / 8);
        }
        self.entries.extend(users.map(Entry::of));
    }

    /// Everyone, in order of arrival.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl Entry {
    fn of(user: &User) -> Self {
        Self {
            id: user.id,
            search_key: search_key(user.name.as_str()).into(),
            key: NameKey::of(&user.name),
            name: user.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::presence::PresenceState;

    const NAMES: [&str; 4] = ["Ana", "ÉMILE", "раураl", "李"];

    fn any_list() -> impl Strategy<Value = Vec<User>> {
        let numbers = prop::sample::subsequence((0..20_u8).collect::<Vec<_>>(), 0..20);
        (numbers.prop_shuffle(), prop::collection::vec(0..NAMES.len(), 20)).prop_map(
            |(numbers, names)| {
                let users = numbers.into_iter().zip(names);
                users
                    .map(|(number, name)| User {
                        id: format!("user-----{number:02}").parse().unwrap(),
                        name: Name::parse(NAMES[name]).unwrap(),
                        joined: 0,
                        state: PresenceState::Here,
                    })
                    .collect()
            },
        )
    }

    proptest! {
        /// Whatever it knew before, it says of each list what one says that knew nothing.
        #[test]
        fn it_is_what_the_list_says(lists in prop::collection::vec(any_list(), 1..6)) {
            let mut name_index = NameIndex::default();
            for list in lists {
                let expected: Vec<Entry> = list.iter().map(Entry::of).collect();
                name_index.sync(&Roster::from_users(list).unwrap());
                prop_assert_eq!(name_index.entries(), &expected[..]);
            }
        }
    }
}
