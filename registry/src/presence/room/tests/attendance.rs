//! Who came and went, against a model that looks at the room every half second.

use std::collections::BTreeMap;

use proptest::{prelude::*, sample::select};

use super::*;
use crate::presence::attendance::{Attendance, AttendanceRow, MOST_BYTES, MOST_STAYS, Stay};

const KEPT_FOR: Duration = Duration::from_hours(12);
const LIMITS: RoomLimits =
    RoomLimits { most_people: 9, most_connections_per_person: 9, keep_attendance: Some(KEPT_FOR) };
/// All times are multiples of it.
const STEP: u64 = 500;
/// When the story begins, in seconds since the Unix epoch.
const START: u64 = 1_795_421_000;

#[derive(Clone, Debug)]
enum Event {
    Joined {
        person: u8,
        tab: &'static str,
        is_visible: bool,
        kind: JoinKind,
        name: &'static str,
    },
    Ended {
        person: u8,
        tab: &'static str,
        reason: DepartureReason,
    },
    Shown {
        person: u8,
        tab: &'static str,
        is_visible: bool,
    },
    Renamed {
        person: u8,
        name: &'static str,
    },
    Removed {
        person: u8,
        reason: DepartureReason,
    },
    PageServed {
        person: u8,
    },
    Cleared,
    /// The process ends in order, and the next one starts after so many steps.
    Restarted {
        after: u64,
    },
}

fn any_event() -> impl Strategy<Value = Event> {
    let person = || 1..4_u8;
    let tab = || select(vec!["a", "b"]);
    let name = || select(vec!["Ana", "Bo", "Kim"]);
    let kind = select(vec![JoinKind::Opening, JoinKind::Repeat]);
    let ending = select(vec![DepartureReason::Closed, DepartureReason::Lost]);
    let removal = select(vec![DepartureReason::Left, DepartureReason::Removed]);
    prop_oneof![
        6 => (person(), tab(), any::<bool>(), kind, name()).prop_map(
            |(person, tab, is_visible, kind, name)| Event::Joined { person, tab, is_visible, kind, name }
        ),
        5 => (person(), tab(), ending)
            .prop_map(|(person, tab, reason)| Event::Ended { person, tab, reason }),
        3 => (person(), tab(), any::<bool>())
            .prop_map(|(person, tab, is_visible)| Event::Shown { person, tab, is_visible }),
        1 => (person(), name()).prop_map(|(person, name)| Event::Renamed { person, name }),
        1 => (person(), removal).prop_map(|(person, reason)| Event::Removed { person, reason }),
        2 => person().prop_map(|person| Event::PageServed { person }),
        1 => Just(Event::Cleared),
        2 => select(vec![0, 3, 20, 30, 90_000]).prop_map(|after| Event::Restarted { after }),
    ]
}

/// Events, and the steps before each.
fn any_story() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let pause = prop_oneof![
        4 => 0..6_u64,
        3 => select(vec![3, 4, 5, 29, 30, 31, 59, 60, 61]),
        1 => 0..400_u64,
    ];
    prop::collection::vec((pause, any_event()), 0..40)
}

/// What a row says, for comparison.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    name: String,
    first_came: u64,
    stays: Vec<(u64, u64, DepartureReason)>,
    here_since: Option<u64>,
    times_away: u64,
}

impl Told {
    fn by(row: &AttendanceRow) -> Self {
        let told = |stay: &Stay| (stay.from, stay.until, stay.reason);
        Self {
            name: row.name().to_string(),
            first_came: row.first_came(),
            stays: row.stays().iter().map(told).collect(),
            here_since: row.here_since(),
            times_away: row.times_away(),
        }
    }
}

/// The room itself, with a clock.
struct Actual {
    room: Room,
    /// In steps since the process started, and since the story began.
    uptime: u64,
    time: u64,
    sockets: BTreeMap<(u8, &'static str), u64>,
    next_socket: u64,
}

impl Actual {
    fn new() -> Self {
        let now = Now { moment: Moment::ZERO, unix_seconds: START };
        let room = Room::new(LIMITS, epoch(), now);
        Self { room, uptime: 0, time: 0, sockets: BTreeMap::new(), next_socket: 1 }
    }

