//! The states of a row and its departures, by hand-written cases.

use std::time::Duration;

mod attendance;
mod journal;
mod list_size;
mod restart;
mod servers;
mod snapshot;
mod sockets;

use super::*;

const LIMITS: RoomLimits =
    RoomLimits { most_people: 3, most_connections_per_person: 2, keep_attendance: None };

fn at(moment: Moment) -> Now {
    Now { moment, unix_seconds: 7 }
}

fn epoch() -> Epoch {
    Epoch::from_number(1)
}

fn id(number: u8) -> UserId {
    format!("user-----{number:02}").parse().unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A join from a visible page.
fn join(called: &str, tab: Option<&str>, connection: u64) -> Join {
    let tab = tab.map(|tab| tab.parse().unwrap());
    Join { name: name(called), tab, connection: ConnectionId(connection), is_visible: true }
}

/// A room with its watchers, and a clock that the test moves.
struct Fixture {
    room: Room,
    watchers: Watchers,
    now: Moment,
}

impl Fixture {
    fn new() -> Self {
        Self::of(Room::new(LIMITS, epoch(), at(Moment::ZERO)), Moment::ZERO)
    }

    fn of(room: Room, now: Moment) -> Self {
        Self { room, watchers: Watchers::default(), now }
    }

    fn apply(&mut self, command: Command) -> Outcome {
        self.room.apply(command, at(self.now))
    }

    fn announce(
        &mut self,
        person: u8,
        join: Join,
        kind: JoinKind,
    ) -> Result<Option<ConnectionId>, RequestError> {
        let connection = join.connection;
        self.watchers.check_join(&self.room, id(person), connection, join.tab.as_ref())?;
        let replaced = match self.apply(Command::Announced { user_id: id(person), join, kind }) {
            Outcome::Replaced(replaced) => Some(replaced),
            outcome => outcome.accepted().map(|()| None)?,
        };
        self.watchers.remove(id(person), connection);
        Ok(replaced)
    }

    fn watch(&mut self, person: u8, connection: u64) -> Result<(), RequestError> {
        self.watchers.watch(&self.room, id(person), ConnectionId(connection))
    }

    fn remove_row(&mut self, person: u8, reason: DepartureReason) {
        self.apply(Command::RowRemoved { user_id: id(person), reason });
    }

    fn load_page(&mut self, person: u8) {
        self.apply(Command::PageServed { user_id: id(person) });
    }

    fn join(
        &mut self,
        person: u8,
        tab: &str,
        connection: u64,
    ) -> Result<Option<ConnectionId>, RequestError> {
        self.join_as(person, tab, connection, "Kim", true)
    }

    fn join_as(
        &mut self,
        person: u8,
        tab: &str,
        connection: u64,
        called: &str,
        is_visible: bool,
    ) -> Result<Option<ConnectionId>, RequestError> {
        let join = Join { is_visible, ..join(called, Some(tab), connection) };
        self.announce(person, join, JoinKind::Opening)
    }

    fn end(&mut self, person: u8, connection: u64, reason: DepartureReason) {
        let connection = ConnectionId(connection);
        if !self.watchers.remove(id(person), connection) {
            self.apply(Command::Disconnected { user_id: id(person), connection, reason });
        }
    }

    fn close(&mut self, person: u8, connection: u64) {
        self.end(person, connection, DepartureReason::Closed);
    }

    fn lose(&mut self, person: u8, connection: u64) {
        self.end(person, connection, DepartureReason::Lost);
    }

    fn set_visible(&mut self, person: u8, connection: u64, is_visible: bool) {
        let (user_id, connection) = (id(person), ConnectionId(connection));
        self.apply(Command::VisibilityChanged { user_id, connection, is_visible });
    }

    /// Lets time pass, with every deadline at its exact time.
    fn wait(&mut self, milliseconds: u64) {
        let until = self.now + Duration::from_millis(milliseconds);
        while let Some(deadline) = self.room.next_deadline().filter(|moment| *moment <= until) {
            self.now = self.now.max(deadline);
            self.apply(Command::Tick);
        }
        self.now = until;
    }

    fn state(&self, person: u8) -> Option<PresenceState> {
        self.room.roster().get(&id(person)).map(|user| user.state)
    }

    fn last_departure(&self) -> Option<DepartureReason> {
        let seq = self.room.log().seq();
        let last = self.room.log().difference(seq - 1, seq)?;
        last.disconnect_user.iter().next().map(|(reason, _)| reason)
    }

    /// The number of changes so far.
    fn changes(&self) -> u64 {
        self.room.log().seq()
    }
}

use crate::presence::watchers::Watchers;

const HERE: Option<PresenceState> = Some(PresenceState::Here);
const AWAY: Option<PresenceState> = Some(PresenceState::Away);
const RECONNECTING: Option<PresenceState> = Some(PresenceState::Reconnecting);

#[test]
fn second_tab_changes_nothing() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.join_as(1, "b", 11, "Other", true).unwrap();
    assert_eq!(fixture.changes(), 1);
    fixture.close(1, 10);
    fixture.wait(60_000);
    assert_eq!((fixture.state(1), fixture.changes()), (HERE, 1));
}

