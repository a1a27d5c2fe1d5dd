//! Whom this program let join and leave: what every list is judged by.

use std::{collections::HashMap, time::Instant};

use app::presence::{DepartureReason, PresenceState, User, UserId};

/// Names one person of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonIndex(u32);

impl PersonIndex {
    /// The place in a vector with one entry for each person.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Names one thing that was made to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChangeIndex(usize);

/// What was made to happen to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It came.
    Joined,
    /// It went.
    Departed(DepartureReason),
    /// It looks different.
    Became(PresenceState),
}

/// What this program made happen, and what came of it.
#[derive(Debug, Default)]
pub struct Truth {
    persons: Vec<Person>,
    by_name: HashMap<Box<str>, PersonIndex>,
    by_id: HashMap<UserId, PersonIndex>,
    changes: Vec<Change>,
    listed: usize,
    version: u64,
}

#[derive(Debug)]
struct Person {
    name: Box<str>,
    id: Option<UserId>,
    /// The row that they should have once all is told.
    expected: Option<PresenceState>,
    changes: Vec<ChangeIndex>,
}

#[derive(Debug)]
struct Change {
    what: ChangeKind,
    sent: Instant,
    /// It has a number above this one in the room's count.
    after: u64,
    /// And at most this one, once somebody was told.
    by: Option<u64>,
    /// When the first client was told.
    first_seen: Option<Instant>,
}

impl Truth {
    /// Someone new, who is not listed yet.
    pub fn add_person(&mut self, name: &str) -> PersonIndex {
        let person = PersonIndex(u32::try_from(self.persons.len()).unwrap_or(u32::MAX));
        self.by_name.insert(name.into(), person);
        self.persons.push(Person {
            name: name.into(),
            id: None,
            expected: None,
            changes: Vec::new(),
        });
        person
    }

    /// Notes what is being made to happen at `now`.
    pub fn record(&mut self, who: PersonIndex, what: ChangeKind, now: Instant) -> ChangeIndex {
        let index = ChangeIndex(self.changes.len());
        self.version += 1;
        let Some(person) = self.persons.get_mut(who.as_usize()) else { return index };
        let last = person.changes.last().and_then(|last| self.changes.get(last.0));
        let after = last.map_or(0, |last| last.by.unwrap_or(last.after));
        person.changes.push(index);
        self.changes.push(Change { what, sent: now, after, by: None, first_seen: None });
        let was_listed = person.expected.is_some();
        person.expected = match what {
            ChangeKind::Joined => Some(PresenceState::Here),
            ChangeKind::Departed(_) => None,
            ChangeKind::Became(state) => person.expected.map(|_| state),
        };
        self.listed += usize::from(person.expected.is_some());
        self.listed -= usize::from(was_listed);
        index
    }

    /// Moves whenever something is made to happen.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many people there are, listed or not.
    pub fn persons(&self) -> usize {
        self.persons.len()
    }

    /// How many should be listed once all is told.
    pub fn listed(&self) -> usize {
        self.listed
    }

    /// The row that a person should have once all is told.
    pub fn expected(&self, who: PersonIndex) -> Option<PresenceState> {
        self.persons.get(who.as_usize()).and_then(|person| person.expected)
    }

    /// What a person is called.
    pub fn name(&self, who: PersonIndex) -> &str {
        self.persons.get(who.as_usize()).map_or("nobody", |person| &person.name)
    }

    /// When a change was made to happen.
    pub fn sent(&self, change: ChangeIndex) -> Option<Instant> {
        self.changes.get(change.0).map(|change| change.sent)
    }

    /// The server says that this is a person's id: it must be so for ever, and nobody else's.
    pub fn identify(&mut self, who: PersonIndex, id: UserId) -> Result<(), String> {
        let known = self.persons.get(who.as_usize()).and_then(|person| person.id);
        let owner = self.by_id.get(&id).copied();
        if known.is_some_and(|known| known != id) || owner.is_some_and(|owner| owner != who) {
            return Err(format!(
                "{} has the id {id}, which is not theirs: {}",
                self.name(who),
                owner.map_or("they had another", |owner| self.name(owner)),
            ));
        }
        if let Some(person) = self.persons.get_mut(who.as_usize()) {
            person.id = Some(id);
            self.by_id.insert(id, who);
        }
        Ok(())
    }

