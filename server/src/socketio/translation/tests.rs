//! A page that follows events ends with the list of its room.

use app::presence::{Changes, Name, PresenceState, Renamed};
use proptest::prelude::*;
use registry::presence::log::{Change, Log};
use serde_json::Value;

use super::*;

/// A page that follows the events as the contract has them.
#[derive(Clone, Debug, Default)]
struct Page(Vec<Value>);

impl Page {
    fn emit(&mut self, event: &str) {
        let event: Value = serde_json::from_str(event).unwrap();
        let row = &event[1];
        let place = self.0.iter().position(|box_| box_["id"] == row["id"]);
        match event[0].as_str().unwrap() {
            // As the original design's script does: boxes are only added, and go by id.
            "existing_users" => {
                for row in row.as_array().unwrap() {
                    match self.0.iter().position(|box_| box_["id"] == row["id"]) {
                        Some(place) => self.0[place] = row.clone(),
                        None => self.0.push(row.clone()),
                    }
                }
            }
            "new_user" => match place {
                Some(place) => self.0[place] = row.clone(),
                None => self.0.push(row.clone()),
            },
            "user_changed" => {
                if let Some(place) = place {
                    self.0[place] = row.clone();
                }
            }
            "disconnect_user" | "disconnected_user" => {
                assert_ne!(row["name"], "", "{row}");
                if let Some(place) = place {
                    self.0.remove(place);
                }
            }
            other => panic!("{other}"),
        }
    }

    fn rows(&self) -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or("here").to_owned();
        let rows = self.0.iter();
        rows.map(|row| (text(&row["id"]), text(&row["name"]), text(&row["state"]))).collect()
    }
}

fn rows(roster: &Roster) -> Vec<(String, String, String)> {
    let row =
        |user: &User| (user.id.to_string(), user.name.to_string(), user.state.as_str().to_owned());
    roster.users().map(row).collect()
}

fn id(number: u8) -> UserId {
    format!("user-----{number:02}").parse().unwrap()
}

fn user(number: u8) -> User {
    let name = Name::parse(&format!("Name {number}")).unwrap();
    User { id: id(number), name, joined: 5, state: PresenceState::Here }
}

/// A change that the room may record now, made of any numbers.
fn change(roster: &Roster, (number, choice, other): (u8, u8, u8)) -> Option<Change> {
    let id = id(number);
    let Some(row) = roster.get(&id) else { return Some(Change::Joined(user(number))) };
    match choice {
        0..4 => Some(Change::Departed { id, reason: DepartureReason::Closed }),
        4 => {
            let after = Name::parse(&format!("Other {other}")).unwrap();
            Some(Change::Renamed { id, before: row.name.clone(), after })
        }
        _ => {
            let states = [PresenceState::Here, PresenceState::Away, PresenceState::Reconnecting];
            let after = states[usize::from(other) % 3];
            let before = row.state;
            (before != after).then_some(Change::StateChanged { id, before, after })
        }
    }
}

/// The history of a room: its log, and the list after each change.
fn history(choices: Vec<(u8, u8, u8)>) -> (Log, Vec<Roster>) {
    let (mut log, mut lists) = (Log::default(), vec![Roster::default()]);
    for choice in choices {
        let mut roster = lists.last().unwrap().clone();
        if let Some(change) = change(&roster, choice) {
            roster.apply(&change.as_difference()).unwrap();
            log.push(change, Duration::ZERO);
            lists.push(roster);
        }
    }
    (log, lists)
}

