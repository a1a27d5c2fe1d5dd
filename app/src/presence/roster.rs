//! The list of the people in a room.

use std::fmt;

use super::{Difference, Digest, PresenceState, User, UserId, id_map::IdMap, rows::Rows};

/// The list of a room in order of arrival.
///
/// [`Roster::apply`] is the one function that changes a list, on both sides of the wire. A change takes
/// time logarithmic in the list's length.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    rows: Rows,
    digest: Digest,
    away: usize,
}

/// The difference does not apply to the list: an earlier one was missed or applied twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It changes or removes a row that is not in the list.
    Absent(UserId),
    /// It adds a row that is in the list, or removes or adds a row twice.
    Present(UserId),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(id) => write!(formatter, "{id} is not in the list"),
            Self::Present(id) => write!(formatter, "{id} is already in the list"),
        }
    }
}

impl std::error::Error for Mismatch {}

impl Roster {
    /// Applies `difference`; on a mismatch the list stays unchanged.
    ///
    /// ```
    /// use app::presence::{Difference, Mismatch, Name, PresenceState, Roster, User, UserId};
    ///
    /// let id: UserId = "uZ3kQ0a1b2c".parse()?;
    /// let name = Name::parse("Ana")?;
    /// let ana = User { id, name, joined: 1_795_421_000, state: PresenceState::Here };
    /// let join = Difference { new_user: vec![ana], ..Difference::default() };
    ///
    /// let mut roster = Roster::default();
    /// roster.apply(&join)?;
    /// assert_eq!(roster.get(&id).map(|user| user.name.as_str()), Some("Ana"));
    ///
    /// // A difference that does not fit changes nothing.
    /// assert_eq!(roster.apply(&join), Err(Mismatch::Present(id)));
    /// assert_eq!(roster.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&mut self, difference: &Difference) -> Result<(), Mismatch> {
        self.check(difference)?;
        for (_, id) in difference.disconnect_user.iter() {
            self.remove(id);
        }
        for (state, ids) in difference.user_changed.states() {
            for id in ids {
                self.update(id, |user| user.state = state);
            }
        }
        for renamed in &difference.user_changed.renamed {
            self.update(&renamed.id, |user| user.name = renamed.name.clone());
        }
        for user in &difference.new_user {
            self.push(user.clone());
        }
        Ok(())
    }

    /// A list of these rows, in this order.
    pub fn from_users(users: impl IntoIterator<Item = User>) -> Result<Self, Mismatch> {
        let mut roster = Self::default();
        for user in users {
            if roster.contains(&user.id) {
                return Err(Mismatch::Present(user.id));
            }
            roster.push(user);
        }
        Ok(roster)
    }

    /// The rows in order of arrival.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &User> + DoubleEndedIterator {
        self.rows.iter()
    }

    /// The row of `id`.
    pub fn get(&self, id: &UserId) -> Option<&User> {
        self.rows.get(id)
    }

    /// Whether `id` has a row.
    pub fn contains(&self, id: &UserId) -> bool {
        self.rows.contains(id)
    }

    /// How many rows there are, of every state.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many of them are away. Who reconnects still counts as here: a short break is no reason to change a headline.
    pub fn away(&self) -> usize {
        self.away
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// The digest of the rows.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    fn check(&self, difference: &Difference) -> Result<(), Mismatch> {
        // Maps of the type that the list uses anyway, and not sets: each type is more code in the browser.
        let mut removed = IdMap::default();
        for (_, id) in difference.disconnect_user.iter() {
            if !self.contains(id) {
                return Err(Mismatch::Absent(*id));
            }
            if removed.insert(*id, 0_u64).is_some() {
                return Err(Mismatch::Present(*id));
            }
        }
        let changed = &difference.user_changed;
        let with_new_state = changed.states().into_iter().flat_map(|(_, ids)| ids);
        let renamed = changed.renamed.iter().map(|renamed| &renamed.id);
        if let Some(id) =
            with_new_state.chain(renamed).find(|id| !self.contains(id) || removed.contains_key(*id))
        {
            return Err(Mismatch::Absent(*id));
        }
        let mut added = IdMap::default();
        for user in &difference.new_user {
            let is_present = self.contains(&user.id) && !removed.contains_key(&user.id);
            if is_present || added.insert(user.id, 0_u64).is_some() {
                return Err(Mismatch::Present(user.id));
            }
        }
        Ok(())
    }

    fn push(&mut self, user: User) {
        self.digest = self.digest.with(&user);
        self.away += usize::from(is_away(&user));
        self.rows.push(user);
    }

    fn remove(&mut self, id: &UserId) {
        if let Some(user) = self.rows.remove(id) {
            self.digest = self.digest.without(&user);
            self.away -= usize::from(is_away(&user));
        }
    }

    fn update(&mut self, id: &UserId, change: impl FnOnce(&mut User)) {
        if let Some(user) = self.rows.get_mut(id) {
            self.digest = self.digest.without(user);
            self.away -= usize::from(is_away(user));
            change(user);
            self.digest = self.digest.with(user);
            self.away += usize::from(is_away(user));
        }
    }
}

