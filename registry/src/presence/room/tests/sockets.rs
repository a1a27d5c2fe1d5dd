//! The sockets of a person, and their limits.

use super::*;

#[test]
fn socket_that_joins_for_a_connected_tab_replaces_the_old_one() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.join(1, "a", 10), Ok(None));
    assert_eq!(fixture.join(1, "a", 10), Ok(None));
    assert_eq!(fixture.join(1, "a", 11), Ok(Some(ConnectionId(10))));
    // The end of the replaced socket changes nothing.
    fixture.lose(1, 10);
    fixture.wait(60_000);
    assert_eq!((fixture.state(1), fixture.changes()), (HERE, 1));
    // Another person's tab may have the same id.
    assert_eq!(fixture.join(2, "a", 12), Ok(None));
}

/// Later frames of the old socket, such as `leave`, are older than the new join.
#[test]
fn socket_that_joins_replaces_the_one_its_tab_had_before_the_row_was_removed() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.join(1, "a", 10), Ok(None));
    assert_eq!(fixture.join(1, "b", 11), Ok(None));
    fixture.remove_row(1, DepartureReason::Left);
    assert_eq!(fixture.join(1, "a", 12), Ok(Some(ConnectionId(10))));
    // The same socket does not replace itself.
    assert_eq!(fixture.join(1, "b", 11), Ok(None));
    fixture.remove_row(1, DepartureReason::Left);
    fixture.close(1, 12);
    assert_eq!(fixture.join(1, "a", 13), Ok(None));
}

#[test]
fn socket_has_one_tab_at_a_time() {
    let mut fixture = Fixture::new();
    for tab in ["a", "b", "b", "c"] {
        assert_eq!(fixture.join(1, tab, 10), Ok(None));
    }
    fixture.close(1, 10);
    fixture.wait(2_000);
    assert_eq!((fixture.state(1), fixture.changes()), (None, 2));
    assert!(fixture.room.is_empty());
}

#[test]
fn watching_sockets_count_for_the_limit_of_their_person() {
    let mut fixture = Fixture::new();
    for connection in [10, 11, 10] {
        fixture.watch(1, connection).unwrap();
    }
    assert_eq!(fixture.watch(1, 12), Err(RequestError::TooManyTabs));
    assert_eq!(fixture.watch(2, 12), Ok(()));
    fixture.close(1, 10);
    // A watching socket that joins is counted once, also if it watches again.
    fixture.join(1, "a", 11).unwrap();
    fixture.watch(1, 11).unwrap();
    fixture.join(1, "b", 13).unwrap();
    assert_eq!(fixture.join(1, "c", 14), Err(RequestError::TooManyTabs));
    assert_eq!(fixture.join(1, "b", 13), Ok(None));
}

#[test]
fn joins_over_the_limits_of_room_and_person_are_refused() {
    let mut fixture = Fixture::new();
    for person in 1..=3 {
        fixture.join(person, "a", u64::from(person)).unwrap();
    }
    assert_eq!(fixture.join(4, "a", 4), Err(RequestError::RoomFull));
    fixture.join(1, "b", 5).unwrap();
    assert_eq!(fixture.join(1, "c", 6), Err(RequestError::TooManyTabs));
    assert_eq!(fixture.watch(1, 7), Err(RequestError::TooManyTabs));
    assert_eq!(fixture.join(1, "b", 8), Ok(Some(ConnectionId(5))));
    fixture.close(2, 2);
    assert_eq!(fixture.join(4, "a", 4), Err(RequestError::RoomFull));
    fixture.wait(2_000);
    assert_eq!(fixture.join(4, "a", 4), Ok(None));
}

#[test]
fn closed_room_lists_nobody_new_until_it_is_opened() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 1).unwrap();
    let set_closed = |is_closed| Command::JoiningChanged { is_closed };
    assert_eq!(fixture.apply(set_closed(true)), Outcome::Done);
    assert!(fixture.room.is_closed());
    assert_eq!(fixture.join(2, "a", 2), Err(RequestError::RoomClosed));
    // Who is listed has another tab, and comes back after a break.
    assert_eq!(fixture.join(1, "b", 3), Ok(None));
    fixture.lose(1, 1);
    fixture.lose(1, 3);
    assert_eq!(fixture.join(1, "a", 4), Ok(None));
    // Anybody may watch.
    assert_eq!(fixture.watch(2, 5), Ok(()));
    // Who left or was removed is new.
    fixture.remove_row(1, DepartureReason::Removed);
    assert_eq!(fixture.join(1, "a", 4), Err(RequestError::RoomClosed));
    fixture.apply(set_closed(false));
    assert_eq!(fixture.join(2, "a", 5), Ok(None));
    assert_eq!(fixture.changes(), 5);
}

#[test]
fn full_room_is_the_reason_also_for_a_person_with_too_many_sockets() {
    let mut fixture = Fixture::new();
    for person in 1..=3 {
        fixture.join(person, "a", u64::from(person)).unwrap();
    }
    fixture.watch(4, 4).unwrap();
    fixture.watch(4, 5).unwrap();
    assert_eq!(fixture.join(4, "a", 6), Err(RequestError::RoomFull));
    fixture.remove_row(1, DepartureReason::Left);
    assert_eq!(fixture.join(4, "a", 6), Err(RequestError::TooManyTabs));
}

#[test]
fn after_leaving_only_tabs_that_join_again_count() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.remove_row(1, DepartureReason::Left);
    assert_eq!(fixture.room.save(fixture.now).people, []);
    // The first tab is still open and visible, and does not count for the state.
    fixture.join_as(1, "b", 11, "Kim", false).unwrap();
    fixture.wait(30_000);
    assert_eq!(fixture.state(1), AWAY);
    fixture.close(1, 11);
    fixture.wait(2_000);
    assert_eq!(fixture.state(1), None);
    assert!(!fixture.room.is_empty());
}
