//! Announcements of joins and departures.

use super::strings;
use crate::{
    client::removal::Departed,
    presence::{Name, UserId},
};

/// A part of an announcement: each name gets an element of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text of the page.
    Words(String),
    /// A person's name.
    Name(Name),
}

/// Up to how many people are named; more are counted.
const MOST_NAMES: usize = 2;

/// The verbs of departures, in the order of their sentences.
const DEPARTURE_VERBS: [&str; 3] = [strings::LEFT, strings::DISCONNECTED, strings::WAS_REMOVED];

/// The net joins and departures since the last announcement.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChangeSummary {
    joined: Vec<(UserId, Name)>,
    departed: Vec<Departed>,
}

impl ChangeSummary {
    /// Adds a join; it cancels a departure of the same person.
    pub(crate) fn joined(&mut self, id: UserId, name: Name) {
        let place = self.departed.iter().position(|departed| departed.id == id);
        match place {
            Some(place) => drop(self.departed.remove(place)),
            None => self.joined.push((id, name)),
        }
    }

    /// Adds a departure; it cancels a join of the same person.
    pub(crate) fn departed(&mut self, departed: Departed) {
        let place = self.joined.iter().position(|(id, _)| *id == departed.id);
        match place {
            Some(place) => drop(self.joined.remove(place)),
            None => self.departed.push(departed),
        }
    }

    /// Adds joins and departures; the departures came first.
    pub(crate) fn add(&mut self, joined: Vec<(UserId, Name)>, departed: Vec<Departed>) {
        for departed in departed {
            self.departed(departed);
        }
        for (id, name) in joined {
            self.joined(id, name);
        }
    }

    /// Whether this person joined or departed in it.
    pub(crate) fn mentions(&self, id: &UserId) -> bool {
        self.joined.iter().any(|(joined, _)| joined == id)
            || self.departed.iter().any(|departed| departed.id == *id)
    }

    /// Adds the changes of a later summary.
    pub(crate) fn merge(&mut self, later: Self) {
        for departed in later.departed {
            if self.departed.iter().all(|known| known.id != departed.id) {
                self.departed(departed);
            }
        }
        for (id, name) in later.joined {
            if self.joined.iter().all(|(known, _)| *known != id) {
                self.joined(id, name);
            }
        }
    }

    /// Whether there are no net changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.joined.is_empty() && self.departed.is_empty()
    }

    /// The announcement; empty without changes.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let names: Vec<_> = self.joined.iter().map(|(_, name)| name).collect();
        push_sentence(&mut parts, &names, strings::JOINED);
        for verb in DEPARTURE_VERBS {
            push_sentence(&mut parts, &self.names_departed(verb), verb);
        }
        parts
    }

    /// The announcement after an outage; empty without changes.
    pub(crate) fn catch_up_parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let joined: Vec<_> = self.joined.iter().map(|(_, name)| name).collect();
        let departed: Vec<_> = self.departed.iter().map(|departed| &departed.name).collect();
        for (names, verb) in [(joined, strings::JOINED), (departed, strings::LEFT)] {
            let Some((first, others)) = names.split_first() else { continue };
            let start =
                if parts.is_empty() { strings::WHILE_YOU_WERE_OFFLINE } else { strings::COMMA };
            parts.push(Part::Words(start.into()));
            parts.push(Part::Name((*first).clone()));
            match others {
                [] => {}
                [other] => {
                    parts.push(Part::Words(strings::AND.into()));
                    parts.push(Part::Name((*other).clone()));
                }
                _ => parts.push(Part::Words(strings::and_others(others.len()))),
            }
            parts.push(Part::Words(verb.into()));
        }
        parts
    }

    fn names_departed(&self, verb: &str) -> Vec<&Name> {
        let group =
            self.departed.iter().filter(|departed| strings::departed(departed.reason) == verb);
        group.map(|departed| &departed.name).collect()
    }
}