    /// Whose id this is.
    pub fn person_of(&self, id: &UserId) -> Result<PersonIndex, String> {
        self.by_id.get(id).copied().ok_or_else(|| format!("nobody has the id {id}"))
    }

    /// Whose row this is: name and id must belong together.
    pub fn owner_of(&mut self, row: &User) -> Result<PersonIndex, String> {
        let who = *self
            .by_name
            .get(row.name.as_str())
            .ok_or_else(|| format!("nobody is called {:?}", row.name.as_str()))?;
        self.identify(who, row.id)?;
        Ok(who)
    }

    /// Finds what was made to happen when the server tells of `what` between two points of its count.
    pub fn attribute(
        &mut self,
        who: PersonIndex,
        has_seen_own_change: impl Fn(ChangeKind) -> bool,
        (from, to): (u64, u64),
        now: Instant,
    ) -> Result<ChangeIndex, String> {
        let changes = self.persons.get(who.as_usize()).map(|person| person.changes.as_slice());
        for index in changes.unwrap_or_default().iter().rev() {
            let Some(change) = self.changes.get_mut(index.0) else { continue };
            if has_seen_own_change(change.what)
                && change.after < to
                && change.by.is_none_or(|by| by > from)
            {
                change.by = Some(change.by.map_or(to, |by| by.min(to)));
                change.first_seen.get_or_insert(now);
                return Ok(*index);
            }
        }
        Err(format!("between {from} and {to} nobody made this happen to {}", self.name(who)))
    }

    /// Whether rows stand in an order that cannot be: one whose join was not even sent when the other
    /// was told to somebody stands before it.
    pub fn impossible_order(&self, order: impl Iterator<Item = PersonIndex>) -> Option<String> {
        let mut latest: Option<(PersonIndex, Instant)> = None;
        for who in order {
            let join = self.last_join(who)?;
            if let (Some((before, sent)), Some(told)) = (latest, join.first_seen)
                && told < sent
            {
                return Some(format!(
                    "{} stands before {}, who had joined long before",
                    self.name(before),
                    self.name(who)
                ));
            }
            if latest.is_none_or(|(_, sent)| sent < join.sent) {
                latest = Some((who, join.sent));
            }
        }
        None
    }

