//! Sessions frame by frame.

mod intents;
mod model;
mod script;

use std::time::Duration;

use self::script::{
    YOU, announcement, answer, arrival, changes, departure, existing, gone, hidden, id,
    introduction, list, live, names, page, refused, renaming, replies, seen, since, user, watch,
};
use super::{Departed, Intent, RowEnd, Unlisted};
use crate::{
    client::Backoff,
    presence::{
        Changes, ClientEvent, DepartureReason, Difference, ExistingUsers, MoreUsers, ServerEvent,
    },
};

#[test]
fn a_visitor_watches_and_then_joins() {
    let mut session = page(&[user(1, "Bo")]);
    assert_eq!(session.opened(&seen()), watch(4));
    let outcome = session.receive(existing(4, &[user(1, "Bo")]), &seen());
    assert!(outcome.is_live && outcome.is_changed);
    assert_eq!(outcome.replies, []);

    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), Some(announcement("Ana")));
    // Another person's arrival is no reply, and the request is not repeated.
    assert_eq!(replies(session.receive(changes(5, arrival(user(2, "Cy"))), &seen())), []);
    let outcome = session.receive(answer(5, 6, arrival(user(YOU, "Ana"))), &seen());
    assert_eq!(names(&outcome.arrived), ["Ana"]);
    assert_eq!(outcome.replies, []);
    assert_eq!(session.intent, None);
}

#[test]
fn a_new_name_is_told_with_the_old_one_once() {
    let mut session = live(&[user(1, "Bo"), user(2, "Cy")]);
    let outcome = session.receive(changes(5, renaming(1, "Bob")), &seen());
    let renamed = outcome.renamed.iter().map(|(before, after)| (before.as_str(), after.as_str()));
    assert_eq!(renamed.collect::<Vec<_>>(), [("Bo", "Bob")]);
    let outcome = session.receive(changes(6, arrival(user(3, "Di"))), &seen());
    assert_eq!(outcome.renamed, []);
}

#[test]
fn a_listed_person_joins_with_the_first_frame() {
    let mut session = page(&[user(YOU, "Ana")]);
    assert_eq!(session.opened(&seen()), introduction("Ana", 4));
    assert_eq!(replies(session.receive(existing(4, &[user(YOU, "Ana")]), &seen())), []);
}

#[test]
fn a_person_beyond_the_first_rows_joins_once_the_list_shows_them() {
    let mut session = page(&[]);
    assert_eq!(session.opened(&seen()), watch(4));
    let mut beginning = list(4, &[user(1, "Bo")]);
    beginning.count = 2;
    let outcome = session.receive(ServerEvent::ExistingUsers(beginning), &seen());
    assert!(!outcome.is_live);
    assert_eq!(outcome.replies, []);
    let rest = ServerEvent::MoreUsers(MoreUsers { users: vec![user(YOU, "Ana")] });
    let outcome = session.receive(rest, &seen());
    assert!(outcome.is_live);
    assert_eq!(outcome.replies, [announcement("Ana")]);
}

#[test]
fn a_tab_follows_another_tab_that_joins_or_leaves() {
    let mut session = live(&[]);
    let joined = session.receive(changes(5, arrival(user(YOU, "Ana"))), &seen());
    assert_eq!(joined.replies, [announcement("Ana")]);
    assert_eq!(replies(session.receive(changes(6, departure(YOU)), &seen())), []);
    // The first join has no reply yet; the next one waits for it.
    assert_eq!(replies(session.receive(changes(7, arrival(user(YOU, "Ann"))), &seen())), []);
    let answered = session.receive(answer(7, 7, Difference::default()), &seen());
    assert_eq!(answered.replies, [announcement("Ann")]);
}

#[test]
fn a_join_before_the_socket_opens_is_its_first_frame() {
    let mut session = page(&[]);
    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), None);
    assert_eq!(session.opened(&seen()), introduction("Ana", 4));
    assert_eq!(replies(session.receive(existing(5, &[user(YOU, "Ana")]), &seen())), []);
    assert_eq!(session.intent, None);
}

