//! The number of sockets per person, over all rooms. Pure.

use std::collections::HashMap;

use super::{Rejection, rate_limit::Limit};
use crate::identity::person_cookie::Person;

/// The number of sockets per person; there is no entry for 0.
#[derive(Debug, Default)]
pub(super) struct PersonCounts(HashMap<Person, usize>);

impl PersonCounts {
    /// Counts a socket, unless the person has `most` already.
    pub(super) fn admit(&mut self, person: Person, most: Limit) -> Result<(), Rejection> {
        self.check(person, most)?;
        *self.0.entry(person).or_default() += 1;
        Ok(())
    }

    /// Whether the person may open one more socket.
    pub(super) fn check(&self, person: Person, most: Limit) -> Result<(), Rejection> {
        let sockets = self.0.get(&person).copied().unwrap_or_default();
        if most.allows_one_more_than(sockets) {
            Ok(())
        } else {
            Err(Rejection::TooManySocketsPerPerson)
        }
    }

    /// Counts down when a socket ends.
    pub(super) fn release(&mut self, person: Person) {
        if let Some(sockets) = self.0.get_mut(&person) {
            *sockets -= 1;
            if *sockets == 0 {
                self.0.remove(&person);
            }
        }
    }

    /// Frees memory that is no longer needed.
    pub(super) fn sweep(&mut self) {
        if self.0.len() < self.0.capacity() / 8 {
            self.0.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The limit holds for each person alone, and nothing is kept when all sockets have ended.
        #[test]
        fn each_person_has_up_to_the_limit(steps in prop::collection::vec((0..3_usize, any::<bool>()), 1..200)) {
            let most = Limit::at_most(4);
            let people = [1, 2, 3].map(|byte| Person::of([byte; 16]));
            let mut person_counts = PersonCounts::default();
            let mut counts = [0; 3];
            for (number, opens) in steps {
                if opens {
                    let admitted = person_counts.admit(people[number], most).is_ok();
                    prop_assert_eq!(admitted, counts[number] < 4);
                    counts[number] += usize::from(admitted);
                } else if counts[number] > 0 {
                    person_counts.release(people[number]);
                    counts[number] -= 1;
                }
            }
            for (person, count) in people.into_iter().zip(counts) {
                (0..count).for_each(|_| person_counts.release(person));
            }
            prop_assert!(person_counts.0.is_empty());
        }
    }
}