#[test]
fn reload_within_the_grace_period_changes_nothing() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    for round in 0..10 {
        fixture.close(1, 10 + round);
        fixture.wait(1_999);
        fixture.join(1, "a", 11 + round).unwrap();
    }
    fixture.wait(60_000);
    assert_eq!((fixture.state(1), fixture.changes()), (HERE, 1));
}

#[test]
fn clean_close_removes_the_row_after_two_seconds() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.close(1, 10);
    fixture.wait(1_999);
    assert_eq!(fixture.state(1), HERE);
    fixture.wait(1);
    assert_eq!((fixture.state(1), fixture.last_departure()), (None, Some(DepartureReason::Closed)));
    assert!(fixture.room.is_empty());
}

#[test]
fn slow_reload_has_fifteen_seconds_once_its_page_is_loaded() {
    for is_loaded_before_the_close in [true, false] {
        let mut fixture = Fixture::new();
        fixture.join(1, "a", 10).unwrap();
        fixture.wait(1_000);
        if is_loaded_before_the_close {
            fixture.load_page(1);
        }
        fixture.close(1, 10);
        if is_loaded_before_the_close {
            fixture.wait(14_999);
        } else {
            fixture.wait(1_000);
            fixture.load_page(1);
            fixture.wait(13_999);
        }
        assert_eq!(fixture.state(1), HERE);
        fixture.join(1, "a", 11).unwrap();
        assert_eq!(fixture.changes(), 1);
        // The page load counts for one join only.
        fixture.close(1, 11);
        fixture.wait(2_000);
        assert_eq!(fixture.state(1), None);
    }
}

#[test]
fn page_load_without_a_join_keeps_the_reason_of_the_close() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.close(1, 10);
    fixture.load_page(1);
    fixture.wait(15_000);
    assert_eq!(fixture.last_departure(), Some(DepartureReason::Closed));
}

#[test]
fn lost_tab_shows_at_once_and_is_removed_after_fifteen_seconds() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.lose(1, 10);
    assert_eq!(fixture.state(1), RECONNECTING);
    fixture.wait(14_999);
    assert_eq!(fixture.state(1), RECONNECTING);
    fixture.wait(1);
    assert_eq!((fixture.state(1), fixture.last_departure()), (None, Some(DepartureReason::Lost)));
    assert_eq!(fixture.changes(), 3);
}

#[test]
fn lost_tab_that_joins_in_time_is_here() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.lose(1, 10);
    fixture.wait(14_999);
    fixture.join(1, "a", 11).unwrap();
    assert_eq!((fixture.state(1), fixture.changes()), (HERE, 3));
    // The deadline of the lost tab is dropped.
    assert_eq!(fixture.room.next_deadline(), None);
    fixture.wait(60_000);
    assert_eq!((fixture.state(1), fixture.changes()), (HERE, 3));
}

#[test]
fn losing_one_of_two_tabs_changes_nothing() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.join(1, "b", 11).unwrap();
    fixture.lose(1, 10);
    fixture.wait(1_000);
    assert_eq!((fixture.state(1), fixture.changes()), (HERE, 1));
    // The other tab closes cleanly: the row keeps its state until the later deadline, and is lost then.
    fixture.close(1, 11);
    fixture.wait(13_999);
    assert_eq!((fixture.state(1), fixture.changes()), (HERE, 1));
    fixture.wait(1);
    assert_eq!((fixture.state(1), fixture.last_departure()), (None, Some(DepartureReason::Lost)));
}

#[test]
fn row_is_away_after_all_tabs_are_hidden_for_thirty_seconds() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.join_as(1, "b", 11, "Kim", false).unwrap();
    fixture.wait(60_000);
    assert_eq!(fixture.state(1), HERE);
    fixture.set_visible(1, 10, false);
    fixture.set_visible(1, 10, false);
    fixture.wait(29_999);
    assert_eq!(fixture.state(1), HERE);
    fixture.wait(1);
    assert_eq!(fixture.state(1), AWAY);
    fixture.set_visible(1, 11, true);
    assert_eq!((fixture.state(1), fixture.changes()), (HERE, 3));
}

#[test]
fn showing_a_tab_restarts_the_thirty_seconds() {
    let mut fixture = Fixture::new();
    fixture.join_as(1, "a", 10, "Kim", false).unwrap();
    fixture.wait(29_000);
    fixture.set_visible(1, 10, true);
    fixture.set_visible(1, 10, false);
    fixture.wait(29_999);
    assert_eq!(fixture.state(1), HERE);
    fixture.wait(1);
    assert_eq!(fixture.state(1), AWAY);
}

#[test]
fn only_connected_tabs_count_for_the_state() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.join_as(1, "b", 11, "Kim", false).unwrap();
    fixture.wait(60_000);
    // The visible tab ends, and the other one has been hidden for long.
    fixture.close(1, 10);
    assert_eq!(fixture.state(1), AWAY);
    // A clean close of the last tab does not change the state.
    fixture.close(1, 11);
    assert_eq!(fixture.state(1), AWAY);
    fixture.join(1, "b", 12).unwrap();
    assert_eq!(fixture.state(1), HERE);
}