#[test]
fn a_join_before_the_first_reply_waits_for_it() {
    let mut session = page(&[]);
    assert_eq!(session.opened(&seen()), watch(4));
    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), None);
    assert_eq!(replies(session.receive(existing(4, &[]), &seen())), [announcement("Ana")]);
}

#[test]
fn a_reconnect_joins_under_the_same_name() {
    let mut session = live(&[user(1, "Bo")]);
    session.request(Intent::Join("Ana".into()), &seen());
    session.receive(answer(4, 5, arrival(user(YOU, "Ana Sousa"))), &seen());
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.replica().count(), 2);
    assert_eq!(session.opened(&seen()), introduction("Ana Sousa", 5));

    // The server lost its state: the list is replaced, and only differences from before are reported.
    let outcome = session.receive(existing(1, &[user(YOU, "Ana Sousa")]), &seen());
    assert!(outcome.is_changed && outcome.is_live);
    assert!(outcome.is_catching_up);
    assert_eq!((names(&outcome.arrived), gone(&outcome)), (vec![], vec!["Bo"]));
    assert_eq!(outcome.replies, []);
}

#[test]
fn changes_between_two_sockets_are_reported_together() {
    let mut session = live(&[user(1, "Bo"), user(2, "Cy")]);
    session.receive(changes(5, arrival(user(3, "Di"))), &seen());
    // Failed attempts in between make no difference.
    for _ in 0..3 {
        session.closed(Duration::ZERO, 0);
        assert_eq!(session.opened(&seen()), watch(5));
    }
    let mut difference = departure(1);
    difference.new_user = vec![user(4, "Ed"), user(1, "Bo")];
    let outcome = session.receive(answer(5, 9, difference), &seen());
    assert!(outcome.is_catching_up && outcome.is_live && outcome.is_changed);
    // Bo left and came back, so nothing is reported.
    assert_eq!((names(&outcome.arrived), gone(&outcome)), (vec!["Ed"], vec![]));
    let outcome = session.receive(changes(10, departure(2)), &seen());
    assert!(!outcome.is_catching_up);
    let reason = Some(DepartureReason::Left);
    let cy = Departed { id: id(2), name: user(2, "Cy").name, reason };
    assert_eq!(outcome.departed, [cy]);
}

/// The server sends the list where it is shorter than the changes, as when everybody leaves.
#[test]
fn changes_are_reported_where_a_list_comes_in_their_place() {
    let mut session = live(&[user(1, "Bo"), user(2, "Cy")]);
    let outcome = session.receive(existing(9, &[user(3, "Di")]), &seen());
    assert!(outcome.is_live && outcome.is_changed);
    assert_eq!((names(&outcome.arrived), gone(&outcome)), (vec!["Di"], vec!["Bo", "Cy"]));

    // Also where one was missed, so that the list was requested.
    let outcome = session.receive(changes(12, departure(3)), &seen());
    assert_eq!(outcome.replies, [ClientEvent::Resync {}]);
    assert_eq!((names(&outcome.arrived), gone(&outcome)), (vec![], vec![]));
    let outcome = session.receive(existing(12, &[user(4, "Ed")]), &seen());
    assert_eq!((names(&outcome.arrived), gone(&outcome)), (vec!["Ed"], vec!["Di"]));
}

