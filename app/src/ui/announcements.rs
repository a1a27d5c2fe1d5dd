//! What is said aloud of those who come and go.

use super::texts;
use crate::presence::{Name, UserId};

/// A part of something said: a name stands in an element of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Words of ours.
    Words(String),
    /// What someone is called.
    Name(Name),
}

/// How many are called by their names; more are only counted.
const MOST_NAMES: usize = 2;

/// Who came and who went since something was last said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathering {
    joined: Vec<(UserId, Name)>,
    left: Vec<(UserId, Name)>,
}

impl Gathering {
    /// Someone came; who went only a moment ago was never missed.
    pub(crate) fn joined(&mut self, id: UserId, name: Name) {
        if !take_out(&mut self.left, id) {
            self.joined.push((id, name));
        }
    }

    /// Someone went; who came only a moment ago was never noticed.
    pub(crate) fn left(&mut self, id: UserId, name: Name) {
        if !take_out(&mut self.joined, id) {
            self.left.push((id, name));
        }
    }

    /// Whether there is nothing to say.
    pub(crate) fn is_empty(&self) -> bool {
        self.joined.is_empty() && self.left.is_empty()
    }

    /// What to say of all that; nothing where nothing happened.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        tell(&mut parts, &self.joined, texts::JOINED);
        if !self.joined.is_empty() && !self.left.is_empty() {
            parts.push(Part::Words(texts::FULL_STOP.into()));
        }
        tell(&mut parts, &self.left, texts::LEFT);
        parts
    }
}

fn take_out(people: &mut Vec<(UserId, Name)>, id: UserId) -> bool {
    let place = people.iter().position(|(other, _)| *other == id);
    place.map(|place| people.remove(place)).is_some()
}

fn tell(parts: &mut Vec<Part>, people: &[(UserId, Name)], what_they_did: &str) {
    if people.is_empty() {
        return;
    }
    if people.len() <= MOST_NAMES {
        for (index, (_, name)) in people.iter().enumerate() {
            if index > 0 {
                parts.push(Part::Words(texts::AND.into()));
            }
            parts.push(Part::Name(name.clone()));
        }
    } else {
        parts.push(Part::Words(texts::people(people.len())));
    }
    parts.push(Part::Words(what_they_did.into()));
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

    fn said(gathering: &Gathering) -> String {
        let parts = gathering.parts().into_iter();
        parts
            .map(|part| match part {
                Part::Words(words) => words,
                Part::Name(name) => name.to_string(),
            })
            .collect()
    }

    #[test]
    fn few_are_named_and_many_are_counted() {
        let mut gathering = Gathering::default();
        assert_eq!(said(&gathering), "");
        gathering.joined(id(1), name("Ana"));
        assert_eq!(said(&gathering), "Ana joined");
        gathering.joined(id(2), name("Bo"));
        assert_eq!(said(&gathering), "Ana and Bo joined");
        gathering.left(id(90), name("Kim"));
        assert_eq!(said(&gathering), "Ana and Bo joined. Kim left");
        for number in 3..38 {
            gathering.joined(id(number), name("Someone"));
        }
        assert_eq!(said(&gathering), "37 people joined. Kim left");
    }

    #[test]
    fn who_only_passed_by_is_not_mentioned() {
        let mut gathering = Gathering::default();
        gathering.joined(id(1), name("Ana"));
        gathering.left(id(1), name("Ana"));
        gathering.left(id(2), name("Bo"));
        gathering.joined(id(2), name("Bo"));
        assert_eq!(said(&gathering), "");
    }
}
