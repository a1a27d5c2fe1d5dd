use std::collections::{BTreeMap, BTreeSet};

use app::presence::{DepartureReason, Epoch, Name, PresenceState, User, UserId};
use proptest::prelude::*;
use registry::hub::observer::{ObservedChange, ObservedKind};

use super::*;
use crate::webhooks::event::EventPosition;

const SMALL: QueueLimits =
    QueueLimits { most_waiting: 12, most_rooms: 2, longest_retry: Duration::from_mins(1) };

const ROOMS: [&str; 3] = ["a", "b", "c"];

fn room(name: &str) -> RoomName {
    name.parse().unwrap()
}

fn person(number: u8) -> UserId {
    UserId::from_leading_bits(u128::from(number) << 120)
}

/// The rooms as they are, which tell what happens in them.
#[derive(Default)]
struct Truth {
    rooms: BTreeMap<RoomName, TrueRoom>,
    epochs: u64,
}

struct TrueRoom {
    epoch: Epoch,
    seq: u64,
    told: u64,
    people: BTreeSet<UserId>,
}

impl Truth {
    fn room(&mut self, name: &str) -> &mut TrueRoom {
        let epochs = &mut self.epochs;
        self.rooms.entry(room(name)).or_insert_with(|| {
            *epochs += 1;
            let epoch = Epoch::from_number(*epochs);
            TrueRoom { epoch, seq: 0, told: 0, people: BTreeSet::new() }
        })
    }

    /// A person comes or goes.
    fn toggle(&mut self, name: &str, number: u8) -> Vec<Event> {
        let id = person(number);
        let true_room = self.room(name);
        true_room.seq += 1;
        let kind = if true_room.people.remove(&id) {
            ObservedKind::Departed { id, reason: DepartureReason::Left }
        } else {
            true_room.people.insert(id);
            let (name, state) = (Name::parse("Ana").unwrap(), PresenceState::Here);
            ObservedKind::Joined(User { id, name, joined: 0, state })
        };
        let from = std::mem::replace(&mut true_room.told, true_room.seq);
        let people = true_room.people.len();
        let change = ObservedChange { from, seq: true_room.seq, people, kind };
        let events = Event::of_change(&room(name), &true_room.epoch, change, 0);
        events.into_iter().flatten().collect()
    }

    /// A room in which nobody is ends, and its next one has another epoch.
    fn end(&mut self, name: &str) {
        self.rooms.retain(|known, true_room| *known != room(name) || !true_room.people.is_empty());
    }

    fn lists(&self) -> BTreeMap<RoomName, BTreeSet<UserId>> {
        let lists = self.rooms.iter().map(|(name, room)| (name.clone(), room.people.clone()));
        lists.filter(|(_, people)| !people.is_empty()).collect()
    }
}

/// A receiver that follows the rules of docs/integrate.md.
#[derive(Default)]
struct Receiver {
    seen: BTreeSet<String>,
    rooms: BTreeMap<RoomName, ReceivedRoom>,
    events: Vec<Event>,
}

struct ReceivedRoom {
    epoch: Epoch,
    /// That of the list that was read.
    seq: u64,
    people: BTreeSet<UserId>,
}

impl Receiver {
    fn receive(&mut self, message: &QueuedMessage, truth: &Truth) {
        if !self.seen.insert(message.id.clone()) {
            return;
        }
        for event in &message.events {
            self.events.push(event.clone());
            match event {
                Event::Resync { all, rooms } => {
                    if *all {
                        self.rooms.clear();
                    }
                    for room in rooms {
                        self.read(room, truth);
                    }
                }
                Event::RoomOccupied { .. } | Event::RoomVacated { .. } => {}
                Event::UserJoined { at, user } => {
                    self.apply(at, |people| {
                        people.insert(user.id);
                    });
                }
                Event::UserLeft { at, id, .. } => {
                    self.apply(at, |people| {
                        people.remove(id);
                    });
                }
            }
        }
    }

    fn read(&mut self, name: &RoomName, truth: &Truth) {
        self.rooms.remove(name);
        if let Some(TrueRoom { epoch, seq, people, .. }) = truth.rooms.get(name) {
            let (epoch, seq, people) = (epoch.clone(), *seq, people.clone());
            self.rooms.insert(name.clone(), ReceivedRoom { epoch, seq, people });
        }
    }