#[test]
fn visibility_is_reported_once_per_change() {
    let visible = |visible| ClientEvent::Visible { visible };
    let mut session = live(&[]);
    // A page that only watches does not report it.
    assert_eq!(session.sync_environment(&hidden()), []);
    let joined = session.request(Intent::Join("Ana".into()), &hidden());
    let ClientEvent::GotANewUser { visible: Some(false), .. } = joined.unwrap() else {
        panic!("a hidden page says so")
    };
    assert_eq!(replies(session.receive(answer(4, 5, arrival(user(YOU, "Ana"))), &hidden())), []);
    assert_eq!(session.sync_environment(&hidden()), []);
    assert_eq!(session.sync_environment(&seen()), [visible(true)]);
    assert_eq!(session.sync_environment(&seen()), []);

    // Between two sockets nothing can be sent; the next socket starts with it.
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.sync_environment(&hidden()), []);
    session.opened(&seen());
    assert_eq!(session.sync_environment(&hidden()), []);
    assert_eq!(
        replies(session.receive(answer(5, 5, Difference::default()), &hidden())),
        [visible(false)]
    );
    // A refused report is not shown: the visitor did not ask for it.
    let outcome = session.receive(refused("visible"), &hidden());
    assert!(outcome.refusal.is_none() && outcome.replies.is_empty());
}

#[test]
fn a_feed_updates_the_list_while_no_socket_opens() {
    let mut session = page(&[user(YOU, "Ana"), user(1, "Bo")]);
    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), None);
    session.closed(Duration::ZERO, 0);
    let whole = ExistingUsers { you: None, ..list(9, &[user(YOU, "Ana"), user(2, "Cy")]) };
    let outcome = session.receive_from_feed(ServerEvent::ExistingUsers(whole)).unwrap();
    assert!(outcome.is_live && outcome.is_changed);
    assert_eq!((names(&outcome.arrived), gone(&outcome)), (vec!["Cy"], vec!["Bo"]));
    assert!(session.receive_from_feed(changes(10, departure(2))).unwrap().is_live);
    // Sockets that do not open do not interrupt it.
    let piece = Changes { from: 10, seq: 10, difference: departure(YOU) };
    assert!(!session.receive_from_feed(ServerEvent::Changes(piece)).unwrap().is_live);
    session.closed(Duration::ZERO, 0);
    assert!(session.receive_from_feed(changes(11, arrival(user(YOU, "Ana")))).unwrap().is_live);
    assert_eq!(session.replica().own_row(), Some(&user(YOU, "Ana")));

    // The feed breaks and reconnects.
    session.on_interrupted();
    let whole = ExistingUsers { you: None, ..list(13, &[user(3, "Di")]) };
    let outcome = session.receive_from_feed(ServerEvent::ExistingUsers(whole)).unwrap();
    assert!(outcome.is_live && outcome.is_catching_up);
    assert_eq!((names(&outcome.arrived), gone(&outcome)), (vec!["Di"], vec!["Ana"]));

    // A feed can't be asked to resync.
    session.receive_from_feed(changes(12, departure(1))).unwrap_err();
    session.on_interrupted();
    assert!(session.replica().position().is_none());
    // The intent from before is sent once a socket opens.
    let ClientEvent::GotANewUser { since: None, .. } = session.opened(&seen()) else {
        panic!("there is no position to resume from")
    };
}

#[test]
fn a_gap_is_answered_with_one_resync_until_the_list_comes() {
    let mut session = live(&[user(1, "Bo")]);
    let gap = || ServerEvent::MoreUsers(MoreUsers { users: vec![] });
    assert_eq!(replies(session.receive(gap(), &seen())), [ClientEvent::Resync {}]);
    assert_eq!(replies(session.receive(gap(), &seen())), []);
    assert_eq!(replies(session.receive(changes(9, departure(1)), &seen())), []);
    assert_eq!(replies(session.receive(refused("resync"), &seen())), [ClientEvent::Resync {}]);
    // Until then the list is not live.
    assert!(!session.receive(changes(9, departure(1)), &seen()).is_live);
    let outcome = session.receive(existing(9, &[]), &seen());
    assert!(outcome.is_changed && outcome.is_live);
    assert_eq!(replies(session.receive(gap(), &seen())), [ClientEvent::Resync {}]);
    // The next socket has no position to resume from.
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.opened(&seen()), ClientEvent::Watch { since: None });
}