fn is_away(user: &User) -> bool {
    user.state == PresenceState::Away
}

/// Lists are equal if they have the same rows in the same order; places don't count.
impl PartialEq for Roster {
    fn eq(&self, other: &Self) -> bool {
        self.rows.iter().eq(other.rows.iter())
    }
}

impl Eq for Roster {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::presence::{Name, PresenceState, Renamed};

    fn id(number: u8) -> UserId {
        format!("user-----{number:02}").parse().unwrap()
    }

    fn user(number: u8) -> User {
        User {
            id: id(number),
            name: Name::parse(&format!("Name {number}")).unwrap(),
            joined: u64::from(number),
            state: PresenceState::Here,
        }
    }

    fn joined(numbers: &[u8]) -> Difference {
        Difference {
            new_user: numbers.iter().copied().map(user).collect(),
            ..Difference::default()
        }
    }

    fn closed(numbers: &[u8]) -> Difference {
        let mut difference = Difference::default();
        difference.disconnect_user.closed = numbers.iter().copied().map(id).collect();
        difference
    }

    fn ids(roster: &Roster) -> Vec<UserId> {
        roster.users().map(|user| user.id).collect()
    }

    #[test]
    fn rows_are_removed_then_changed_then_added() {
        let mut roster = Roster::from_users([user(1), user(2), user(3)]).unwrap();
        let mut difference = closed(&[1]);
        difference.user_changed.away.push(id(3));
        difference
            .user_changed
            .renamed
            .push(Renamed { id: id(3), name: Name::parse("Three").unwrap() });
        difference.new_user = vec![user(1), user(4)];
        roster.apply(&difference).unwrap();

        assert_eq!(ids(&roster), [id(2), id(3), id(1), id(4)]);
        let three = roster.get(&id(3)).unwrap();
        assert_eq!((three.name.as_str(), three.state), ("Three", PresenceState::Away));
        assert_eq!(roster.away(), 1);
        roster.apply(&closed(&[3])).unwrap();
        assert_eq!(roster.away(), 0);
    }

    #[test]
    fn a_departure_removes_the_right_one_of_two_equal_names() {
        let mut twin = user(2);
        twin.name = user(1).name;
        let mut roster = Roster::from_users([user(1), twin.clone()]).unwrap();
        roster.apply(&closed(&[1])).unwrap();
        assert_eq!(roster.users().collect::<Vec<_>>(), [&twin]);
    }

    #[test]
    fn a_list_with_a_duplicate_row_is_rejected() {
        assert_eq!(Roster::from_users([user(1), user(1)]), Err(Mismatch::Present(id(1))));
    }

    #[test]
    fn a_mismatch_names_the_row() {
        assert_eq!(Mismatch::Absent(id(1)).to_string(), "user-----01 is not in the list");
        assert_eq!(Mismatch::Present(id(2)).to_string(), "user-----02 is already in the list");
    }

