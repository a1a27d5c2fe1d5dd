//! What a room is after a restart.

use super::*;

#[test]
fn nobody_notices_a_restart_that_everybody_comes_back_from() {
    let mut scene = Scene::new();
    scene.announce(1, "a", 10).unwrap();
    scene.announce(1, "b", 11).unwrap();
    scene.announce(2, "a", 12).unwrap();
    scene.announce(3, "a", 13).unwrap();
    scene.wait(1_000);
    scene.close(2, 12);
    scene.break_off(3, 13);
    let told = scene.told();
    let mut scene = restarted(&scene);
    assert_eq!((scene.told(), scene.state(1), scene.state(3)), (told, HERE, RECONNECTING));
    assert_eq!(scene.room.log().difference(0, told).unwrap().new_user.len(), 3);
    scene.wait(14_999);
    for who in 1..=2 {
        scene.announce(who, "a", u64::from(who)).unwrap();
    }
    assert_eq!((scene.told(), scene.state(1), scene.state(2)), (told, HERE, HERE));
    scene.wait(1);
    // Only the one who did not come back is gone.
    assert_eq!((scene.told(), scene.state(3)), (told + 1, None));
    scene.wait(60_000);
    assert_eq!((scene.told(), scene.state(1), scene.state(2)), (told + 1, HERE, HERE));
}

#[test]
fn a_restart_gives_no_tab_its_way_back_again() {
    let mut scene = Scene::new();
    scene.announce(1, "a", 10).unwrap();
    scene.announce(1, "b", 11).unwrap();
    scene.break_off(1, 11);
    scene.wait(15_000);
    let mut scene = restarted(&scene);
    scene.announce(1, "a", 12).unwrap();
    scene.close(1, 12);
    scene.wait(2_000);
    assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Closed)));
}

#[test]
fn a_row_that_is_due_when_the_server_ends_is_held_like_the_others() {
    let mut scene = Scene::new();
    scene.announce(1, "a", 10).unwrap();
    scene.close(1, 10);
    scene.now += Duration::from_secs(2);
    let mut scene = restarted(&scene);
    assert_eq!(scene.state(1), HERE);
    scene.wait(15_000);
    assert_eq!(scene.last_departure(), Some(DepartureReason::Closed));
}

#[test]
fn what_was_kept_and_makes_no_sense_is_no_room() {
    let mut scene = Scene::new();
    scene.announce(1, "a", 10).unwrap();
    let saved = scene.room.save(scene.now);
    let nobody_behind = SavedRoom { people: Vec::new(), ..saved.clone() };
    let no_row = SavedRoom { users: Vec::new(), ..saved.clone() };
    let twice =
        SavedRoom { users: [saved.users.clone(), saved.users.clone()].concat(), ..saved.clone() };
    let too_few = SavedRoom { seq: 0, ..saved };
    for saved in [nobody_behind, no_row, twice, too_few] {
        assert_eq!(Room::restore(saved, LIMITS, Moment::ZERO).err(), Some(InvalidSavedRoom));
    }
}

/// One person in two tabs without a name, whose sockets are 10 and 11.
fn two_tabs_without_a_name() -> Scene {
    let mut scene = Scene::new();
    let now = Now { moment: scene.now, unix_seconds: 7 };
    for connection in [10, 11].map(ConnectionId) {
        let announced =
            Announced { tab: TabKey::Unnamed(connection), connection, is_visible: true };
        scene.room.announce(id(1), announced, name("Kim"), JoinKind::Opening, now).unwrap();
    }
    scene
}

/// Found by fuzzing: their order was turned round, and so which of them ended a row.
#[test]
fn tabs_without_a_name_are_kept_in_their_order() {
    let mut scene = two_tabs_without_a_name();
    scene.close(1, 10);
    restarted(&restarted(&scene));
}

#[test]
fn tabs_without_a_name_hold_the_row_over_a_restart() {
    let mut scene = restarted(&two_tabs_without_a_name());
    scene.wait(14_999);
    assert_eq!((scene.state(1), scene.told()), (HERE, 1));
    scene.wait(1);
    assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Lost)));
}