#[test]
fn hidden_tab_that_comes_back_does_not_change_an_away_row() {
    let mut fixture = Fixture::new();
    fixture.join_as(1, "a", 10, "Kim", false).unwrap();
    fixture.wait(30_000);
    assert_eq!((fixture.state(1), fixture.changes()), (AWAY, 2));
    // A reload, a second tab in the background, a restart: no tab is shown.
    fixture.close(1, 10);
    fixture.join_as(1, "a", 11, "Kim", false).unwrap();
    fixture.join_as(1, "b", 12, "Kim", false).unwrap();
    let mut fixture = restarted(&fixture);
    fixture.join_as(1, "a", 13, "Kim", false).unwrap();
    fixture.wait(60_000);
    assert_eq!((fixture.state(1), fixture.changes()), (AWAY, 2));
    fixture.set_visible(1, 13, true);
    assert_eq!((fixture.state(1), fixture.changes()), (HERE, 3));
}

#[test]
fn removed_person_goes_on_watching() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.remove_row(1, DepartureReason::Removed);
    assert_eq!(
        (fixture.state(1), fixture.last_departure()),
        (None, Some(DepartureReason::Removed))
    );
    assert!(!fixture.room.is_empty());
    fixture.close(1, 10);
    fixture.wait(60_000);
    assert_eq!(fixture.changes(), 2);
    assert!(fixture.room.is_empty());
}

#[test]
fn lost_away_row_is_here_when_it_comes_back() {
    let mut fixture = Fixture::new();
    fixture.join_as(1, "a", 10, "Kim", false).unwrap();
    fixture.wait(40_000);
    fixture.lose(1, 10);
    assert_eq!(fixture.state(1), RECONNECTING);
    fixture.join_as(1, "a", 11, "Kim", false).unwrap();
    assert_eq!(fixture.state(1), HERE);
    fixture.wait(30_000);
    assert_eq!(fixture.state(1), AWAY);
}

#[test]
fn leaving_ends_all_tabs_and_their_grace_periods() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.join(1, "b", 11).unwrap();
    fixture.lose(1, 11);
    fixture.remove_row(1, DepartureReason::Left);
    assert_eq!((fixture.state(1), fixture.last_departure()), (None, Some(DepartureReason::Left)));
    fixture.remove_row(1, DepartureReason::Left);
    fixture.close(1, 10);
    fixture.wait(60_000);
    assert_eq!(fixture.changes(), 2);
    assert!(fixture.room.is_empty());
    let renamed = fixture.apply(Command::Renamed { user_id: id(1), name: name("Ann") });
    assert_eq!(renamed, Outcome::Refused(RequestError::NotListed));
}

#[test]
fn rejoining_after_the_grace_period_is_a_new_join() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.lose(1, 10);
    fixture.wait(15_000);
    fixture.join(1, "a", 11).unwrap();
    assert_eq!((fixture.state(1), fixture.changes()), (HERE, 4));
}

#[test]
fn only_a_repeated_join_renames() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    let now = Now { moment: fixture.now, unix_seconds: 9 };
    for (called, changes) in [("Ann", 2), ("Ann", 2)] {
        let (join, kind) = (join(called, Some("a"), 10), JoinKind::Repeat);
        let again = Command::Announced { user_id: id(1), join, kind };
        assert_eq!(fixture.room.apply(again, now), Outcome::Done);
        assert_eq!(fixture.changes(), changes);
    }
    let row = fixture.room.roster().get(&id(1)).unwrap();
    assert_eq!((row.name.as_str(), row.joined), ("Ann", 7));
}

fn restarted(fixture: &Fixture) -> Fixture {
    let saved = fixture.room.save(fixture.now);
    let text = serde_json::to_string(&saved).unwrap();
    let now = Duration::from_millis(100);
    let restored =
        Room::restore(serde_json::from_str(&text).unwrap(), epoch(), None, LIMITS, at(now));
    let room = restored.unwrap();
    assert_eq!(room.save(now), saved, "saving and restoring loses nothing");
    Fixture::of(room, now)
}

#[test]
fn page_load_extends_the_grace_period_of_later_closes() {
    for (since_page_load, grace) in [(14_999, 15_000), (15_000, 2_000)] {
        let mut fixture = Fixture::new();
        fixture.join(1, "a", 10).unwrap();
        fixture.load_page(1);
        fixture.wait(since_page_load);
        fixture.close(1, 10);
        fixture.wait(grace - 1);
        assert_eq!(fixture.state(1), HERE);
        fixture.wait(1);
        assert_eq!(fixture.state(1), None);
    }
}

#[test]
fn page_load_at_the_deadline_is_too_late() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.close(1, 10);
    // The deadline has come, and `tick` was not called yet.
    fixture.now += Duration::from_secs(2);
    fixture.load_page(1);
    assert_eq!((fixture.state(1), fixture.last_departure()), (None, Some(DepartureReason::Closed)));
}