    fn last_join(&self, who: PersonIndex) -> Option<&Change> {
        let changes = &self.persons.get(who.as_usize())?.changes;
        let mut changes = changes.iter().rev().filter_map(|index| self.changes.get(index.0));
        changes.find(|change| change.what == ChangeKind::Joined)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use app::presence::Name;

    use super::*;

    const LEFT: ChangeKind = ChangeKind::Departed(DepartureReason::Left);

    fn id(number: u8) -> UserId {
        format!("person---{number:02}").parse().unwrap()
    }

    fn row(number: u8, name: &str) -> User {
        let name = Name::parse(name).unwrap();
        User { id: id(number), name, joined: 1, state: PresenceState::Here }
    }

    /// Ana and Bo, and moments one after the other.
    fn two() -> (Truth, [PersonIndex; 2], impl Fn(u64) -> Instant) {
        let mut truth = Truth::default();
        let people = ["Ana", "Bo"].map(|name| truth.add_person(name));
        let start = Instant::now();
        (truth, people, move |number| start + Duration::from_secs(number))
    }

    #[test]
    fn what_was_made_to_happen_is_what_should_be_listed() {
        let (mut truth, [ana, bo], at) = two();
        let away = ChangeKind::Became(PresenceState::Away);
        for (number, (who, what, expected, listed)) in [
            (ana, ChangeKind::Joined, Some(PresenceState::Here), 1),
            (bo, ChangeKind::Joined, Some(PresenceState::Here), 2),
            (ana, away, Some(PresenceState::Away), 2),
            (ana, LEFT, None, 1),
            // Who is not listed stays so, whatever their connection does.
            (ana, away, None, 1),
            (ana, ChangeKind::Joined, Some(PresenceState::Here), 2),
        ]
        .into_iter()
        .enumerate()
        {
            let version = truth.version();
            let change = truth.record(who, what, at(0));
            assert_eq!((truth.expected(who), truth.listed()), (expected, listed), "{number}");
            assert_ne!(truth.version(), version);
            assert_eq!(truth.sent(change), Some(at(0)));
        }
        assert_eq!(truth.persons(), 2);
    }

    #[test]
    fn an_id_is_one_persons_for_ever() {
        let (mut truth, [ana, bo], _) = two();
        assert_eq!(truth.owner_of(&row(1, "Ana")), Ok(ana));
        assert_eq!(truth.identify(ana, id(1)), Ok(()));
        assert_eq!(truth.identify(bo, id(2)), Ok(()));
        assert_eq!((truth.person_of(&id(1)), truth.person_of(&id(2))), (Ok(ana), Ok(bo)));
        let cy = truth.add_person("Cy");
        for (result, sentence) in [
            (
                truth.identify(ana, id(3)),
                "Ana has the id person---03, which is not theirs: they had another",
            ),
            (
                truth.owner_of(&row(1, "Bo")).map(drop),
                "Bo has the id person---01, which is not theirs: Ana",
            ),
            (truth.identify(cy, id(1)), "Cy has the id person---01, which is not theirs: Ana"),
            (truth.owner_of(&row(1, "Zoe")).map(drop), "nobody is called \"Zoe\""),
            (truth.person_of(&id(3)).map(drop), "nobody has the id person---03"),
        ] {
            assert_eq!(result, Err(sentence.to_owned()));
        }
    }

    #[test]
    fn what_is_told_was_made_to_happen_before_and_not_long_ago() {
        let (mut truth, [ana, bo], at) = two();
        let joined = |what| what == ChangeKind::Joined;
        let left = |what| what == LEFT;
        let first = truth.record(ana, ChangeKind::Joined, at(0));
        // One client is told of more at once than another: it is the same change.
        assert_eq!(truth.attribute(ana, joined, (0, 7), at(1)), Ok(first));
        assert_eq!(truth.attribute(ana, joined, (2, 5), at(2)), Ok(first));
        let nobody =
            |from, to| Err(format!("between {from} and {to} nobody made this happen to Ana"));
        // It was at 5 at the latest, so it can't be told again after that.
        assert_eq!(truth.attribute(ana, joined, (5, 9), at(3)), nobody(5, 9));
        assert_eq!(truth.attribute(ana, left, (5, 9), at(3)), nobody(5, 9));
        let gone = truth.record(ana, LEFT, at(4));
        let second = truth.record(ana, ChangeKind::Joined, at(5));
        // What came after something at 5 was not yet at 5.
        assert_eq!(truth.attribute(ana, left, (4, 5), at(6)), nobody(4, 5));
        assert_eq!(truth.attribute(ana, left, (5, 9), at(6)), Ok(gone));
        assert_eq!(truth.attribute(ana, joined, (5, 9), at(6)), Ok(second));
        assert!(truth.attribute(bo, joined, (0, 9), at(6)).is_err(), "that was somebody else");
    }

    #[test]
    fn who_was_told_of_before_another_came_stands_before_them() {
        let (mut truth, [ana, bo], at) = two();
        let joined = |what| what == ChangeKind::Joined;
        truth.record(ana, ChangeKind::Joined, at(0));
        truth.record(bo, ChangeKind::Joined, at(2));
        // Nobody was told of either: they may have come in any order.
        assert_eq!(truth.impossible_order([bo, ana].into_iter()), None);
        truth.attribute(ana, joined, (0, 2), at(3)).unwrap();
        truth.attribute(bo, joined, (0, 2), at(5)).unwrap();
        assert_eq!(truth.impossible_order([bo, ana].into_iter()), None);
        let cy = truth.add_person("Cy");
        truth.record(cy, ChangeKind::Joined, at(4));
        let sentence = "Cy stands before Ana, who had joined long before";
        assert_eq!(truth.impossible_order([bo, cy, ana].into_iter()).as_deref(), Some(sentence));
        assert_eq!(truth.impossible_order([bo, ana, cy].into_iter()), None);
        assert_eq!(truth.impossible_order([cy, bo, ana].into_iter()).as_deref(), Some(sentence));
        // What was sent in the moment in which the other was told of may have come before.
        let di = truth.add_person("Di");
        truth.record(di, ChangeKind::Joined, at(3));
        assert_eq!(truth.impossible_order([di, ana].into_iter()), None);
        // Who leaves and comes again stands where they came last.
        truth.record(ana, LEFT, at(5));
        truth.record(ana, ChangeKind::Joined, at(6));
        assert_eq!(truth.impossible_order([bo, cy, ana].into_iter()), None);
    }
}