    fn now(&self) -> Now {
        let moment = Duration::from_millis(self.uptime * STEP);
        Now { moment, unix_seconds: START + self.time * STEP / 1_000 }
    }

    fn step(&mut self) {
        self.uptime += 1;
        self.time += 1;
        if self.room.next_deadline().is_some_and(|deadline| deadline <= self.now().moment) {
            self.room.apply(Command::Tick, self.now());
        }
    }

    fn apply(&mut self, event: &Event) {
        let command = match *event {
            Event::Joined { person, tab, is_visible, kind, name } => {
                let connection = self.next_socket;
                self.next_socket += 1;
                self.sockets.insert((person, tab), connection);
                let join = Join { is_visible, ..join(name, Some(tab), connection) };
                Command::Announced { user_id: id(person), join, kind }
            }
            Event::Ended { person, tab, reason } => {
                let Some(connection) = self.sockets.remove(&(person, tab)) else { return };
                let connection = ConnectionId(connection);
                Command::Disconnected { user_id: id(person), connection, reason }
            }
            Event::Shown { person, tab, is_visible } => {
                let Some(connection) = self.sockets.get(&(person, tab)) else { return };
                let connection = ConnectionId(*connection);
                Command::VisibilityChanged { user_id: id(person), connection, is_visible }
            }
            Event::Renamed { person, name: to } => {
                Command::Renamed { user_id: id(person), name: name(to) }
            }
            Event::Removed { person, reason } => {
                Command::RowRemoved { user_id: id(person), reason }
            }
            Event::PageServed { person } => Command::PageServed { user_id: id(person) },
            Event::Cleared => Command::RoomCleared,
            Event::Restarted { after } => return self.restart(after),
        };
        self.room.apply(command, self.now());
    }

    fn restart(&mut self, after: u64) {
        let saved = self.room.save_at_the_end(self.now());
        let saved = serde_json::to_string(&saved).unwrap();
        self.time += after;
        self.uptime = 0;
        self.sockets.clear();
        let saved = serde_json::from_str(&saved).unwrap();
        self.room = Room::restore(saved, epoch(), None, LIMITS, self.now()).unwrap();
    }

    fn told(&self) -> BTreeMap<UserId, Told> {
        let attendance = self.room.attendance().unwrap();
        let rows = attendance.rows(KEPT_FOR, self.now().unix_seconds);
        rows.map(|(user_id, row)| (user_id, Told::by(row))).collect()
    }
}

/// The same by looking: after each event, and every half second.
#[derive(Default)]
struct Model {
    time: u64,
    people: BTreeMap<u8, Person>,
}

#[derive(Default)]
struct Person {
    name: String,
    tabs: BTreeMap<&'static str, Tab>,
    page_served_at: Option<u64>,
    is_reconnecting: bool,
    state: Option<PresenceState>,
    told: Option<Told>,
    stopped_at: Option<u64>,
}

enum Tab {
    /// Since when it is hidden.
    Connected(Option<u64>),
    /// Since when, until when, and why.
    Gone(u64, u64, DepartureReason),
}

const TWO_SECONDS: u64 = 4;
const FIFTEEN_SECONDS: u64 = 30;
const THIRTY_SECONDS: u64 = 60;

impl Model {
    fn step(&mut self) {
        self.time += 1;
        self.look();
    }