    fn apply(&mut self, at: &EventPosition, change: impl FnOnce(&mut BTreeSet<UserId>)) {
        let is_known = self.rooms.get(&at.room).is_some_and(|known| known.epoch == at.epoch);
        if !is_known && at.from == 0 {
            let empty = ReceivedRoom { epoch: at.epoch.clone(), seq: 0, people: BTreeSet::new() };
            self.rooms.insert(at.room.clone(), empty);
        }
        if let Some(known) = self.rooms.get_mut(&at.room)
            && known.epoch == at.epoch
            && at.seq > known.seq
        {
            change(&mut known.people);
        }
    }

    fn lists(&self) -> BTreeMap<RoomName, BTreeSet<UserId>> {
        let lists = self.rooms.iter().map(|(name, room)| (name.clone(), room.people.clone()));
        lists.filter(|(_, people)| !people.is_empty()).collect()
    }
}

/// What happens to an attempt.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Arrives,
    /// The receiver has it, and the answer is lost.
    AnswerIsLost,
    IsLost,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Toggle(usize, u8),
    End(usize),
    LogIsTooShort(usize),
    Wait(u64),
    Attempt(Outcome),
}

fn step() -> impl Strategy<Value = Step> {
    let outcome =
        prop_oneof![Just(Outcome::Arrives), Just(Outcome::AnswerIsLost), Just(Outcome::IsLost)];
    prop_oneof![
        8 => (0..ROOMS.len(), 0..4_u8).prop_map(|(room, person)| Step::Toggle(room, person)),
        1 => (0..ROOMS.len()).prop_map(Step::End),
        1 => (0..ROOMS.len()).prop_map(Step::LogIsTooShort),
        4 => (0..100_000_u64).prop_map(Step::Wait),
        6 => outcome.prop_map(Step::Attempt),
    ]
}

struct World {
    truth: Truth,
    queue: DeliveryQueue,
    receiver: Receiver,
    now: Duration,
    ids: u32,
}

