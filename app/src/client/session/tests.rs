//! Conversations with a server, frame by frame.

use std::time::Duration;

use super::{
    Departed, Intent, RowEnd, Unlisted,
    script::{
        YOU, announcement, answer, arrival, changes, departure, existing, gone, hidden, id,
        introduction, list, live, names, page, refused, replies, seen, since, user, watch,
    },
};
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
    // Somebody else comes first: that is no answer, and nothing is asked twice.
    assert_eq!(replies(session.receive(changes(5, arrival(user(2, "Cy"))), &seen())), []);
    let outcome = session.receive(answer(5, 6, arrival(user(YOU, "Ana"))), &seen());
    assert_eq!(names(&outcome.arrived), ["Ana"]);
    assert_eq!(outcome.replies, []);
    assert_eq!(session.intent, None);
}

#[test]
fn who_is_listed_already_announces_at_once() {
    let mut session = page(&[user(YOU, "Ana")]);
    assert_eq!(session.opened(&seen()), introduction("Ana", 4));
    assert_eq!(replies(session.receive(existing(4, &[user(YOU, "Ana")]), &seen())), []);
}

#[test]
fn who_was_beyond_the_first_rows_announces_when_the_list_shows_it() {
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
fn another_tab_that_joins_or_leaves_takes_this_one_along() {
    let mut session = live(&[]);
    let joined = session.receive(changes(5, arrival(user(YOU, "Ana"))), &seen());
    assert_eq!(joined.replies, [announcement("Ana")]);
    assert_eq!(replies(session.receive(changes(6, departure(YOU)), &seen())), []);
    // The first announcement has no answer yet: with it comes the time for the next.
    assert_eq!(replies(session.receive(changes(7, arrival(user(YOU, "Ann"))), &seen())), []);
    let answered = session.receive(answer(7, 7, Difference::default()), &seen());
    assert_eq!(answered.replies, [announcement("Ann")]);
}

#[test]
fn joining_before_the_socket_opens_is_its_first_frame() {
    let mut session = page(&[]);
    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), None);
    assert_eq!(session.opened(&seen()), introduction("Ana", 4));
    assert_eq!(replies(session.receive(existing(5, &[user(YOU, "Ana")]), &seen())), []);
    assert_eq!(session.intent, None);
}

#[test]
fn joining_before_the_first_answer_waits_for_it() {
    let mut session = page(&[]);
    assert_eq!(session.opened(&seen()), watch(4));
    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), None);
    assert_eq!(replies(session.receive(existing(4, &[]), &seen())), [announcement("Ana")]);
}

#[test]
fn a_lost_socket_is_followed_by_an_announcement_under_the_same_name() {
    let mut session = live(&[user(1, "Bo")]);
    session.request(Intent::Join("Ana".into()), &seen());
    session.receive(answer(4, 5, arrival(user(YOU, "Ana Sousa"))), &seen());
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.replica().count(), 2);
    assert_eq!(session.opened(&seen()), introduction("Ana Sousa", 5));

    // The server forgot everybody: the list is the new one, and news is what is not as before.
    let outcome = session.receive(existing(1, &[user(YOU, "Ana Sousa")]), &seen());
    assert!(outcome.is_changed && outcome.is_live);
    assert!(outcome.is_catching_up);
    assert_eq!((names(&outcome.arrived), gone(&outcome)), (vec![], vec!["Bo"]));
    assert_eq!(outcome.replies, []);
}

#[test]
fn what_happened_between_two_sockets_is_told_as_one() {
    let mut session = live(&[user(1, "Bo"), user(2, "Cy")]);
    session.receive(changes(5, arrival(user(3, "Di"))), &seen());
    // Attempts that bring nothing change nothing of it.
    for _ in 0..3 {
        session.closed(Duration::ZERO, 0);
        assert_eq!(session.opened(&seen()), watch(5));
    }
    let mut difference = departure(1);
    difference.new_user = vec![user(4, "Ed"), user(1, "Bo")];
    let outcome = session.receive(answer(5, 9, difference), &seen());
    assert!(outcome.is_catching_up && outcome.is_live && outcome.is_changed);
    // Who went and came back is where they were.
    assert_eq!((names(&outcome.arrived), gone(&outcome)), (vec!["Ed"], vec![]));
    let outcome = session.receive(changes(10, departure(2)), &seen());
    assert!(!outcome.is_catching_up);
    let reason = Some(DepartureReason::Left);
    let cy = Departed { id: id(2), name: user(2, "Cy").name, reason };
    assert_eq!(outcome.departed, [cy]);
}

