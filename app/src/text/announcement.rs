//! Announcements of joins and departures.

use super::{
    format::number,
    texts::{Piece, Text, pieces},
};
use crate::{
    client::removal::Departed,
    presence::{DepartureReason, Name, UserId},
};

/// A part of an announcement: each name gets an element of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text of the page.
    Words(String),
    /// A person's name.
    Name(Name),
}

/// The sentences about departures, in their order.
const DEPARTURES: [Text; 3] = [Text::Left, Text::Disconnected, Text::WasRemoved];

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
        let joined: Vec<_> = self.joined.iter().map(|(_, name)| name).collect();
        push_sentence(&mut parts, Text::FullStop, Text::Joined, &joined, in_short);
        for sentence in DEPARTURES {
            let names = self.names_departed(sentence);
            push_sentence(&mut parts, Text::FullStop, sentence, &names, in_short);
        }
        parts
    }

    /// The announcement after an outage; empty without changes.
    pub(crate) fn catch_up_parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let joined: Vec<_> = self.joined.iter().map(|(_, name)| name).collect();
        let departed: Vec<_> = self.departed.iter().map(|departed| &departed.name).collect();
        push_sentence(&mut parts, Text::Comma, Text::Joined, &joined, first_by_name);
        push_sentence(&mut parts, Text::Comma, Text::Left, &departed, first_by_name);
        if !parts.is_empty() {
            parts.insert(0, Part::Words(Text::WhileYouWereOffline.get().into()));
        }
        parts
    }

    fn names_departed(&self, sentence: Text) -> Vec<&Name> {
        let group = self.departed.iter().filter(|departed| departure(departed.reason) == sentence);
        group.map(|departed| &departed.name).collect()
    }
}

/// The sentence about people who departed for this reason; without one, the reason is unknown.
pub(crate) fn departure(reason: Option<DepartureReason>) -> Text {
    match reason {
        Some(DepartureReason::Left | DepartureReason::Closed) | None => Text::Left,
        Some(DepartureReason::Lost) => Text::Disconnected,
        Some(DepartureReason::Removed) => Text::WasRemoved,
    }
}

/// A sentence about these people, of whom there is at least one: up to two names, or their number.
#[cfg(feature = "ssr")]
pub(crate) fn sentence(text: Text, names: &[&Name]) -> Vec<Part> {
    fill(text.form(names.len()), &[in_short(names)])
}

/// The sentence about a person who changed their name.
pub(crate) fn renaming(before: &Name, after: &Name) -> Vec<Part> {
    fill(Text::Renamed.get(), &[before, after].map(|name| vec![Part::Name(name.clone())]))
}

/// Adds a sentence about these people, if there are any, after a separator, if it is not the first.
fn push_sentence(
    parts: &mut Vec<Part>,
    separator: Text,
    sentence: Text,
    names: &[&Name],
    subject: fn(&[&Name]) -> Vec<Part>,
) {
    if names.is_empty() {
        return;
    }
    if !parts.is_empty() {
        parts.push(Part::Words(separator.get().into()));
    }
    parts.extend(fill(sentence.form(names.len()), &[subject(names)]));
}

/// Up to two names, or the number of people.
fn in_short(names: &[&Name]) -> Vec<Part> {
    few(names).unwrap_or_else(|| vec![Part::Words(Text::People.count(names.len()))])
}

/// Up to two names, or the first and the number of others.
fn first_by_name(names: &[&Name]) -> Vec<Part> {
    few(names).unwrap_or_else(|| {
        let others = names.len().saturating_sub(1);
        let name = names.iter().take(1).map(|name| Part::Name((*name).clone()));
        let values = [name.collect(), vec![Part::Words(number(others))]];
        fill(Text::NameAndOthers.form(others), &values)
    })
}

fn few(names: &[&Name]) -> Option<Vec<Part>> {
    let part = |name: &Name| vec![Part::Name(name.clone())];
    match names {
        [name] => Some(part(name)),
        [first, second] => Some(fill(Text::TwoNames.get(), &[part(first), part(second)])),
        _ => None,
    }
}

/// The parts of a text with these values in place of its placeholders.
fn fill(words: &str, values: &[Vec<Part>]) -> Vec<Part> {
    let mut parts = Vec::new();
    for piece in pieces(words) {
        match piece {
            Piece::Words(words) => parts.push(Part::Words(words.into())),
            Piece::Value(index) => parts.extend(values.get(index).cloned().unwrap_or_default()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

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
