//! The end of a server, and sockets that a server tells the room of again.

use super::{
    journal::{JOINED, Journal, removed, server, socket},
    *,
};
use crate::presence::{
    entry::{Pause, ServerJoined},
    servers::{MEMORY, ServerExit},
};

/// A socket that was listed at a moment, and is told again.
fn restored(of: u32, person: u8, tab: &str, number: u32, announced_at: Moment) -> Command {
    let join = join("Other", Some(tab), socket(of, number).0);
    Command::Restored { user_id: id(person), join, announced_at }
}

#[test]
fn people_of_a_dead_server_are_reconnecting_at_once_and_removed_after_their_grace_period() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    journal.announce(1, 2, "a", 11);
    journal.announce(2, 2, "b", 10);
    journal.leave(1, 0, ServerExit::LeaseExpired);
    // Person 2 has a tab on the other server.
    assert_eq!((journal.state(1), journal.state(2), journal.changes()), (RECONNECTING, HERE, 3));
    journal.tick_after(14_999);
    assert_eq!(journal.state(1), RECONNECTING);
    journal.tick_after(1);
    assert_eq!((journal.state(1), journal.state(2), journal.changes()), (None, HERE, 4));
    // The tab on the other server closes cleanly, which shows nothing yet.
    let (connection, reason) = (socket(2, 10), DepartureReason::Closed);
    journal.submit(2, Command::Disconnected { user_id: id(2), connection, reason });
    assert_eq!((journal.state(2), journal.changes()), (HERE, 4));
}

#[test]
fn person_who_comes_to_another_server_in_time_is_here() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    journal.leave(1, 0, ServerExit::LeaseExpired);
    journal.wait(14_999);
    journal.announce(2, 1, "a", 10);
    journal.tick_after(60_000);
    assert_eq!((journal.state(1), journal.changes()), (HERE, 3));
}

#[test]
fn server_that_shuts_down_changes_no_row_of_people_who_come_back() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    journal.leave(1, 0, ServerExit::Clean);
    journal.tick_after(14_999);
    assert_eq!(journal.state(1), HERE);
    journal.announce(2, 1, "a", 10);
    journal.tick_after(60_000);
    assert_eq!((journal.state(1), journal.changes()), (HERE, 1));
}

#[test]
fn grace_period_counts_from_the_end_of_the_lease() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    journal.wait(60_000);
    // Nobody else looked at the room until now: its row goes in the entry that tells of it.
    journal.leave(1, 15_000, ServerExit::LeaseExpired);
    assert_eq!((journal.state(1), journal.changes()), (None, 2));
}

#[test]
fn server_that_ended_before_a_pause_has_the_whole_grace_period_after_it() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    journal.wait(120_000);
    let pause = Pause { id: 5, lasted: Duration::from_secs(110) };
    journal.join(3, ServerJoined { pause: Some(pause), ..JOINED }).unwrap();
    journal.leave(1, 110_000, ServerExit::LeaseExpired);
    journal.tick_after(14_999);
    assert_eq!(journal.state(1), RECONNECTING);
    journal.tick_after(1);
    assert_eq!(journal.state(1), None);
}

#[test]
fn end_of_a_server_that_is_not_in_the_room_changes_nothing() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    for _ in 0..2 {
        assert_eq!(journal.leave(7, 0, ServerExit::LeaseExpired), Outcome::Done);
    }
    assert_eq!((journal.state(1), journal.changes()), (HERE, 1));
}

#[test]
fn sockets_of_a_dead_server_do_not_count_for_the_limit_of_their_person() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    journal.announce(1, 1, "b", 11);
    journal.submit(1, removed(1));
    let refused = journal.announce(2, 1, "c", 10);
    assert_eq!(refused, Outcome::Refused(RequestError::TooManyTabs));
    journal.leave(1, 0, ServerExit::LeaseExpired);
    assert_eq!(journal.announce(2, 1, "c", 10), Outcome::Done);
    assert!(!journal.room.members().has_connection(id(1), socket(1, 10)));
}

#[test]
fn person_who_only_watched_is_forgotten_with_the_server() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    journal.submit(1, removed(1));
    assert!(journal.room.members().contains(id(1)), "the socket goes on watching");
    journal.leave(1, 0, ServerExit::LeaseExpired);
    assert!(!journal.room.members().contains(id(1)));
    assert!(!journal.room.members().is_page_loading(id(1)));
}

