//! The life of a row, scene by scene.

use std::time::Duration;

mod list_size;
mod restart;
mod sockets;

use super::*;

const LIMITS: RoomLimits = RoomLimits { most_people: 3, most_connections_per_person: 2 };

fn id(number: u8) -> UserId {
    format!("user-----{number:02}").parse().unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A first frame from a visible page.
fn join(called: &str, tab: TabKey, connection: ConnectionId) -> Join {
    Join { name: name(called), tab, connection, is_visible: true, kind: JoinKind::Opening }
}

/// A room, and a clock that a test moves.
struct Scene {
    room: Room,
    now: Moment,
}

impl Scene {
    fn new() -> Self {
        Self { room: Room::new(LIMITS), now: Moment::ZERO }
    }

    fn join(
        &mut self,
        who: u8,
        tab: &str,
        connection: u64,
    ) -> Result<Option<ConnectionId>, RequestError> {
        self.join_as(who, tab, connection, "Kim", true)
    }

    fn join_as(
        &mut self,
        who: u8,
        tab: &str,
        connection: u64,
        called: &str,
        is_visible: bool,
    ) -> Result<Option<ConnectionId>, RequestError> {
        let tab = TabKey::Named(tab.parse().unwrap());
        let opening = join(called, tab, ConnectionId(connection));
        let now = Now { moment: self.now, unix_seconds: 7 };
        self.room.join(id(who), Join { is_visible, ..opening }, now)
    }

    fn end(&mut self, who: u8, connection: u64, reason: DepartureReason) {
        self.room.disconnect(id(who), ConnectionId(connection), reason, self.now);
    }

    fn close(&mut self, who: u8, connection: u64) {
        self.end(who, connection, DepartureReason::Closed);
    }

    fn break_off(&mut self, who: u8, connection: u64) {
        self.end(who, connection, DepartureReason::Lost);
    }

    fn set_visible(&mut self, who: u8, connection: u64, is_visible: bool) {
        self.room.set_visible(id(who), ConnectionId(connection), is_visible, self.now);
    }

    /// Lets time pass, and everything happen at its own moment.
    fn wait(&mut self, milliseconds: u64) {
        let until = self.now + Duration::from_millis(milliseconds);
        while let Some(deadline) = self.room.next_deadline().filter(|moment| *moment <= until) {
            self.now = self.now.max(deadline);
            self.room.tick(self.now);
        }
        self.now = until;
    }

    fn state(&self, who: u8) -> Option<PresenceState> {
        self.room.roster().get(&id(who)).map(|user| user.state)
    }

    fn last_departure(&self) -> Option<DepartureReason> {
        let seq = self.room.log().seq();
        let last = self.room.log().difference(seq - 1, seq)?;
        last.disconnect_user.iter().next().map(|(reason, _)| reason)
    }

    /// What everyone was told so far, counted.
    fn told(&self) -> u64 {
        self.room.log().seq()
    }
}

use crate::presence::tab_key::TabKey;

const HERE: Option<PresenceState> = Some(PresenceState::Here);
const AWAY: Option<PresenceState> = Some(PresenceState::Away);
const RECONNECTING: Option<PresenceState> = Some(PresenceState::Reconnecting);

#[test]
fn a_second_tab_is_nothing_to_the_others() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.join_as(1, "b", 11, "Other", true).unwrap();
    assert_eq!(scene.told(), 1);
    scene.close(1, 10);
    scene.wait(60_000);
    assert_eq!((scene.state(1), scene.told()), (HERE, 1));
}

#[test]
fn a_reload_is_nothing_to_the_others() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    for round in 0..10 {
        scene.close(1, 10 + round);
        scene.wait(1_999);
        scene.join(1, "a", 11 + round).unwrap();
    }
    scene.wait(60_000);
    assert_eq!((scene.state(1), scene.told()), (HERE, 1));
}

#[test]
fn a_clean_close_is_told_after_two_seconds() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.close(1, 10);
    scene.wait(1_999);
    assert_eq!(scene.state(1), HERE);
    scene.wait(1);
    assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Closed)));
    assert!(scene.room.is_empty());
}

