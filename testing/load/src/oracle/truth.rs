//! The ground truth: the generator's record of what its clients did.

use std::{collections::HashMap, time::Instant};

use app::presence::{DepartureReason, PresenceState, User, UserId};

/// Identifies a person of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonIndex(u32);

impl PersonIndex {
    /// The index in a vector with one entry for each person.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Identifies a recorded change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChangeIndex(usize);

/// Identifies an epoch of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochIndex(pub u32);

/// A stretch of a room's changes. Numbers of two epochs can't be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The epoch of both numbers.
    pub epoch: EpochIndex,
    /// The changes are above this one; `None` for all of the list's history.
    pub from: Option<u64>,
    /// They are at most this one.
    pub to: u64,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was added.
    Joined,
    /// It was removed.
    Departed(DepartureReason),
    /// Its state changed.
    Became(PresenceState),
}

/// The recorded changes, and when they were received.
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
    /// The state of the row once all changes are received; `None` without a row.
    expected: Option<PresenceState>,
    changes: Vec<ChangeIndex>,
}

#[derive(Debug)]
struct Change {
    what: ChangeKind,
    sent: Instant,
    /// Its `seq` in this epoch is above this one.
    above: Option<(EpochIndex, u64)>,
    /// Its `seq` in each of these epochs is at most this one; known once a client has received it there.
    at_most: Vec<(EpochIndex, u64)>,
    /// When the first client received it.
    first_seen: Option<Instant>,
}

impl Truth {
    /// Adds a person, who is not listed yet.
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