proptest! {
    /// A page that takes any steps through a room's history, while what is known is anywhere ahead of it, ends
    /// with the room's list: also where one of its steps is a whole list.
    #[test]
    fn page_ends_with_the_list_of_the_room(
        choices in prop::collection::vec((0..8_u8, 0..6_u8, 0..9_u8), 1..60),
        steps in prop::collection::vec((0..20_usize, 0..20_usize, 0..8_u8), 1..20),
    ) {
        let (log, lists) = history(choices);
        let last = lists.len() - 1;
        let (mut page, mut known) = (Page::default(), KnownRows::default());
        let (mut at, mut known_at, mut sent_ahead) = (0, 0, Vec::new());
        let difference = |from: usize, to: usize| {
            let (from, to) = (u64::try_from(from).unwrap(), u64::try_from(to).unwrap());
            Update::Difference(log.difference(from, to).unwrap())
        };
        for (step, ahead, kind) in steps.into_iter().chain([(last, last, 1)]) {
            let to = (at + step).min(last);
            let know = (known_at.max(to) + ahead).min(last);
            known.follow(&difference(known_at, know), Duration::ZERO).unwrap();
            known_at = know;
            let update = match kind {
                0 => Update::List(lists[to].users().cloned().collect()),
                _ => difference(at, to),
            };
            known.events(&update, &sent_ahead).iter().for_each(|event| page.emit(event));
            known.note_rows(&update, Duration::ZERO);
            sent_ahead.extend(update.changed_rows());
            if know == to || matches!(update, Update::List(_)) {
                sent_ahead.clear();
            }
            at = to;
        }
        let ids = |rows: &[(String, String, String)]| {
            rows.iter().map(|(id, ..)| id.clone()).collect::<std::collections::BTreeSet<_>>()
        };
        let (shown, expected) = (page.rows(), rows(&lists[last]));
        prop_assert_eq!(ids(&shown), ids(&expected));
        for row in &expected {
            prop_assert!(shown.contains(row), "{:?} in {:?}", row, shown);
        }
    }

    /// Without lists in between, and with what is known at the same position, the order is the room's as well.
    #[test]
    fn page_keeps_the_order_of_arrival(
        choices in prop::collection::vec((0..8_u8, 0..6_u8, 0..9_u8), 1..60),
        steps in prop::collection::vec(0..20_usize, 1..20),
    ) {
        let (log, lists) = history(choices);
        let last = lists.len() - 1;
        let (mut page, mut at, mut known) = (Page::default(), 0, KnownRows::default());
        for step in steps.into_iter().chain([last]) {
            let to = (at + step).min(last);
            let (from, until) = (u64::try_from(at).unwrap(), u64::try_from(to).unwrap());
            let update = Update::Difference(log.difference(from, until).unwrap());
            known.follow(&update, Duration::ZERO).unwrap();
            known.events(&update, &[]).iter().for_each(|event| page.emit(event));
            at = to;
            prop_assert_eq!(page.rows(), rows(&lists[at]));
            prop_assert_eq!(known.roster(), &lists[at]);
        }
    }

    /// Pieces of a difference are one update.
    #[test]
    fn pieces_are_read_as_one_update(numbers in prop::collection::vec(0..90_u8, 0..30), cut: prop::sample::Index) {
        let mut numbers = numbers;
        numbers.sort_unstable();
        numbers.dedup();
        let users: Vec<User> = numbers.into_iter().map(user).collect();
        let cut = cut.index(users.len() + 1);
        let frame = |users: &[User]| {
            let difference = Difference { new_user: users.to_vec(), ..Difference::default() };
            let changes = Changes { from: 1, seq: 2, difference };
            serde_json::to_string(&ServerEvent::Changes(changes)).unwrap()
        };
        let frames = [frame(&users[..cut]), frame(&users[cut..])];
        let read = ReadBatch::of(frames.iter().map(String::as_str)).unwrap();
        let whole = Difference { new_user: users, ..Difference::default() };
        prop_assert_eq!(read, ReadBatch { update: Update::Difference(whole), is_reply: false });
    }
}

#[test]
fn person_who_is_renamed_and_away_is_one_event() {
    let mut known = KnownRows::default();
    known.follow(&Update::List(vec![user(1)]), Duration::ZERO).unwrap();
    let mut difference = Difference::default();
    difference.user_changed.away.push(id(1));
    let name = Name::parse("Ann").unwrap();
    difference.user_changed.renamed.push(Renamed { id: id(1), name });
    let update = Update::Difference(difference);
    known.follow(&update, Duration::ZERO).unwrap();
    let events = known.events(&update, &[]);
    assert_eq!(events.len(), 1);
    assert!(events[0].contains("Ann") && events[0].contains("away"), "{}", events[0]);
}

#[test]
fn departed_rows_are_forgotten_after_a_while() {
    let mut known = KnownRows::default();
    let leave = |number| {
        let mut difference = Difference::default();
        difference.disconnect_user.left.push(id(number));
        Update::Difference(difference)
    };
    known.follow(&Update::List(vec![user(1), user(2)]), Duration::ZERO).unwrap();
    known.follow(&leave(1), Duration::ZERO).unwrap();
    assert!(known.events(&leave(1), &[])[0].contains("Name 1"));
    known.follow(&leave(2), DEPARTED_KNOWN_FOR + Duration::from_secs(1)).unwrap();
    assert!(known.departed.contains_key(&id(2)) && !known.departed.contains_key(&id(1)));
    assert_eq!((known.departed.len(), known.order.len()), (1, 1));
    // The event is still right by its id.
    assert!(known.events(&leave(1), &[])[0].contains(r#""name":"""#));
}

#[test]
fn difference_that_does_not_fit_is_a_gap() {
    let mut known = KnownRows::default();
    let mut difference = Difference::default();
    difference.disconnect_user.left.push(id(1));
    assert_eq!(known.follow(&Update::Difference(difference), Duration::ZERO), Err(GapError));
}

#[test]
fn frames_of_other_kinds_are_no_update() {
    assert_eq!(ReadBatch::of([]), None);
    assert_eq!(ReadBatch::of([r#"{"event":"dance"}"#]), None);
    assert_eq!(ReadBatch::of(["?"]), None);
}