#[test]
fn a_slow_reload_has_fifteen_seconds_once_its_page_was_served() {
    for served_before_the_close in [true, false] {
        let mut scene = Scene::new();
        scene.join(1, "a", 10).unwrap();
        scene.wait(1_000);
        if served_before_the_close {
            scene.room.note_page_load(id(1), scene.now);
        }
        scene.close(1, 10);
        if served_before_the_close {
            scene.wait(14_999);
        } else {
            scene.wait(1_000);
            scene.room.note_page_load(id(1), scene.now);
            scene.wait(13_999);
        }
        assert_eq!(scene.state(1), HERE);
        scene.join(1, "a", 11).unwrap();
        assert_eq!(scene.told(), 1);
        // The page that came is no reason to wait for another.
        scene.close(1, 11);
        scene.wait(2_000);
        assert_eq!(scene.state(1), None);
    }
}

#[test]
fn a_page_that_was_served_and_did_not_come_ends_as_a_close() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.close(1, 10);
    scene.room.note_page_load(id(1), scene.now);
    scene.wait(15_000);
    assert_eq!(scene.last_departure(), Some(DepartureReason::Closed));
}

#[test]
fn a_break_shows_at_once_and_is_lost_after_fifteen_seconds() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.break_off(1, 10);
    assert_eq!(scene.state(1), RECONNECTING);
    scene.wait(14_999);
    assert_eq!(scene.state(1), RECONNECTING);
    scene.wait(1);
    assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Lost)));
    assert_eq!(scene.told(), 3);
}

#[test]
fn who_comes_back_in_time_is_here() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.break_off(1, 10);
    scene.wait(14_999);
    scene.join(1, "a", 11).unwrap();
    assert_eq!((scene.state(1), scene.told()), (HERE, 3));
    // The deadline of the break is stale now, and wakes nobody.
    assert_eq!(scene.room.next_deadline(), None);
    scene.wait(60_000);
    assert_eq!((scene.state(1), scene.told()), (HERE, 3));
}

#[test]
fn one_of_two_tabs_may_break_unseen() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.join(1, "b", 11).unwrap();
    scene.break_off(1, 10);
    scene.wait(1_000);
    assert_eq!((scene.state(1), scene.told()), (HERE, 1));
    // The other closes cleanly: the state stays, and the row ends at the later deadline, as lost.
    scene.close(1, 11);
    scene.wait(13_999);
    assert_eq!((scene.state(1), scene.told()), (HERE, 1));
    scene.wait(1);
    assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Lost)));
}

#[test]
fn all_tabs_hidden_for_thirty_seconds_are_away() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.join_as(1, "b", 11, "Kim", false).unwrap();
    scene.wait(60_000);
    assert_eq!(scene.state(1), HERE);
    scene.set_visible(1, 10, false);
    scene.set_visible(1, 10, false);
    scene.wait(29_999);
    assert_eq!(scene.state(1), HERE);
    scene.wait(1);
    assert_eq!(scene.state(1), AWAY);
    scene.set_visible(1, 11, true);
    assert_eq!((scene.state(1), scene.told()), (HERE, 3));
}

#[test]
fn shown_for_a_moment_begins_the_thirty_seconds_anew() {
    let mut scene = Scene::new();
    scene.join_as(1, "a", 10, "Kim", false).unwrap();
    scene.wait(29_000);
    scene.set_visible(1, 10, true);
    scene.set_visible(1, 10, false);
    scene.wait(29_999);
    assert_eq!(scene.state(1), HERE);
    scene.wait(1);
    assert_eq!(scene.state(1), AWAY);
}

#[test]
fn only_connected_tabs_vote() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.join_as(1, "b", 11, "Kim", false).unwrap();
    scene.wait(60_000);
    // The visible one goes, and the hidden one has been hidden for long.
    scene.close(1, 10);
    assert_eq!(scene.state(1), AWAY);
    // A clean close of the last leaves the state as it was.
    scene.close(1, 11);
    assert_eq!(scene.state(1), AWAY);
    scene.join(1, "b", 12).unwrap();
    assert_eq!(scene.state(1), HERE);
}