#[test]
fn server_that_goes_on_under_another_id_changes_no_row() {
    let mut journal = Journal::new();
    let announced_at = journal.now;
    journal.announce(1, 1, "a", 10);
    journal.wait(5_000);
    let (exit, ago) = (ServerExit::Clean, None);
    let outcomes = {
        let again = restored(3, 1, "a", 10, announced_at);
        let old = Command::ServerLeft { server: server(1), ago, exit };
        let entry = journal.entry(3, Some(JOINED), vec![again, old]);
        journal.room.apply_entry(entry)
    };
    assert_eq!(outcomes, Ok(vec![Outcome::Replaced(socket(1, 10)), Outcome::Done]));
    journal.tick_after(60_000);
    assert_eq!((journal.state(1), journal.changes()), (HERE, 1));
}

#[test]
fn restored_socket_renames_nobody_and_is_never_refused() {
    let mut journal = Journal::new();
    for person in 1..=3 {
        journal.announce(1, person, "a", u32::from(person));
    }
    journal.announce(2, 1, "b", 10);
    let refused = journal.announce(2, 1, "c", 11);
    assert_eq!(refused, Outcome::Refused(RequestError::TooManyTabs));
    assert_eq!(journal.submit(2, restored(2, 1, "c", 11, journal.now)), Outcome::Done);
    assert_eq!(journal.submit(2, restored(2, 4, "a", 12, journal.now)), Outcome::Done);
    assert_eq!(journal.room.roster().len(), 4);
    let name = |person| journal.room.roster().get(&id(person)).unwrap().name.as_str();
    assert_eq!((name(1), name(4)), ("Kim", "Other"));
}

#[test]
fn person_who_was_removed_on_purpose_is_not_restored_until_that_is_long_ago() {
    for removal in [removed(1), Command::RoomCleared] {
        let mut journal = Journal::new();
        let announced_at = journal.now;
        journal.announce(1, 1, "a", 10);
        journal.wait(1_000);
        journal.submit(2, removal);
        let again = || restored(1, 1, "a", 10, announced_at);
        let memory = u64::try_from(MEMORY.as_millis()).unwrap();
        for milliseconds in [0, memory - 1] {
            journal.wait(milliseconds);
            assert_eq!(journal.submit(1, again()), Outcome::RemovedSince);
        }
        // So is one that asked in the same millisecond as the removal.
        let removed_at = announced_at + Duration::from_secs(1);
        let same = restored(1, 1, "a", 10, removed_at);
        assert_eq!(journal.submit(1, same), Outcome::RemovedSince);
        // A socket that asked since is restored.
        let since = restored(1, 1, "b", 11, journal.now);
        assert_eq!(journal.submit(1, since), Outcome::Done);
        journal.submit(1, Command::RowRemoved { user_id: id(2), reason: DepartureReason::Left });
        journal.wait(1);
        assert_eq!(journal.submit(1, restored(1, 1, "c", 10, announced_at)), Outcome::Done);
    }
}

#[test]
fn restored_socket_does_not_replace_a_newer_one_of_its_tab() {
    let mut journal = Journal::new();
    let announced_at = journal.now;
    journal.announce(1, 1, "a", 10);
    // The server is cut off, and its tab comes to another server.
    journal.leave(1, 0, ServerExit::LeaseExpired);
    journal.wait(1_000);
    journal.announce(2, 1, "a", 10);
    journal.join(3, JOINED).unwrap();
    let outcome = journal.submit(3, restored(3, 1, "a", 10, announced_at));
    assert_eq!(outcome, Outcome::ReplacedSince);
    assert!(journal.room.members().has_connection(id(1), socket(2, 10)));
    // An older one is replaced, as by an announcement that was lost.
    let outcome = journal.submit(3, restored(3, 1, "a", 11, journal.now));
    assert_eq!(outcome, Outcome::Replaced(socket(2, 10)));
}

/// The moments of sockets are those of the journal: the room's own stand still in a pause.
#[test]
fn newer_socket_is_told_by_the_clock_of_the_journal() {
    let mut journal = Journal::new();
    journal.wait(60_000);
    let pause = Pause { id: 5, lasted: Duration::from_mins(1) };
    journal.join(3, ServerJoined { pause: Some(pause), ..JOINED }).unwrap();
    let before = journal.now;
    journal.wait(1_000);
    journal.announce(2, 1, "a", 10);
    assert_eq!(journal.submit(3, restored(3, 1, "a", 10, before)), Outcome::ReplacedSince);
    journal.submit(2, removed(1));
    assert_eq!(journal.submit(3, restored(3, 1, "b", 11, before)), Outcome::RemovedSince);
}

#[test]
fn server_alone_remembers_no_removals() {
    let mut fixture = Fixture::new();
    fixture.join(1, "a", 10).unwrap();
    fixture.remove_row(1, DepartureReason::Removed);
    fixture.apply(Command::RoomCleared);
    let again = restored(1, 1, "a", 10, Moment::ZERO);
    assert_ne!(fixture.apply(again), Outcome::RemovedSince);
}