#[test]
fn a_page_says_once_whether_it_can_be_seen() {
    let visible = |visible| ClientEvent::Visible { visible };
    let mut session = live(&[]);
    // Who only watches is nobody's business.
    assert_eq!(session.sync_environment(&hidden()), []);
    let joined = session.request(Intent::Join("Ana".into()), &hidden());
    let ClientEvent::GotANewUser { visible: Some(false), .. } = joined.unwrap() else {
        panic!("a hidden page says so")
    };
    assert_eq!(replies(session.receive(answer(4, 5, arrival(user(YOU, "Ana"))), &hidden())), []);
    assert_eq!(session.sync_environment(&hidden()), []);
    assert_eq!(session.sync_environment(&seen()), [visible(true)]);
    assert_eq!(session.sync_environment(&seen()), []);

    // Between two sockets there is nobody to tell; the next one begins with it.
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.sync_environment(&hidden()), []);
    session.opened(&seen());
    assert_eq!(session.sync_environment(&hidden()), []);
    assert_eq!(
        replies(session.receive(answer(5, 5, Difference::default()), &hidden())),
        [visible(false)]
    );
    // That it was told too often, or to a server that does not want it, is not the visitor's fault.
    let outcome = session.receive(refused("visible"), &hidden());
    assert!(outcome.refusal.is_none() && outcome.replies.is_empty());
}

#[test]
fn a_feed_brings_the_list_where_sockets_do_not() {
    let mut session = page(&[user(YOU, "Ana"), user(1, "Bo")]);
    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), None);
    session.closed(Duration::ZERO, 0);
    let whole = ExistingUsers { you: None, ..list(9, &[user(YOU, "Ana"), user(2, "Cy")]) };
    let outcome = session.receive_from_feed(ServerEvent::ExistingUsers(whole)).unwrap();
    assert!(outcome.is_live && outcome.is_changed && !outcome.is_catching_up);
    assert!(session.receive_from_feed(changes(10, departure(2))).unwrap().is_live);
    // Sockets that do not open are not in the way of it.
    let piece = Changes { from: 10, seq: 10, difference: departure(YOU) };
    assert!(!session.receive_from_feed(ServerEvent::Changes(piece)).unwrap().is_live);
    session.closed(Duration::ZERO, 0);
    assert!(session.receive_from_feed(changes(11, arrival(user(YOU, "Ana")))).unwrap().is_live);
    assert_eq!(session.replica().own_row(), Some(&user(YOU, "Ana")));

    // It breaks, and comes again.
    session.on_interrupted();
    let whole = ExistingUsers { you: None, ..list(13, &[user(3, "Di")]) };
    let outcome = session.receive_from_feed(ServerEvent::ExistingUsers(whole)).unwrap();
    assert!(outcome.is_live && outcome.is_catching_up);
    assert_eq!((names(&outcome.arrived), gone(&outcome)), (vec!["Di"], vec!["Ana"]));

    // There is nobody to ask for a better one.
    session.receive_from_feed(changes(12, departure(1))).unwrap_err();
    session.on_interrupted();
    assert!(session.replica().position().is_none());
    // What was asked for meanwhile is asked for when a socket opens after all.
    let ClientEvent::GotANewUser { since: None, .. } = session.opened(&seen()) else {
        panic!("nothing is known that a server could go on from")
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
    // Until then nobody knows what the list is.
    assert!(!session.receive(changes(9, departure(1)), &seen()).is_live);
    let outcome = session.receive(existing(9, &[]), &seen());
    assert!(outcome.is_changed && outcome.is_live);
    assert_eq!(replies(session.receive(gap(), &seen())), [ClientEvent::Resync {}]);
    // Nor is there anything to go on from with the next socket.
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.opened(&seen()), ClientEvent::Watch { since: None });
}

#[test]
fn those_who_went_are_called_by_their_names() {
    let mut session = live(&[user(1, "Bo"), user(2, "Cy")]);
    let mut piece = departure(1);
    piece.disconnect_user.lost.push(id(2));
    // The first piece of a difference that was cut: nobody is gone yet.
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

    // What a socket did not finish is forgotten with it.
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
fn attempts_come_rarer_until_one_brings_a_list() {
    let mut session = page(&[]);
    let bounds = [500, 1_000, 2_000].map(|bound| bound - 1);
    for bound in bounds {
        assert_eq!(session.closed(Duration::ZERO, u32::MAX).as_millis(), bound);
        // A socket that opens and brings nothing is no better than one that does not.
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
fn what_is_newer_than_this_page_is_ignored() {
    let mut session = live(&[user(1, "Bo")]);
    let outcome = session.receive(ServerEvent::Unknown, &seen());
    assert!(outcome.is_live && !outcome.is_changed);
    let mut session = page(&[]);
    session.opened(&seen());
    session.request(Intent::Join("Ana".into()), &seen());
    assert_eq!(replies(session.receive(ServerEvent::Unknown, &seen())), []);
}

#[test]
fn a_page_takes_part_anew_in_a_row_that_went_and_came_at_once() {
    let mut session = live(&[user(YOU, "Ana")]);
    let mut difference = departure(YOU);
    difference.new_user = vec![user(YOU, "Ann")];
    let outcome =
        session.receive(ServerEvent::Changes(Changes { from: 4, seq: 6, difference }), &seen());
    assert_eq!(outcome.replies, [announcement("Ann")]);
    assert_eq!(outcome.was_unlisted, None);
}

#[test]
fn why_one_went_is_heard_in_pieces_too() {
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