    /// Records a change that is sent at `now`.
    pub fn record(&mut self, who: PersonIndex, what: ChangeKind, now: Instant) -> ChangeIndex {
        let index = ChangeIndex(self.changes.len());
        self.version += 1;
        let Some(person) = self.persons.get_mut(who.as_usize()) else { return index };
        let last = person.changes.last().and_then(|last| self.changes.get(last.0));
        let above = last.and_then(|last| last.at_most.last().copied().or(last.above));
        person.changes.push(index);
        let at_most = Vec::new();
        self.changes.push(Change { what, sent: now, above, at_most, first_seen: None });
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

    /// Increases with every recorded change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The number of people, listed or not.
    pub fn persons(&self) -> usize {
        self.persons.len()
    }

    /// The number of rows once all changes are received.
    pub fn listed(&self) -> usize {
        self.listed
    }

    /// The state of a person's row once all changes are received; `None` without a row.
    pub fn expected(&self, who: PersonIndex) -> Option<PresenceState> {
        self.persons.get(who.as_usize()).and_then(|person| person.expected)
    }

    /// The name of a person.
    pub fn name(&self, who: PersonIndex) -> &str {
        self.persons.get(who.as_usize()).map_or("an unknown person", |person| &person.name)
    }

    /// What a change is.
    pub fn kind(&self, change: ChangeIndex) -> Option<ChangeKind> {
        self.changes.get(change.0).map(|change| change.what)
    }

    /// When a change was sent.
    pub fn sent(&self, change: ChangeIndex) -> Option<Instant> {
        self.changes.get(change.0).map(|change| change.sent)
    }

    /// Records that the server uses this id for a person. Ids must never change or be shared.
    pub fn identify(&mut self, who: PersonIndex, id: UserId) -> Result<(), String> {
        let known = self.persons.get(who.as_usize()).and_then(|person| person.id);
        let owner = self.by_id.get(&id).copied();
        if known.is_some_and(|known| known != id) || owner.is_some_and(|owner| owner != who) {
            let name = self.name(who);
            return Err(match owner {
                Some(owner) => format!("{name} has the id {id} of {}", self.name(owner)),
                None => format!("{name} has the id {id}, and had another one"),
            });
        }
        if let Some(person) = self.persons.get_mut(who.as_usize()) {
            person.id = Some(id);
            self.by_id.insert(id, who);
        }
        Ok(())
    }

    /// The person with this id.
    pub fn person_of(&self, id: &UserId) -> Result<PersonIndex, String> {
        self.by_id.get(id).copied().ok_or_else(|| format!("no person has the id {id}"))
    }

    /// The person of a row, whose name and id must belong together.
    pub fn owner_of(&mut self, row: &User) -> Result<PersonIndex, String> {
        let who = *self
            .by_name
            .get(row.name.as_str())
            .ok_or_else(|| format!("no person has the name {:?}", row.name.as_str()))?;
        self.identify(who, row.id)?;
        Ok(who)
    }

    /// Finds the recorded change that the server reports in a stretch of the room's changes.
    pub fn attribute(
        &mut self,
        who: PersonIndex,
        matches: impl Fn(ChangeKind) -> bool,
        reach: Reach,
        now: Instant,
    ) -> Result<ChangeIndex, String> {
        let Reach { epoch, from, to } = reach;
        let changes = self.persons.get(who.as_usize()).map(|person| person.changes.as_slice());
        for index in changes.unwrap_or_default().iter().rev() {
            let Some(change) = self.changes.get_mut(index.0) else { continue };
            let is_later = change.above.is_none_or(|(of, above)| of != epoch || above < to);
            let at_most = change.at_most.iter_mut().find(|(of, _)| *of == epoch);
            let is_new = match (&at_most, from) {
                (Some((_, seq)), Some(from)) => *seq > from,
                _ => true,
            };
            if matches(change.what) && is_later && is_new {
                match at_most {
                    Some((_, seq)) => *seq = to.min(*seq),
                    None => change.at_most.push((epoch, to)),
                }
                change.first_seen.get_or_insert(now);
                return Ok(*index);
            }
        }
        let from = from.unwrap_or_default();
        Err(format!("no such change of {} is recorded between {from} and {to}", self.name(who)))
    }

    /// Describes rows in an impossible order: a row must not be listed before another one that was received
    /// before its own join was sent.
    pub fn impossible_order(&self, order: impl Iterator<Item = PersonIndex>) -> Option<String> {
        let mut latest: Option<(PersonIndex, Instant)> = None;
        for who in order {
            let join = self.last_join(who)?;
            if let (Some((before, sent)), Some(told)) = (latest, join.first_seen)
                && told < sent
            {
                return Some(format!(
                    "{} is listed before {}, who joined earlier",
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

    fn reach(from: u64, to: u64) -> Reach {
        Reach { epoch: EpochIndex(0), from: Some(from), to }
    }

    fn row(number: u8, name: &str) -> User {
        let name = Name::parse(name).unwrap();
        User { id: id(number), name, joined: 1, state: PresenceState::Here }
    }

    /// Ana and Bo, and increasing points in time.
    fn two() -> (Truth, [PersonIndex; 2], impl Fn(u64) -> Instant) {
        let mut truth = Truth::default();
        let people = ["Ana", "Bo"].map(|name| truth.add_person(name));
        let start = Instant::now();
        (truth, people, move |number| start + Duration::from_secs(number))
    }

    #[test]
    fn recorded_changes_determine_the_expected_rows() {
        let (mut truth, [ana, bo], at) = two();
        let away = ChangeKind::Became(PresenceState::Away);
        for (number, (who, what, expected, listed)) in [
            (ana, ChangeKind::Joined, Some(PresenceState::Here), 1),
            (bo, ChangeKind::Joined, Some(PresenceState::Here), 2),
            (ana, away, Some(PresenceState::Away), 2),
            (ana, LEFT, None, 1),
            // A person who is not listed stays unlisted.
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
    fn id_belongs_to_one_person_for_ever() {
        let (mut truth, [ana, bo], _) = two();
        assert_eq!(truth.owner_of(&row(1, "Ana")), Ok(ana));
        assert_eq!(truth.identify(ana, id(1)), Ok(()));
        assert_eq!(truth.identify(bo, id(2)), Ok(()));
        assert_eq!((truth.person_of(&id(1)), truth.person_of(&id(2))), (Ok(ana), Ok(bo)));
        let cy = truth.add_person("Cy");
        for (result, sentence) in [
            (truth.identify(ana, id(3)), "Ana has the id person---03, and had another one"),
            (truth.owner_of(&row(1, "Bo")).map(drop), "Bo has the id person---01 of Ana"),
            (truth.identify(cy, id(1)), "Cy has the id person---01 of Ana"),
            (truth.owner_of(&row(1, "Zoe")).map(drop), "no person has the name \"Zoe\""),
            (truth.person_of(&id(3)).map(drop), "no person has the id person---03"),
        ] {
            assert_eq!(result, Err(sentence.to_owned()));
        }
    }

    #[test]
    fn received_changes_are_attributed_to_recorded_ones_in_range() {
        let (mut truth, [ana, bo], at) = two();
        let joined = |what| what == ChangeKind::Joined;
        let left = |what| what == LEFT;
        let first = truth.record(ana, ChangeKind::Joined, at(0));
        // Another client receives the change in a longer difference: it is the same change.
        assert_eq!(truth.attribute(ana, joined, reach(0, 7), at(1)), Ok(first));
        assert_eq!(truth.attribute(ana, joined, reach(2, 5), at(2)), Ok(first));
        let no_change =
            |from, to| Err(format!("no such change of Ana is recorded between {from} and {to}"));
        // Its `seq` is at most 5, so it can't be received again after that.
        assert_eq!(truth.attribute(ana, joined, reach(5, 9), at(3)), no_change(5, 9));
        assert_eq!(truth.attribute(ana, left, reach(5, 9), at(3)), no_change(5, 9));
        let gone = truth.record(ana, LEFT, at(4));
        let second = truth.record(ana, ChangeKind::Joined, at(5));
        // Later changes have a `seq` above 5.
        assert_eq!(truth.attribute(ana, left, reach(4, 5), at(6)), no_change(4, 5));
        assert_eq!(truth.attribute(ana, left, reach(5, 9), at(6)), Ok(gone));
        assert_eq!(truth.attribute(ana, joined, reach(5, 9), at(6)), Ok(second));
        assert!(
            truth.attribute(bo, joined, reach(0, 9), at(6)).is_err(),
            "the change is of another person"
        );
    }

    #[test]
    fn rows_known_before_a_join_are_listed_before_it() {
        let (mut truth, [ana, bo], at) = two();
        let joined = |what| what == ChangeKind::Joined;
        truth.record(ana, ChangeKind::Joined, at(0));
        truth.record(bo, ChangeKind::Joined, at(2));
        // No client has received either of them, so the order is unknown.
        assert_eq!(truth.impossible_order([bo, ana].into_iter()), None);
        truth.attribute(ana, joined, reach(0, 2), at(3)).unwrap();
        truth.attribute(bo, joined, reach(0, 2), at(5)).unwrap();
        assert_eq!(truth.impossible_order([bo, ana].into_iter()), None);
        let cy = truth.add_person("Cy");
        truth.record(cy, ChangeKind::Joined, at(4));
        let sentence = "Cy is listed before Ana, who joined earlier";
        assert_eq!(truth.impossible_order([bo, cy, ana].into_iter()).as_deref(), Some(sentence));
        assert_eq!(truth.impossible_order([bo, ana, cy].into_iter()), None);
        assert_eq!(truth.impossible_order([cy, bo, ana].into_iter()).as_deref(), Some(sentence));
        // A join that was sent when the other one was received may have come first.
        let di = truth.add_person("Di");
        truth.record(di, ChangeKind::Joined, at(3));
        assert_eq!(truth.impossible_order([di, ana].into_iter()), None);
        // After leaving and joining again, the last join counts.
        truth.record(ana, LEFT, at(5));
        truth.record(ana, ChangeKind::Joined, at(6));
        assert_eq!(truth.impossible_order([bo, cy, ana].into_iter()), None);
    }

    #[test]
    fn numbers_of_two_epochs_are_not_compared() {
        let (mut truth, [ana, bo], at) = two();
        let joined = |what| what == ChangeKind::Joined;
        let anew = |from, to| Reach { epoch: EpochIndex(1), from, to };
        let first = truth.record(ana, ChangeKind::Joined, at(0));
        assert_eq!(truth.attribute(ana, joined, reach(8, 9), at(1)), Ok(first));
        // A list of the next epoch, in which nothing has been counted yet.
        assert_eq!(truth.attribute(ana, joined, anew(None, 0), at(2)), Ok(first));
        assert_eq!(truth.attribute(ana, joined, anew(None, 3), at(3)), Ok(first));
        assert!(truth.attribute(ana, joined, anew(Some(0), 3), at(4)).is_err());
        truth.record(ana, LEFT, at(5));
        let second = truth.record(ana, ChangeKind::Joined, at(5));
        assert_eq!(truth.attribute(ana, joined, anew(Some(0), 2), at(6)), Ok(second));
        assert!(truth.attribute(bo, joined, anew(None, 2), at(6)).is_err());
        // Its join had a high number in the epoch before.
        truth.record(bo, ChangeKind::Joined, at(7));
        truth.attribute(bo, joined, reach(98, 99), at(8)).unwrap();
        let gone = truth.record(bo, LEFT, at(9));
        assert_eq!(truth.attribute(bo, |what| what == LEFT, anew(Some(2), 3), at(9)), Ok(gone));
    }
}