#[test]
fn a_hidden_tab_that_comes_back_leaves_an_away_row_as_it_is() {
    let mut scene = Scene::new();
    scene.join_as(1, "a", 10, "Kim", false).unwrap();
    scene.wait(30_000);
    assert_eq!((scene.state(1), scene.told()), (AWAY, 2));
    // A reload, a second tab in the background, a restart: nothing was shown to anybody.
    scene.close(1, 10);
    scene.join_as(1, "a", 11, "Kim", false).unwrap();
    scene.join_as(1, "b", 12, "Kim", false).unwrap();
    let mut scene = restarted(&scene);
    scene.join_as(1, "a", 13, "Kim", false).unwrap();
    scene.wait(60_000);
    assert_eq!((scene.state(1), scene.told()), (AWAY, 2));
    scene.set_visible(1, 13, true);
    assert_eq!((scene.state(1), scene.told()), (HERE, 3));
}

#[test]
fn who_is_removed_goes_on_watching() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.room.remove_row(id(1), DepartureReason::Removed, scene.now);
    assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Removed)));
    assert!(!scene.room.is_empty());
    scene.close(1, 10);
    scene.wait(60_000);
    assert_eq!(scene.told(), 2);
    assert!(scene.room.is_empty());
}

#[test]
fn an_away_row_that_breaks_comes_back_here() {
    let mut scene = Scene::new();
    scene.join_as(1, "a", 10, "Kim", false).unwrap();
    scene.wait(40_000);
    scene.break_off(1, 10);
    assert_eq!(scene.state(1), RECONNECTING);
    scene.join_as(1, "a", 11, "Kim", false).unwrap();
    assert_eq!(scene.state(1), HERE);
    scene.wait(30_000);
    assert_eq!(scene.state(1), AWAY);
}

#[test]
fn goodbye_is_the_persons_and_leaves_no_way_back_unseen() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.join(1, "b", 11).unwrap();
    scene.break_off(1, 11);
    scene.room.remove_row(id(1), DepartureReason::Left, scene.now);
    assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Left)));
    scene.room.remove_row(id(1), DepartureReason::Left, scene.now);
    scene.close(1, 10);
    scene.wait(60_000);
    assert_eq!(scene.told(), 2);
    assert!(scene.room.is_empty());
    assert_eq!(scene.room.rename(id(1), name("Ann"), scene.now), Err(RequestError::NotListed));
}

#[test]
fn who_comes_too_late_is_somebody_new_to_the_others() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.break_off(1, 10);
    scene.wait(15_000);
    scene.join(1, "a", 11).unwrap();
    assert_eq!((scene.state(1), scene.told()), (HERE, 4));
}

#[test]
fn only_a_repeated_join_renames() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    let now = Now { moment: scene.now, unix_seconds: 9 };
    for (called, told) in [("Ann", 2), ("Ann", 2)] {
        let again = join(called, TabKey::Named("a".parse().unwrap()), ConnectionId(10));
        scene.room.join(id(1), Join { kind: JoinKind::Repeat, ..again }, now).unwrap();
        assert_eq!(scene.told(), told);
    }
    let row = scene.room.roster().get(&id(1)).unwrap();
    assert_eq!((row.name.as_str(), row.joined), ("Ann", 7));
}

fn restarted(scene: &Scene) -> Scene {
    let saved = scene.room.save(scene.now);
    let text = serde_json::to_string(&saved).unwrap();
    let now = Duration::from_millis(100);
    let room = Room::restore(serde_json::from_str(&text).unwrap(), LIMITS, now).unwrap();
    assert_eq!(room.save(now), saved, "nothing is lost on the way");
    Scene { room, now }
}

#[test]
fn a_page_that_was_served_is_waited_for_for_fifteen_seconds() {
    for (since_it_was_served, grace) in [(14_999, 15_000), (15_000, 2_000)] {
        let mut scene = Scene::new();
        scene.join(1, "a", 10).unwrap();
        scene.room.note_page_load(id(1), scene.now);
        scene.wait(since_it_was_served);
        scene.close(1, 10);
        scene.wait(grace - 1);
        assert_eq!(scene.state(1), HERE);
        scene.wait(1);
        assert_eq!(scene.state(1), None);
    }
}

#[test]
fn a_page_that_is_served_at_the_deadline_is_too_late() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.close(1, 10);
    // The deadline has come, and nobody has looked yet.
    scene.now += Duration::from_secs(2);
    scene.room.note_page_load(id(1), scene.now);
    assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Closed)));
}
