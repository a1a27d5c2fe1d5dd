//! A room after a restart.

use super::*;

#[test]
fn restart_changes_nothing_for_tabs_that_come_back() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.join(1, "b", 11).unwrap();
    fixture.join(2, "a", 12).unwrap();
    fixture.join(3, "a", 13).unwrap();
    fixture.wait(1_000);
    fixture.close(2, 12);
    fixture.lose(3, 13);
    let changes = fixture.changes();
    let mut fixture = restarted(&fixture);
    assert_eq!(
        (fixture.changes(), fixture.state(1), fixture.state(3)),
        (changes, HERE, RECONNECTING)
    );
    assert_eq!(fixture.room.log().difference(0, changes).unwrap().new_user.len(), 3);
    fixture.wait(14_999);
    for person in 1..=2 {
        fixture.join(person, "a", u64::from(person)).unwrap();
    }
    assert_eq!((fixture.changes(), fixture.state(1), fixture.state(2)), (changes, HERE, HERE));
    fixture.wait(1);
    // Only the person who did not come back is removed.
    assert_eq!((fixture.changes(), fixture.state(3)), (changes + 1, None));
    fixture.wait(60_000);
    assert_eq!((fixture.changes(), fixture.state(1), fixture.state(2)), (changes + 1, HERE, HERE));
}

#[test]
fn restart_does_not_renew_an_expired_grace_period() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.join(1, "b", 11).unwrap();
    fixture.lose(1, 11);
    fixture.wait(15_000);
    let mut fixture = restarted(&fixture);
    fixture.join(1, "a", 12).unwrap();
    fixture.close(1, 12);
    fixture.wait(2_000);
    assert_eq!((fixture.state(1), fixture.last_departure()), (None, Some(DepartureReason::Closed)));
}

#[test]
fn row_that_is_due_at_a_restart_is_held_like_the_others() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.close(1, 10);
    fixture.now += Duration::from_secs(2);
    let mut fixture = restarted(&fixture);
    assert_eq!(fixture.state(1), HERE);
    fixture.wait(15_000);
    assert_eq!(fixture.last_departure(), Some(DepartureReason::Closed));
}

#[test]
fn closed_room_is_closed_after_a_restart() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.apply(Command::JoiningChanged { is_closed: true });
    let mut fixture = restarted(&fixture);
    assert_eq!(fixture.join(2, "a", 11), Err(RequestError::RoomClosed));
    assert_eq!(fixture.join(1, "a", 12), Ok(None));
}

#[test]
fn contradictory_saved_room_is_invalid() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    let saved = fixture.room.save(fixture.now);
    let no_people = SavedRoom { people: Vec::new(), ..saved.clone() };
    let no_rows = SavedRoom { users: Vec::new(), ..saved.clone() };
    let equal_rows =
        SavedRoom { users: [saved.users.clone(), saved.users.clone()].concat(), ..saved.clone() };
    let too_many_changes = SavedRoom { seq: 0, ..saved };
    for saved in [no_people, no_rows, equal_rows, too_many_changes] {
        let restored = Room::restore(saved, epoch(), None, LIMITS, at(Moment::ZERO));
        assert_eq!(restored.err(), Some(InvalidSavedRoom));
    }
}

/// One person in two unnamed tabs, whose sockets are 10 and 11.
fn two_unnamed_tabs() -> Fixture {
    let mut fixture = Fixture::new();
    for connection in [10, 11] {
        fixture.announce(1, join("Kim", None, connection), JoinKind::Opening).unwrap();
    }
    fixture
}

/// Found by fuzzing: the order was reversed, and with it the tab that gave the reason of the departure.
#[test]
fn unnamed_tabs_are_saved_in_their_order() {
    let mut fixture = two_unnamed_tabs();
    fixture.close(1, 10);
    restarted(&restarted(&fixture));
}

#[test]
fn unnamed_tabs_hold_the_row_after_a_restart() {
    let mut fixture = restarted(&two_unnamed_tabs());
    fixture.wait(14_999);
    assert_eq!((fixture.state(1), fixture.changes()), (HERE, 1));
    fixture.wait(1);
    assert_eq!((fixture.state(1), fixture.last_departure()), (None, Some(DepartureReason::Lost)));
}