/// Adds a sentence.
fn push_sentence(parts: &mut Vec<Part>, people: &[&Name], verb: &str) {
    if people.is_empty() {
        return;
    }
    if !parts.is_empty() {
        parts.push(Part::Words(strings::FULL_STOP.into()));
    }
    if people.len() <= MOST_NAMES {
        for (index, name) in people.iter().enumerate() {
            if index > 0 {
                parts.push(Part::Words(strings::AND.into()));
            }
            parts.push(Part::Name((*name).clone()));
        }
    } else {
        parts.push(Part::Words(strings::people(people.len())));
    }
    parts.push(Part::Words(verb.into()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::DepartureReason;

    fn id(number: u8) -> UserId {
        format!("user-----{number:02}").parse().unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn gone(number: u8, text: &str, reason: Option<DepartureReason>) -> Departed {
        Departed { id: id(number), name: name(text), reason }
    }

    fn words(parts: Vec<Part>) -> String {
        let parts = parts.into_iter();
        parts
            .map(|part| match part {
                Part::Words(words) => words,
                Part::Name(name) => name.to_string(),
            })
            .collect()
    }

    #[test]
    fn few_people_are_named_and_many_are_counted() {
        let mut summary = ChangeSummary::default();
        assert_eq!(words(summary.parts()), "");
        summary.joined(id(1), name("Ana"));
        assert!(summary.mentions(&id(1)) && !summary.mentions(&id(2)));
        assert_eq!(words(summary.parts()), "Ana joined");
        summary.joined(id(2), name("Bo"));
        assert_eq!(words(summary.parts()), "Ana and Bo joined");
        summary.departed(gone(90, "Kim", Some(DepartureReason::Left)));
        assert_eq!(words(summary.parts()), "Ana and Bo joined. Kim left");
        assert!(summary.mentions(&id(90)));
        for number in 3..38 {
            summary.joined(id(number), name("Someone"));
        }
        assert_eq!(words(summary.parts()), "37 people joined. Kim left");
    }

    #[test]
    fn departures_are_grouped_by_what_happened() {
        let mut summary = ChangeSummary::default();
        let reasons = [
            Some(DepartureReason::Lost),
            Some(DepartureReason::Closed),
            Some(DepartureReason::Removed),
            Some(DepartureReason::Lost),
            Some(DepartureReason::Left),
        ];
        for ((number, text), reason) in (0..).zip(["Ana", "Bo", "Cy", "Di", "Ed"]).zip(reasons) {
            summary.departed(gone(number, text, reason));
        }
        assert_eq!(
            words(summary.parts()),
            "Bo and Ed left. Ana and Di disconnected. Cy was removed"
        );
    }

    #[test]
    fn two_outages_are_merged_into_one_line() {
        let mut first = ChangeSummary::default();
        first.joined(id(1), name("Ana"));
        first.joined(id(2), name("Bo"));
        let mut second = ChangeSummary::default();
        second.departed(gone(2, "Bo", None));
        second.departed(gone(3, "Cy", None));
        second.joined(id(1), name("Ana"));
        first.merge(second);
        let expected = "While you were offline: Ana joined, Cy left";
        assert_eq!(words(first.catch_up_parts()), expected);
        // Cy left, was back in between, and left again.
        let mut third = ChangeSummary::default();
        third.departed(gone(3, "Cy", None));
        first.merge(third);
        assert_eq!(words(first.catch_up_parts()), expected);
        let mut fourth = ChangeSummary::default();
        fourth.joined(id(3), name("Cy"));
        fourth.departed(gone(1, "Ana", None));
        first.merge(fourth);
        assert!(first.is_empty());
    }

    #[test]
    fn changes_of_an_outage_are_one_line() {
        let mut summary = ChangeSummary::default();
        assert_eq!(summary.catch_up_parts(), []);
        summary.departed(gone(9, "Bo", None));
        assert_eq!(words(summary.catch_up_parts()), "While you were offline: Bo left");
        summary.joined(id(0), name("Ana"));
        summary.joined(id(1), name("Cy"));
        assert_eq!(
            words(summary.catch_up_parts()),
            "While you were offline: Ana and Cy joined, Bo left"
        );
        summary.joined(id(2), name("Di"));
        summary.joined(id(3), name("Ed"));
        assert_eq!(
            words(summary.catch_up_parts()),
            "While you were offline: Ana and 3 others joined, Bo left"
        );
    }

    #[test]
    fn a_person_who_joins_and_leaves_at_once_is_not_mentioned() {
        let mut summary = ChangeSummary::default();
        summary.joined(id(1), name("Ana"));
        summary.departed(gone(1, "Ana", None));
        summary.departed(gone(2, "Bo", None));
        summary.joined(id(2), name("Bo"));
        assert!(summary.is_empty());
        assert_eq!(words(summary.parts()), "");
    }
}