impl World {
    fn new(limits: QueueLimits) -> Self {
        let (truth, receiver) = (Truth::default(), Receiver::default());
        let queue = DeliveryQueue::new(limits, Duration::ZERO);
        Self { truth, queue, receiver, now: Duration::ZERO, ids: 0 }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Toggle(room, person) => {
                for event in self.truth.toggle(ROOMS[room], person) {
                    self.queue.push(event, self.now);
                }
            }
            Step::End(room) => self.truth.end(ROOMS[room]),
            Step::LogIsTooShort(name) => {
                // Something happens that only the list shows.
                drop(self.truth.toggle(ROOMS[name], 9));
                self.queue.lost(&room(ROOMS[name]), self.now);
            }
            Step::Wait(milliseconds) => self.now += Duration::from_millis(milliseconds),
            Step::Attempt(outcome) => {
                self.attempt(outcome);
            }
        }
    }

    /// Returns whether there was something to send.
    fn attempt(&mut self, outcome: Outcome) -> bool {
        let Self { truth, queue, receiver, now, ids } = self;
        *ids += 1;
        let stamp = || Stamp {
            id: ids.to_string(),
            timestamp: String::new(),
            rooms: || truth.rooms.keys().cloned().collect(),
        };
        let Some(message) = queue.attempt(*now, stamp) else { return false };
        assert!((1..=MOST_IN_A_MESSAGE).contains(&message.events.len()));
        match outcome {
            Outcome::Arrives => {
                receiver.receive(message, truth);
                queue.arrived();
            }
            Outcome::AnswerIsLost => {
                receiver.receive(message, truth);
                queue.failed(*now, 0.5, None);
            }
            Outcome::IsLost => queue.failed(*now, 0.5, None),
        }
        true
    }

    /// Until nothing is left to send.
    fn finish(&mut self) {
        while let Some(due) = self.queue.next_attempt() {
            self.now = self.now.max(due);
            assert!(self.attempt(Outcome::Arrives));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn receiver_ends_with_the_lists_whatever_is_lost(steps in prop::collection::vec(step(), 0..200)) {
        let mut world = World::new(SMALL);
        for step in steps {
            world.run(step);
            prop_assert!(world.queue.waiting.len() <= SMALL.most_waiting);
        }
        world.finish();
        prop_assert_eq!(world.receiver.lists(), world.truth.lists());
    }

    #[test]
    fn each_event_arrives_once_and_in_order(
        steps in prop::collection::vec((0..ROOMS.len(), 0..4_u8, step()), 0..200),
    ) {
        let limits = QueueLimits { longest_retry: Duration::MAX, ..QueueLimits::default() };
        let mut world = World::new(limits);
        world.finish();
        let mut happened = vec![Event::Resync { all: true, rooms: Vec::new() }];
        for (room, person, step) in steps {
            let events = world.truth.toggle(ROOMS[room], person);
            happened.extend(events.iter().cloned());
            let now = world.now;
            for event in events {
                world.queue.push(event, now);
            }
            if let Step::Wait(_) | Step::Attempt(_) = step {
                world.run(step);
            }
        }
        world.finish();
        prop_assert_eq!(&world.receiver.events, &happened);
    }
}

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn with_events(number: u64) -> World {
    let mut world = World::new(QueueLimits::default());
    world.finish();
    for _ in 0..number {
        // One event each: somebody is always here.
        let id = if world.truth.room("a").people.is_empty() { 1 } else { 2 };
        let event = world.truth.toggle("a", id).pop().unwrap();
        world.queue.push(event, world.now);
    }
    world
}

#[test]
fn events_gather_for_a_quarter_of_a_second_or_a_hundred_of_them() {
    let world = with_events(1);
    assert_eq!(world.queue.next_attempt(), Some(world.now + at(250)));
    assert_eq!(with_events(0).queue.next_attempt(), None);
    let mut full = with_events(100);
    assert_eq!(full.queue.next_attempt(), Some(full.now));
    assert!(full.attempt(Outcome::Arrives));
    assert_eq!(full.queue.next_attempt(), None);
}

#[test]
fn message_under_way_stays_as_it_is_and_is_the_only_one() {
    let mut world = with_events(1);
    world.now += at(250);
    assert!(world.attempt(Outcome::IsLost));
    assert!(!world.attempt(Outcome::Arrives), "its next attempt is not due");
    let first = world.queue.under_way.as_ref().unwrap().message.clone();
    let more = world.truth.toggle("a", 3).pop().unwrap();
    world.queue.push(more, world.now);
    world.now = world.queue.next_attempt().unwrap();
    assert!(world.attempt(Outcome::IsLost));
    assert_eq!(world.queue.under_way.as_ref().unwrap().message, first);
    assert_eq!(world.queue.len(), 2);
}

#[test]
fn message_is_given_up_after_a_day_and_its_rooms_are_read() {
    let mut world = with_events(1);
    world.now += at(250);
    let given_up = world.now + Duration::from_hours(24);
    while world.now <= given_up {
        assert!(world.attempt(Outcome::IsLost));
        assert!(world.receiver.events.len() == 1, "only the first resync has arrived");
        world.now = world.queue.next_attempt().unwrap();
    }
    assert!(world.attempt(Outcome::Arrives));
    let resync = Event::Resync { all: false, rooms: vec![room("a")] };
    assert_eq!(world.receiver.events.last(), Some(&resync));
    assert_eq!(world.queue.next_attempt(), None);
}

#[test]
fn too_many_events_become_one_resync() {
    let mut world = with_events(10_001);
    assert_eq!(world.queue.waiting.len(), 0);
    world.finish();
    let resync = Event::Resync { all: false, rooms: vec![room("a")] };
    assert_eq!(world.receiver.events[1..], [resync]);
    assert_eq!(world.receiver.lists(), world.truth.lists());
}

/// Its log goes on for two minutes, and the next event of it does not begin a list.
#[test]
fn room_in_which_nobody_is_any_more_is_read_as_well() {
    let mut world = World::new(QueueLimits::default());
    for _ in 0..2 {
        drop(world.truth.toggle("a", 1));
    }
    world.finish();
    let resync = Event::Resync { all: true, rooms: vec![room("a")] };
    assert_eq!(world.receiver.events, [resync]);
    for event in world.truth.toggle("a", 1) {
        world.queue.push(event, world.now);
    }
    world.finish();
    assert_eq!(world.receiver.lists(), world.truth.lists());
}

#[test]
fn many_rooms_are_read_in_parts() {
    let rooms: Vec<RoomName> = (0..2_500).map(|number| room(&format!("r{number}"))).collect();
    let events = resync(true, &rooms);
    let parts: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Resync { all, rooms } => (*all, rooms.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(parts, [(true, 1_000), (false, 1_000), (false, 500)]);
    let none = Event::Resync { all: true, rooms: Vec::new() };
    assert_eq!(resync(true, &[]), [none]);
}
