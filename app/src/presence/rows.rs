//! The rows of a list: in order of arrival, and found by their ids.

use std::slice;

use super::{User, UserId, id_map::IdMap};

/// The rows of a list in order of arrival.
///
/// A removed row leaves a gap. Gaps are closed before they are more than half as many as the rows, so
/// a change costs the logarithm of the length, and closing gaps three moves for each removal.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// By place. Places only grow, so these are sorted.
    slots: Vec<(u64, Option<User>)>,
    place_of: IdMap,
    next_place: u64,
}

/// So few gaps are not worth closing.
const FEW: usize = 16;

impl Rows {
    /// Puts a row, whose id has none, behind the others.
    pub(super) fn push(&mut self, user: User) {
        self.place_of.insert(user.id, self.next_place);
        self.slots.push((self.next_place, Some(user)));
        self.next_place += 1;
    }

    /// Takes out the row of `id`.
    pub(super) fn remove(&mut self, id: &UserId) -> Option<User> {
        let place = self.place_of.remove(id)?;
        let index = self.index_of(place)?;
        let user = self.slots.get_mut(index)?.1.take();
        if self.slots.len() > self.len() + self.len() / 2 + FEW {
            self.close_gaps();
        }
        user
    }

    /// The row of `id`.
    pub(super) fn get(&self, id: &UserId) -> Option<&User> {
        let index = self.index_of(*self.place_of.get(id)?)?;
        self.slots.get(index)?.1.as_ref()
    }

    /// The row of `id`, whose id stays as it is.
    pub(super) fn get_mut(&mut self, id: &UserId) -> Option<&mut User> {
        let index = self.index_of(*self.place_of.get(id)?)?;
        self.slots.get_mut(index)?.1.as_mut()
    }

    /// Whether `id` has a row.
    pub(super) fn contains(&self, id: &UserId) -> bool {
        self.place_of.contains_key(id)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.place_of.len()
    }

    /// All of them.
    pub(super) fn iter(&self) -> Iter<'_> {
        Iter { slots: self.slots.iter(), left: self.len() }
    }

    fn index_of(&self, place: u64) -> Option<usize> {
        self.slots.binary_search_by(|(other, _)| other.cmp(&place)).ok()
    }

    fn close_gaps(&mut self) {
        self.slots.retain(|(_, row)| row.is_some());
        // A list that was much longer once gives back what it took.
        self.slots.shrink_to(2 * self.slots.len());
        if self.place_of.capacity() > 4 * (self.slots.len() + FEW) {
            let mut place_of = IdMap::default();
            for (place, row) in &self.slots {
                if let Some(user) = row {
                    place_of.insert(user.id, *place);
                }
            }
            self.place_of = place_of;
        }
    }
}

/// All rows in order of arrival.
#[derive(Clone, Debug)]
pub(super) struct Iter<'a> {
    slots: slice::Iter<'a, (u64, Option<User>)>,
    left: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a User;

    fn next(&mut self) -> Option<&'a User> {
        let user = self.slots.find_map(|(_, row)| row.as_ref())?;
        self.left -= 1;
        Some(user)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let user = self.slots.by_ref().rev().find_map(|(_, row)| row.as_ref())?;
        self.left -= 1;
        Some(user)
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::presence::{Name, PresenceState};

    fn id(number: u16) -> UserId {
        format!("user---{number:04}").parse().unwrap()
    }

    fn user(number: u16, joined: u64) -> User {
        let name = Name::parse("Kim").unwrap();
        User { id: id(number), name, joined, state: PresenceState::Here }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Come(u16),
        Go(u16),
        Change(u16),
        ManyCome(u16, u16),
        ManyGo(u16, u16),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        const NUMBERS: std::ops::Range<u16> = 0..200;
        prop_oneof![
            4 => NUMBERS.prop_map(Step::Come),
            4 => NUMBERS.prop_map(Step::Go),
            2 => NUMBERS.prop_map(Step::Change),
            1 => (NUMBERS, NUMBERS).prop_map(|(from, to)| Step::ManyCome(from, to)),
            1 => (NUMBERS, NUMBERS).prop_map(|(from, to)| Step::ManyGo(from, to)),
        ]
    }

    /// The same in sorted maps.
    #[derive(Default)]
    struct Model {
        rows: BTreeMap<u64, User>,
        place_of: BTreeMap<UserId, u64>,
        next_place: u64,
    }

    impl Model {
        fn push(&mut self, user: User) {
            self.place_of.insert(user.id, self.next_place);
            self.rows.insert(self.next_place, user);
            self.next_place += 1;
        }

        fn remove(&mut self, id: &UserId) -> Option<User> {
            self.rows.remove(&self.place_of.remove(id)?)
        }

        fn get_mut(&mut self, id: &UserId) -> Option<&mut User> {
            self.rows.get_mut(self.place_of.get(id)?)
        }
    }

    proptest! {
        #[test]
        fn rows_are_as_they_are_in_sorted_maps(
            steps in prop::collection::vec(any_step(), 0..100),
            is_from_front in prop::collection::vec(any::<bool>(), 200),
        ) {
            let (mut rows, mut model) = (Rows::default(), Model::default());
            for (time, step) in (0..).zip(steps) {
                let (come, go) = match step {
                    Step::Come(number) => (number..number + 1, 0..0),
                    Step::ManyCome(from, to) => (from..to, 0..0),
                    Step::Go(number) => (0..0, number..number + 1),
                    Step::ManyGo(from, to) => (0..0, from..to),
                    Step::Change(number) => {
                        let found = [rows.get_mut(&id(number)), model.get_mut(&id(number))];
                        found.into_iter().flatten().for_each(|row| row.joined = time);
                        (0..0, 0..0)
                    }
                };
                for number in come {
                    if !rows.contains(&id(number)) {
                        rows.push(user(number, time));
                        model.push(user(number, time));
                    }
                }
                for number in go {
                    prop_assert_eq!(rows.remove(&id(number)), model.remove(&id(number)));
                }
                prop_assert!(rows.slots.len() <= rows.len() + rows.len() / 2 + FEW);
                prop_assert_eq!(rows.len(), model.rows.len());
                prop_assert!(rows.iter().eq(model.rows.values()));
            }
            prop_assert!(rows.iter().rev().eq(model.rows.values().rev()));
            for number in 0..200 {
                prop_assert_eq!(rows.get(&id(number)), model.get_mut(&id(number)).map(|row| &*row));
                prop_assert_eq!(
                    rows.contains(&id(number)), model.place_of.contains_key(&id(number))
                );
            }
            // From both ends in any order, each is met once.
            let (mut met, mut expected) = (rows.iter(), model.rows.values());
            for is_from_front in is_from_front {
                prop_assert_eq!(met.len(), expected.len());
                if is_from_front {
                    prop_assert_eq!(met.next(), expected.next());
                } else {
                    prop_assert_eq!(met.next_back(), expected.next_back());
                }
            }
            prop_assert_eq!(met.next(), None);
        }
    }

    #[test]
    fn a_list_that_was_long_gives_back_its_memory() {
        let mut rows = Rows::default();
        for number in 0..9_000 {
            rows.push(user(number, 0));
        }
        for number in 0..8_990 {
            rows.remove(&id(number));
        }
        assert_eq!(rows.len(), 10);
        assert!(rows.slots.capacity() < 100, "{}", rows.slots.capacity());
        assert!(rows.place_of.capacity() < 200, "{}", rows.place_of.capacity());
    }
}
