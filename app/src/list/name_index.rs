//! Search and comparison keys of all names, computed once and not at every rendering.

use super::{name_key::NameKey, normalisation::typed_name, search_key::search_key};
use crate::presence::{Name, PresenceState, Roster, User, UserId};

/// The people of a list in order of arrival, with the keys of their names.
#[derive(Debug, Default)]
pub(crate) struct NameIndex {
    entries: Vec<Entry>,
}

/// The keys of one row's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The id of the row.
    pub(crate) id: UserId,
    /// The key for search and order.
    pub(crate) search_key: Box<str>,
    /// All their tabs are hidden.
    pub(crate) is_away: bool,
    /// The key that lookalikes share.
    pub(crate) key: NameKey,
    name: Name,
}

impl NameIndex {
    /// The index of this list.
    pub(crate) fn of(roster: &Roster) -> Self {
        let mut name_index = Self::default();
        name_index.sync(roster);
        name_index
    }

    /// Updates the index to this list; keys of unchanged names are kept.
    pub(crate) fn sync(&mut self, roster: &Roster) {
        // After a difference, the remaining rows are in the same order and new rows follow. After a
        // replaced list, more keys are computed again, with the same result.
        let mut users = roster.users().peekable();
        self.entries.retain_mut(|entry| {
            let Some(user) = users.next_if(|user| user.id == entry.id) else { return false };
            if user.name != entry.name {
                *entry = Entry::of(user);
            }
            entry.is_away = user.state == PresenceState::Away;
            true
        });
        // An eighth of spare capacity, and not twice the size: memory counts in a browser.
        if self.entries.capacity() < roster.len() {
            self.entries.reserve_exact(users.len() + roster.len() / 8);
        }
        self.entries.extend(users.map(Entry::of));
    }

    /// Whether somebody but `you` has this name or one that looks like it; not for what is no name.
    pub(crate) fn has_other(&self, typed: &str, you: Option<UserId>) -> bool {
        let Ok(name) = typed_name(typed) else { return false };
        let key = NameKey::of(&name);
        let is_alike = |entry: &Entry| entry.key.hashes().any(|hash| key.has(hash));
        self.entries.iter().any(|entry| Some(entry.id) != you && is_alike(entry))
    }

    /// All entries, in order of arrival.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl Entry {
    fn of(user: &User) -> Self {
        Self {
            id: user.id,
            search_key: search_key(user.name.as_str()).into(),
            is_away: user.state == PresenceState::Away,
            key: NameKey::of(&user.name),
            name: user.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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

    #[test]
    fn a_name_that_somebody_else_has_is_found_as_the_server_would_keep_it() {
        let user = |number: u8, name: &str| User {
            id: format!("user-----{number:02}").parse().unwrap(),
            name: Name::parse(name).unwrap(),
            joined: 0,
            state: PresenceState::Here,
        };
        let roster = Roster::from_users([user(0, "Ana María"), user(1, "Bo")]).unwrap();
        let name_index = NameIndex::of(&roster);
        let own = Some(user(1, "Bo").id);
        for typed in ["Ana María", " ana  marÍa ", "Ana Mari\u{301}a"] {
            assert!(name_index.has_other(typed, own), "{typed}");
        }
        for typed in ["", " ", "Ana", "Ana Maria", "Bo"] {
            assert!(!name_index.has_other(typed, own), "{typed}");
        }
        assert!(name_index.has_other("Bo", None));
    }

    proptest! {
        /// An index that is synced with one list after another equals a new index of each.
        #[test]
        fn a_synced_index_equals_a_new_one(lists in prop::collection::vec(any_list(), 1..6)) {
            let mut name_index = NameIndex::default();
            for list in lists {
                let expected: Vec<Entry> = list.iter().map(Entry::of).collect();
                name_index.sync(&Roster::from_users(list).unwrap());
                prop_assert_eq!(name_index.entries(), &expected[..]);
            }
        }
    }
}