    #[test]
    fn a_difference_that_does_not_apply_changes_nothing() {
        let mut twice_gone = closed(&[1]);
        twice_gone.disconnect_user.left.push(id(1));
        let mut changed_and_gone = closed(&[1]);
        changed_and_gone.user_changed.here.push(id(1));
        let mut unknown_renamed = joined(&[5]);
        unknown_renamed
            .user_changed
            .renamed
            .push(Renamed { id: id(9), name: Name::parse("x").unwrap() });
        let before = Roster::from_users([user(1), user(2)]).unwrap();
        for (difference, mismatch) in [
            (joined(&[3, 1]), Mismatch::Present(id(1))),
            (joined(&[3, 3]), Mismatch::Present(id(3))),
            (closed(&[2, 7]), Mismatch::Absent(id(7))),
            (twice_gone, Mismatch::Present(id(1))),
            (changed_and_gone, Mismatch::Absent(id(1))),
            (unknown_renamed, Mismatch::Absent(id(9))),
        ] {
            let mut roster = before.clone();
            assert_eq!(roster.apply(&difference), Err(mismatch), "{difference:?}");
            assert_eq!(roster, before);
            assert_eq!(roster.digest(), before.digest());
        }
    }

    fn any_difference() -> impl Strategy<Value = Difference> {
        let numbers = || prop::collection::vec(0..12_u8, 0..4);
        (numbers(), numbers(), numbers(), numbers()).prop_map(|(removed, away, renamed, added)| {
            let mut difference = joined(&added);
            difference.disconnect_user.lost = removed.into_iter().map(id).collect();
            difference.user_changed.away = away.into_iter().map(id).collect();
            difference.user_changed.renamed = renamed
                .into_iter()
                .map(|number| Renamed { id: id(number), name: Name::parse("New").unwrap() })
                .collect();
            difference
        })
    }

    proptest! {
        /// The other properties rely on this equality.
        #[test]
        fn lists_are_equal_if_and_only_if_their_rows_are(
            one in Just((0..4_u8).collect::<Vec<_>>()).prop_shuffle(),
            other in Just((0..4_u8).collect::<Vec<_>>()).prop_shuffle(),
            cut in 0..=4_usize,
            renamed in any::<bool>(),
        ) {
            let mut others: Vec<User> = other[..cut].iter().copied().map(user).collect();
            if renamed && let Some(last) = others.last_mut() {
                last.name = Name::parse("New").unwrap();
            }
            let ones: Vec<User> = one[..cut].iter().copied().map(user).collect();
            let rosters = [&ones, &others].map(|users| Roster::from_users(users.clone()).unwrap());
            prop_assert_eq!(rosters[0] == rosters[1], ones == others);
            prop_assert_eq!(rosters[0].is_empty(), cut == 0);
            let shorter = Roster::from_users(ones.iter().skip(1).cloned()).unwrap();
            prop_assert_eq!(rosters[0] == shorter, cut == 0);
        }

        /// The incremental digest equals the digest of a new list of the same rows.
        #[test]
        fn the_incremental_digest_is_that_of_the_rows(differences in prop::collection::vec(any_difference(), 0..40)) {
            let mut roster = Roster::default();
            for difference in &differences {
                let before = roster.clone();
                if roster.apply(difference).is_err() {
                    prop_assert_eq!(&roster, &before);
                }
                let rebuilt = Roster::from_users(roster.users().cloned()).unwrap();
                prop_assert_eq!(roster.digest(), rebuilt.digest());
                prop_assert_eq!(roster.len(), rebuilt.len());
                for user in rebuilt.users() {
                    prop_assert_eq!(roster.get(&user.id), Some(user));
                }
            }
        }

        /// A difference that adds or removes rows does not apply a second time.
        #[test]
        fn a_repeated_difference_is_a_mismatch(numbers in prop::collection::btree_set(0..12_u8, 1..5)) {
            let numbers: Vec<u8> = numbers.into_iter().collect();
            let mut roster = Roster::default();
            roster.apply(&joined(&numbers)).unwrap();
            prop_assert!(roster.apply(&joined(&numbers)).is_err());
            roster.apply(&closed(&numbers)).unwrap();
            prop_assert!(roster.apply(&closed(&numbers)).is_err());
        }
    }
}