#[test]
fn departures_have_the_names_of_the_removed_rows() {
    let mut session = live(&[user(1, "Bo"), user(2, "Cy")]);
    let mut piece = departure(1);
    piece.disconnect_user.lost.push(id(2));
    // The first piece of a split difference: no row is removed yet.
    let outcome = session
        .receive(ServerEvent::Changes(Changes { from: 4, seq: 4, difference: piece }), &seen());
    assert!(!outcome.is_changed);
    assert_eq!(outcome.departed, []);
    let outcome = session.receive(
        ServerEvent::Changes(Changes { from: 4, seq: 7, difference: arrival(user(3, "Di")) }),
        &seen(),
    );
    assert_eq!(gone(&outcome), ["Bo", "Cy"]);
    assert_eq!(names(&outcome.arrived), ["Di"]);

    // An incomplete difference is dropped with its socket.
    session.receive(
        ServerEvent::Changes(Changes { from: 7, seq: 7, difference: departure(3) }),
        &seen(),
    );
    session.closed(Duration::ZERO, 0);
    session.opened(&seen());
    session.receive(existing(8, &[user(3, "Di")]), &seen());
    let outcome = session.receive(changes(9, arrival(user(4, "Ed"))), &seen());
    assert_eq!(outcome.departed, []);
}

#[test]
fn attempts_back_off_until_one_brings_a_list() {
    let mut session = page(&[]);
    let bounds = [500, 1_000, 2_000].map(|bound| bound - 1);
    for bound in bounds {
        assert_eq!(session.closed(Duration::ZERO, u32::MAX).as_millis(), bound);
        // A socket that opens and brings no frame counts as a failure too.
        session.opened(&seen());
    }
    session.receive(existing(4, &[]), &seen());
    assert_eq!(session.backoff, Backoff::default());
    session.closed(Duration::ZERO, 0);
    session.opened(&seen());
    session.receive(answer(4, 4, Difference::default()), &seen());
    assert_eq!(session.backoff, Backoff::default());
}

#[test]
fn an_unknown_event_is_ignored() {
    let mut session = live(&[user(1, "Bo")]);
    let outcome = session.receive(ServerEvent::Unknown, &seen());
    assert!(outcome.is_live && !outcome.is_changed);
    let mut session = page(&[]);
    session.opened(&seen());
    session.request(Intent::Join("Ana".into()), &seen());
    assert_eq!(replies(session.receive(ServerEvent::Unknown, &seen())), []);
}

#[test]
fn a_page_rejoins_a_row_that_was_removed_and_added_in_one_difference() {
    let mut session = live(&[user(YOU, "Ana")]);
    let mut difference = departure(YOU);
    difference.new_user = vec![user(YOU, "Ann")];
    let outcome =
        session.receive(ServerEvent::Changes(Changes { from: 4, seq: 6, difference }), &seen());
    assert_eq!(outcome.replies, [announcement("Ann")]);
    assert_eq!(outcome.was_unlisted, None);
}

#[test]
fn the_reason_of_an_own_departure_is_kept_over_pieces() {
    let mut session = live(&[user(YOU, "Ana"), user(1, "Bo")]);
    let mut piece = Difference::default();
    piece.disconnect_user.removed.push(id(YOU));
    let first = Changes { from: 4, seq: 4, difference: piece };
    assert_eq!(session.receive(ServerEvent::Changes(first), &seen()).was_unlisted, None);
    let last = Changes { from: 4, seq: 6, difference: departure(1) };
    let outcome = session.receive(ServerEvent::Changes(last), &seen());
    let end = RowEnd { joined: user(YOU, "Ana").joined, at: since(6) };
    let reason = DepartureReason::Removed;
    assert_eq!(outcome.was_unlisted, Some(Unlisted { reason, end }));
}
