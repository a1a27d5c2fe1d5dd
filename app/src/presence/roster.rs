//! The list of who is here.

use std::fmt;

use super::{Difference, Digest, User, UserId, id_map::IdMap, rows::Rows};

/// The list of a room in order of arrival.
///
/// [`Roster::apply`] is the one function that changes a list, on both sides of the wire.
/// A change costs the logarithm of the list's length.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    rows: Rows,
    digest: Digest,
}

/// The difference does not fit the list: something in between was missed, or came twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It speaks of a row that is not there.
    Absent(UserId),
    /// It adds a row that is there, or speaks of one twice.
    Present(UserId),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(id) => write!(formatter, "{id} is not in the list"),
            Self::Present(id) => write!(formatter, "{id} is in the list already"),
        }
    }
}

impl std::error::Error for Mismatch {}

impl Roster {
    /// Brings the list forward by `difference`, wholly or, when it does not fit, not at all.
    pub fn apply(&mut self, difference: &Difference) -> Result<(), Mismatch> {
        self.check(difference)?;
        for (_, id) in difference.disconnect_user.iter() {
            self.remove(id);
        }
        for (state, ids) in difference.user_changed.states() {
            for id in ids {
                self.alter(id, |user| user.state = state);
            }
        }
        for renamed in &difference.user_changed.renamed {
            self.alter(&renamed.id, |user| user.name = renamed.name.clone());
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

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// The proof of what the list holds.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    fn check(&self, difference: &Difference) -> Result<(), Mismatch> {
        // Maps of the kind that the list has anyway, not sets: a browser loads the code of each kind.
        let mut gone = IdMap::default();
        for (_, id) in difference.disconnect_user.iter() {
            if !self.contains(id) {
                return Err(Mismatch::Absent(*id));
            }
            if gone.insert(*id, 0_u64).is_some() {
                return Err(Mismatch::Present(*id));
            }
        }
        let changed = &difference.user_changed;
        let stirred = changed.states().into_iter().flat_map(|(_, ids)| ids);
        let renamed = changed.renamed.iter().map(|renamed| &renamed.id);
        if let Some(id) =
            stirred.chain(renamed).find(|id| !self.contains(id) || gone.contains_key(*id))
        {
            return Err(Mismatch::Absent(*id));
        }
        let mut come = IdMap::default();
        for user in &difference.new_user {
            let is_present = self.contains(&user.id) && !gone.contains_key(&user.id);
            if is_present || come.insert(user.id, 0_u64).is_some() {
                return Err(Mismatch::Present(user.id));
            }
        }
        Ok(())
    }

    fn push(&mut self, user: User) {
        self.digest = self.digest.with(&user);
        self.rows.push(user);
    }

    fn remove(&mut self, id: &UserId) {
        if let Some(user) = self.rows.remove(id) {
            self.digest = self.digest.without(&user);
        }
    }

    fn alter(&mut self, id: &UserId, alteration: impl FnOnce(&mut User)) {
        if let Some(user) = self.rows.get_mut(id) {
            self.digest = self.digest.without(user);
            alteration(user);
            self.digest = self.digest.with(user);
        }
    }
}

/// Equal lists hold the same rows in the same order, however they came to it.
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
    fn rows_go_then_change_then_come() {
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
    }

    #[test]
    fn of_two_equal_names_exactly_the_one_goes() {
        let mut twin = user(2);
        twin.name = user(1).name;
        let mut roster = Roster::from_users([user(1), twin.clone()]).unwrap();
        roster.apply(&closed(&[1])).unwrap();
        assert_eq!(roster.users().collect::<Vec<_>>(), [&twin]);
    }

    #[test]
    fn a_list_with_a_row_twice_is_no_list() {
        assert_eq!(Roster::from_users([user(1), user(1)]), Err(Mismatch::Present(id(1))));
    }

    #[test]
    fn a_mismatch_says_whose_row_it_is() {
        assert_eq!(Mismatch::Absent(id(1)).to_string(), "user-----01 is not in the list");
        assert_eq!(Mismatch::Present(id(2)).to_string(), "user-----02 is in the list already");
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
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
        (numbers(), numbers(), numbers(), numbers()).prop_map(|(gone, away, renamed, come)| {
            let mut difference = joined(&come);
            difference.disconnect_user.lost = gone.into_iter().map(id).collect();
            difference.user_changed.away = away.into_iter().map(id).collect();
            difference.user_changed.renamed = renamed
                .into_iter()
                .map(|number| Renamed { id: id(number), name: Name::parse("New").unwrap() })
                .collect();
            difference
        })
    }

    proptest! {
        /// Equal are lists of equal rows in the same order, and no others: the other laws rely on it.
        #[test]
        fn lists_are_equal_as_their_rows_are(
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

        /// The digest that grew change by change is the digest of the rows.
        #[test]
        fn the_digest_is_that_of_the_rows(differences in prop::collection::vec(any_difference(), 0..40)) {
            let mut roster = Roster::default();
            for difference in &differences {
                let before = roster.clone();
                if roster.apply(difference).is_err() {
                    prop_assert_eq!(&roster, &before);
                }
                let afresh = Roster::from_users(roster.users().cloned()).unwrap();
                prop_assert_eq!(roster.digest(), afresh.digest());
                prop_assert_eq!(roster.len(), afresh.len());
                for user in afresh.users() {
                    prop_assert_eq!(roster.get(&user.id), Some(user));
                }
            }
        }

        /// A difference that was applied does not fit a second time, unless it only sets what is set.
        #[test]
        fn a_duplicate_is_found(numbers in prop::collection::btree_set(0..12_u8, 1..5)) {
            let numbers: Vec<u8> = numbers.into_iter().collect();
            let mut roster = Roster::default();
            roster.apply(&joined(&numbers)).unwrap();
            prop_assert!(roster.apply(&joined(&numbers)).is_err());
            roster.apply(&closed(&numbers)).unwrap();
            prop_assert!(roster.apply(&closed(&numbers)).is_err());
        }
    }
}
