//! Which sockets stand behind a person, and how many may.

use super::*;

#[test]
fn a_socket_that_joins_for_a_connected_tab_replaces_the_old_one() {
    let mut scene = Scene::new();
    assert_eq!(scene.join(1, "a", 10), Ok(None));
    assert_eq!(scene.join(1, "a", 10), Ok(None));
    assert_eq!(scene.join(1, "a", 11), Ok(Some(ConnectionId(10))));
    // The end of the one that was replaced is nothing.
    scene.break_off(1, 10);
    scene.wait(60_000);
    assert_eq!((scene.state(1), scene.told()), (HERE, 1));
    // A tab's name is its person's own.
    assert_eq!(scene.join(2, "a", 12), Ok(None));
}

/// What the old one still has to say, be it that its person leaves, is older than their joining again.
#[test]
fn a_socket_that_joins_again_replaces_the_one_that_its_tab_had_before_the_row_went() {
    let mut scene = Scene::new();
    assert_eq!(scene.join(1, "a", 10), Ok(None));
    assert_eq!(scene.join(1, "b", 11), Ok(None));
    scene.room.remove_row(id(1), DepartureReason::Left, scene.now);
    assert_eq!(scene.join(1, "a", 12), Ok(Some(ConnectionId(10))));
    // It is one and the same socket, or was another tab's.
    assert_eq!(scene.join(1, "b", 11), Ok(None));
    scene.room.remove_row(id(1), DepartureReason::Left, scene.now);
    scene.close(1, 12);
    assert_eq!(scene.join(1, "a", 13), Ok(None));
}

#[test]
fn a_socket_speaks_for_one_tab_at_a_time() {
    let mut scene = Scene::new();
    for tab in ["a", "b", "b", "c"] {
        assert_eq!(scene.join(1, tab, 10), Ok(None));
    }
    scene.close(1, 10);
    scene.wait(2_000);
    assert_eq!((scene.state(1), scene.told()), (None, 2));
    assert!(scene.room.is_empty());
}

#[test]
fn sockets_that_only_watch_count_as_their_persons() {
    let mut scene = Scene::new();
    for connection in [10, 11, 10] {
        scene.room.watch(id(1), ConnectionId(connection)).unwrap();
    }
    assert_eq!(scene.room.watch(id(1), ConnectionId(12)), Err(RequestError::TooManyTabs));
    assert_eq!(scene.room.watch(id(2), ConnectionId(12)), Ok(()));
    scene.close(1, 10);
    // A watching socket that joins is the same one as before, also if it watches again.
    scene.join(1, "a", 11).unwrap();
    scene.room.watch(id(1), ConnectionId(11)).unwrap();
    scene.join(1, "b", 13).unwrap();
    assert_eq!(scene.join(1, "c", 14), Err(RequestError::TooManyTabs));
    assert_eq!(scene.join(1, "b", 13), Ok(None));
}

#[test]
fn a_full_room_and_a_person_with_too_many_sockets_are_refused() {
    let mut scene = Scene::new();
    for who in 1..=3 {
        scene.join(who, "a", u64::from(who)).unwrap();
    }
    assert_eq!(scene.join(4, "a", 4), Err(RequestError::RoomFull));
    scene.join(1, "b", 5).unwrap();
    assert_eq!(scene.join(1, "c", 6), Err(RequestError::TooManyTabs));
    assert_eq!(scene.room.watch(id(1), ConnectionId(7)), Err(RequestError::TooManyTabs));
    assert_eq!(scene.join(1, "b", 8), Ok(Some(ConnectionId(5))));
    scene.close(2, 2);
    assert_eq!(scene.join(4, "a", 4), Err(RequestError::RoomFull));
    scene.wait(2_000);
    assert_eq!(scene.join(4, "a", 4), Ok(None));
}

#[test]
fn after_leaving_only_a_tab_that_joins_again_stands_behind_the_row() {
    let mut scene = Scene::new();
    scene.join(1, "a", 10).unwrap();
    scene.room.remove_row(id(1), DepartureReason::Left, scene.now);
    assert_eq!(scene.room.save(scene.now).people, []);
    // The other tab is still open and visible, and has no vote.
    scene.join_as(1, "b", 11, "Kim", false).unwrap();
    scene.wait(30_000);
    assert_eq!(scene.state(1), AWAY);
    scene.close(1, 11);
    scene.wait(2_000);
    assert_eq!(scene.state(1), None);
    assert!(!scene.room.is_empty());
}