    fn look(&mut self) {
        let time = self.time;
        for person in self.people.values_mut() {
            person.look(time, None);
        }
        let seconds = seconds(time);
        for person in self.people.values_mut() {
            let ended = person.told.as_ref().filter(|told| told.here_since.is_none());
            let left_at = ended.and_then(|told| told.stays.last()).map(|stay| stay.1);
            if left_at.is_some_and(|left_at| left_at + KEPT_FOR.as_secs() <= seconds) {
                person.told = None;
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        let time = self.time;
        match *event {
            Event::Joined { person, tab, is_visible, kind, name } => {
                let person = self.people.entry(person).or_default();
                if person.state.is_none() || kind == JoinKind::Repeat {
                    person.rename(name);
                }
                person.tabs.insert(tab, Tab::Connected((!is_visible).then_some(time)));
                (person.page_served_at, person.is_reconnecting) = (None, false);
                person.stopped_at = None;
            }
            Event::Ended { person, tab, reason } => {
                let Some(person) = self.people.get_mut(&person) else { return };
                let is_loading =
                    person.page_served_at.is_some_and(|at| time < at + FIFTEEN_SECONDS);
                if let Some(tab @ Tab::Connected(_)) = person.tabs.get_mut(tab) {
                    let is_short = reason == DepartureReason::Closed && !is_loading;
                    let grace = if is_short { TWO_SECONDS } else { FIFTEEN_SECONDS };
                    *tab = Tab::Gone(time, time + grace, reason);
                    let is_last = person.tabs.values().all(|tab| matches!(tab, Tab::Gone(..)));
                    person.is_reconnecting |= is_last && reason == DepartureReason::Lost;
                }
            }
            Event::Shown { person, tab, is_visible } => {
                let person = self.people.get_mut(&person);
                if let Some(Tab::Connected(hidden)) =
                    person.and_then(|person| person.tabs.get_mut(tab))
                {
                    *hidden = if is_visible { None } else { hidden.or(Some(time)) };
                }
            }
            Event::Renamed { person, name } => {
                let person = self.people.get_mut(&person);
                if let Some(person) = person.filter(|person| person.state.is_some()) {
                    person.rename(name);
                }
            }
            Event::Removed { person, reason } => {
                if let Some(person) = self.people.get_mut(&person) {
                    person.remove(time, reason);
                }
            }
            Event::Cleared => {
                for person in self.people.values_mut() {
                    person.remove(time, DepartureReason::Removed);
                }
            }
            Event::PageServed { person } => {
                let Some(person) = self.people.get_mut(&person) else { return };
                person.page_served_at = Some(time);
                for tab in person.tabs.values_mut() {
                    if let Tab::Gone(since, until, _) = tab {
                        *until = *since + FIFTEEN_SECONDS;
                    }
                }
            }
            Event::Restarted { after } => {
                let stopped_at = time;
                self.time += after;
                let until = self.time + FIFTEEN_SECONDS;
                for person in self.people.values_mut() {
                    person.page_served_at = None;
                    person.stopped_at.get_or_insert(stopped_at);
                    for tab in person.tabs.values_mut() {
                        let reason = match tab {
                            Tab::Connected(_) => DepartureReason::Lost,
                            Tab::Gone(_, _, reason) => *reason,
                        };
                        *tab = Tab::Gone(until - FIFTEEN_SECONDS, until, reason);
                    }
                }
            }
        }
        self.look();
    }

    fn told(&self) -> BTreeMap<UserId, &Told> {
        let people = self.people.iter();
        people.filter_map(|(person, of)| Some((id(*person), of.told.as_ref()?))).collect()
    }
}

impl Person {
    fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        if let (Some(told), Some(_)) = (&mut self.told, self.state) {
            name.clone_into(&mut told.name);
        }
    }

    fn remove(&mut self, time: u64, reason: DepartureReason) {
        self.tabs.clear();
        self.is_reconnecting = false;
        self.look(time, Some(reason));
    }

    /// Notes what has changed of what can be seen of the person.
    fn look(&mut self, time: u64, removed: Option<DepartureReason>) {
        let last = self.tabs.values().filter_map(|tab| match tab {
            Tab::Gone(_, until, reason) => Some((*until, *reason)),
            Tab::Connected(_) => None,
        });
        let last = last.max_by_key(|(until, _)| *until);
        self.tabs.retain(|_, tab| !matches!(tab, Tab::Gone(_, until, _) if *until <= time));
        let connected: Vec<_> = self
            .tabs
            .values()
            .filter_map(|tab| if let Tab::Connected(hidden) = tab { Some(*hidden) } else { None })
            .collect();
        let before = self.state;
        let hidden = connected.iter().copied().collect::<Option<Vec<_>>>();
        let hidden = hidden.and_then(|hidden| hidden.into_iter().max());
        self.state = if self.tabs.is_empty() {
            None
        } else if !connected.is_empty() {
            let is_away = hidden.is_some_and(|since| {
                before == Some(PresenceState::Away) || since + THIRTY_SECONDS <= time
            });
            Some(if is_away { PresenceState::Away } else { PresenceState::Here })
        } else if self.is_reconnecting {
            Some(PresenceState::Reconnecting)
        } else {
            before
        };
        let now = seconds(time);
        match (before, self.state) {
            (None, Some(_)) => {
                let told = self.told.get_or_insert_with(|| Told {
                    name: String::new(),
                    first_came: now,
                    stays: Vec::new(),
                    here_since: None,
                    times_away: 0,
                });
                told.name.clone_from(&self.name);
                told.here_since = Some(now);
            }
            (Some(_), None) => {
                let reason = removed.or(last.map(|(_, reason)| reason)).unwrap();
                let until = self.stopped_at.take().map_or(now, seconds);
                let told = self.told.as_mut().unwrap();
                told.stays.push((told.here_since.take().unwrap(), until, reason));
            }
            _ => {}
        }
        if self.state == Some(PresenceState::Away) && before != self.state {
            self.told.as_mut().unwrap().times_away += 1;
        }
    }
}

fn seconds(time: u64) -> u64 {
    START + time * STEP / 1_000
}

proptest! {
    #[test]
    fn attendance_is_what_somebody_who_looks_would_write_down(story in any_story()) {
        let (mut actual, mut model) = (Actual::new(), Model::default());
        for (pause, event) in &story {
            for _ in 0..*pause {
                actual.step();
                model.step();
            }
            actual.apply(event);
            model.apply(event);
            let told = actual.told();
            prop_assert_eq!(told.iter().map(|(id, told)| (*id, told)).collect::<BTreeMap<_, _>>(), model.told());
        }
    }

    /// The same events lead to the same attendance, and so does a snapshot at any point on the way.
    #[test]
    fn attendance_is_a_fold(story in any_story(), at in 0..40_usize) {
        let (mut first, mut second) = (Actual::new(), Actual::new());
        for (index, (pause, event)) in story.iter().enumerate() {
            if index == at {
                let written = serde_json::to_string(&RoomSnapshot::of(&second.room)).unwrap();
                let read: RoomSnapshot = serde_json::from_str(&written).unwrap();
                second.room = Room::try_from(read).unwrap();
            }
            for room in [&mut first, &mut second] {
                (0..*pause).for_each(|_| room.step());
                room.apply(event);
            }
            prop_assert_eq!(first.room.attendance(), second.room.attendance());
        }
    }
}

fn came(attendance: &mut Attendance, number: u128, at: u64) {
    let state = PresenceState::Here;
    let user = User { id: UserId::from_leading_bits(number), name: name("Ana"), joined: at, state };
    attendance.record(&Change::Joined(user), at);
}

fn went(attendance: &mut Attendance, number: u128, at: u64) {
    let id = UserId::from_leading_bits(number);
    attendance.record(&Change::Departed { id, reason: DepartureReason::Left }, at);
}

/// Ids that are spread over all bits.
fn number(index: u64) -> u128 {
    u128::from(index) << 70
}

#[test]
fn who_has_been_gone_for_the_longest_time_gives_way_when_there_is_no_more_place() {
    let mut attendance = Attendance::default();
    let people = 10_000;
    // The first half stays, and does not give way.
    for index in 0..people {
        came(&mut attendance, number(index), index);
        if index >= 1_000 {
            went(&mut attendance, number(index), index);
        }
        assert!(attendance.size_in_bytes() <= MOST_BYTES);
    }
    let kept: Vec<u64> =
        attendance.rows(KEPT_FOR, people).map(|(_, row)| row.first_came()).collect();
    let dropped = attendance.dropped();
    assert!((4_000..7_000).contains(&dropped), "{dropped}");
    assert_eq!(u64::try_from(kept.len()).unwrap() + dropped, people);
    let (here, gone): (Vec<u64>, Vec<u64>) =
        kept.iter().partition(|first_came| **first_came < 1_000);
    assert_eq!(here.len(), 1_000);
    assert_eq!(gone.iter().min(), Some(&(1_000 + dropped)));
    let written = serde_json::to_string(&attendance).unwrap();
    assert!((MOST_BYTES / 4..MOST_BYTES).contains(&written.len()), "{}", written.len());
    assert_eq!(serde_json::from_str::<Attendance>(&written).unwrap(), attendance);
}

#[test]
fn who_finds_no_place_is_counted_and_harmless() {
    let mut attendance = Attendance::default();
    for index in 0..10_000 {
        came(&mut attendance, number(index), index);
    }
    let here = attendance.len();
    assert_eq!(u64::try_from(here).unwrap() + attendance.dropped(), 10_000);
    went(&mut attendance, number(9_999), 10_000);
    assert_eq!(attendance.len(), here);
    went(&mut attendance, number(0), 10_000);
    came(&mut attendance, number(9_999), 10_001);
    assert_eq!(attendance.len(), here);
    assert!(attendance.rows(KEPT_FOR, 10_001).any(|(_, row)| row.first_came() == 10_001));
}

#[test]
fn who_comes_and_goes_all_the_time_has_one_row_of_a_bounded_size() {
    let mut attendance = Attendance::default();
    for index in 0..10_000 {
        came(&mut attendance, 1, 10 * index);
        went(&mut attendance, 1, 10 * index + 7);
    }
    let (_, row) = attendance.rows(KEPT_FOR, 100_000).next().unwrap();
    assert_eq!((row.stays().len(), row.seconds_here(100_000)), (MOST_STAYS, 70_000));
    assert_eq!((row.first_came(), row.left_at()), (0, Some(99_997)));
    assert_eq!((attendance.len(), attendance.dropped()), (1, 0));
}

#[test]
fn attendance_that_is_kept_from_now_on_begins_with_those_who_are_here() {
    let off = RoomLimits { keep_attendance: None, ..LIMITS };
    let now = |seconds| Now { moment: Duration::from_secs(seconds), unix_seconds: START + seconds };
    let mut room = Room::new(off, epoch(), now(0));
    let announced = Command::Announced {
        user_id: id(1),
        join: join("Ana", Some("a"), 1),
        kind: JoinKind::Opening,
    };
    room.apply(announced, now(3));
    assert_eq!(room.attendance(), None);
    let saved = room.save(now(5).moment);
    let room = Room::restore(saved, epoch(), None, LIMITS, now(5)).unwrap();
    let rows: Vec<_> = room.attendance().unwrap().rows(KEPT_FOR, START + 5).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].0, rows[0].1.here_since()), (id(1), Some(START + 3)));
    let saved = room.save(now(5).moment);
    let room = Room::restore(saved, epoch(), None, off, now(5)).unwrap();
    assert_eq!(room.attendance(), None);
}

#[test]
fn attendance_of_somebody_who_is_not_listed_makes_a_state_invalid() {
    let mut actual = Actual::new();
    let joined = Event::Joined {
        person: 1,
        tab: "a",
        is_visible: true,
        kind: JoinKind::Opening,
        name: "Ana",
    };
    actual.apply(&joined);
    let attendance = actual.room.save(actual.now().moment).attendance;
    let empty = Actual::new().room;
    let saved = SavedRoom { attendance: attendance.clone(), ..empty.save(Moment::ZERO) };
    let restored = Room::restore(saved, epoch(), None, LIMITS, actual.now());
    assert_eq!(restored.err(), Some(InvalidSavedRoom));
    let mut snapshot = serde_json::to_value(RoomSnapshot::of(&empty)).unwrap();
    snapshot["attendance"] = serde_json::to_value(attendance).unwrap();
    let snapshot: RoomSnapshot = serde_json::from_value(snapshot).unwrap();
    assert_eq!(Room::try_from(snapshot).err(), Some(InvalidSnapshotError));
}
