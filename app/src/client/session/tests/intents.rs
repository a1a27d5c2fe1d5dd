//! The visitor's intents through refusals, disconnects, and conflicting tabs.

use std::time::Duration;

use super::{
    super::{Intent, RowEnd},
    script::{
        YOU, announcement, answer, arrival, beat, changes, departure, existing, gone, id,
        introduction, left, live, page, refused, renaming, replies, seen, since, user, watch,
    },
};
use crate::presence::{ClientEvent, DepartureReason, Difference, Since, User};

#[test]
fn a_refused_visitor_watches_again_and_may_retry() {
    let mut session = page(&[]);
    session.request(Intent::Join("!".into()), &seen());
    assert_eq!(session.opened(&seen()), introduction("!", 4));
    let outcome = session.receive(refused("got_a_new_user"), &seen());
    assert_eq!(outcome.refusal.map(|refusal| refusal.message.into_owned()), Some("No.".into()));
    assert_eq!(outcome.replies, [watch(4)]);
    assert_eq!(replies(session.receive(existing(4, &[]), &seen())), []);

    assert_eq!(session.request(Intent::Join("?".into()), &seen()), Some(announcement("?")));
    // The same refusal on a socket that watches already.
    let outcome = session.receive(refused("got_a_new_user"), &seen());
    assert!(outcome.refusal.is_some());
    assert_eq!(outcome.replies, []);
    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), Some(announcement("Ana")));
}

#[test]
fn a_refused_join_is_not_repeated_on_the_same_socket() {
    let listed = [user(YOU, "Ana")];
    let mut session = page(&listed);
    assert_eq!(session.opened(&seen()), introduction("Ana", 4));
    assert_eq!(replies(session.receive(refused("got_a_new_user"), &seen())), [watch(4)]);
    assert_eq!(replies(session.receive(existing(4, &listed), &seen())), []);
    assert_eq!(replies(session.receive(changes(5, arrival(user(1, "Bo"))), &seen())), []);
    // The next socket tries again.
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.opened(&seen()), introduction("Ana", 5));
}

#[test]
fn a_frozen_tab_does_not_list_a_person_who_left_in_another() {
    let listed = [user(YOU, "Ana"), user(1, "Bo")];
    let mut session = live(&listed);
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.opened(&left()), watch(4));
    // Not even while the server does not know of the leave yet.
    assert_eq!(replies(session.receive(answer(4, 4, Difference::default()), &left())), []);
    let outcome = session.receive(changes(5, departure(YOU)), &left());
    assert_eq!(outcome.was_unlisted.map(|unlisted| unlisted.reason), Some(DepartureReason::Left));
    // This tab joins the row once it knows that they joined again on purpose.
    let joined = session.receive(changes(6, arrival(user(YOU, "Ana"))), &left());
    assert_eq!(joined.replies, []);
    assert_eq!(session.sync_environment(&seen()), [announcement("Ana")]);
}

#[test]
fn an_intent_survives_a_disconnect() {
    let mut session = live(&[]);
    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), Some(announcement("Ana")));
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.opened(&seen()), introduction("Ana", 4));

    let listed = [user(YOU, "Ana")];
    let mut session = live(&listed);
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.request(Intent::Rename("Ann".into()), &seen()), None);
    assert_eq!(session.opened(&seen()), introduction("Ana", 4));
    let rename = ClientEvent::Rename { name: "Ann".into() };
    assert_eq!(replies(session.receive(existing(4, &listed), &seen())), [rename]);
    session.receive(changes(5, renaming(YOU, "Ann")), &seen());
    assert_eq!(session.intent, None);

    session.closed(Duration::ZERO, 0);
    assert_eq!(session.request(Intent::Leave, &seen()), None);
    assert_eq!(session.opened(&seen()), watch(5));
    let outcome = session.receive(existing(5, &[user(YOU, "Ann")]), &seen());
    assert_eq!(outcome.replies, [ClientEvent::Leave {}]);
    session.receive(changes(6, departure(YOU)), &seen());
    assert_eq!(session.intent, None);
}

#[test]
fn an_unanswered_request_is_sent_again_on_the_next_socket() {
    let listed = [user(YOU, "Ana")];
    for (intent, event) in [
        (Intent::Rename("Ann".into()), ClientEvent::Rename { name: "Ann".into() }),
        (Intent::Leave, ClientEvent::Leave {}),
    ] {
        let mut session = live(&listed);
        assert_eq!(session.request(intent, &seen()), Some(event.clone()));
        session.closed(Duration::ZERO, 0);
        session.opened(&seen());
        assert_eq!(replies(session.receive(existing(4, &listed), &seen())), [event]);
    }
}

#[test]
fn a_requested_name_wins_over_the_name_of_another_tab() {
    let mut session = page(&[]);
    assert_eq!(session.opened(&seen()), watch(4));
    session.request(Intent::Join("Ann".into()), &seen());
    // The other tab was faster; the later name wins.
    let outcome = session.receive(existing(5, &[user(YOU, "Ana")]), &seen());
    assert_eq!(outcome.replies, [announcement("Ann")]);
}

#[test]
fn a_rename_after_a_leave_rejoins_the_row() {
    let listed = [user(YOU, "Ana")];
    let mut session = live(&listed);
    session.closed(Duration::ZERO, 0);
    session.request(Intent::Leave, &seen());
    assert_eq!(session.opened(&seen()), watch(4));
    session.request(Intent::Rename("Ann".into()), &seen());
    let rename = ClientEvent::Rename { name: "Ann".into() };
    assert_eq!(
        replies(session.receive(existing(4, &listed), &seen())),
        [announcement("Ana"), rename]
    );
}

#[test]
fn a_leave_is_sent_once_and_lasts() {
    let mut session = live(&[user(YOU, "Ana"), user(1, "Bo")]);
    assert_eq!(session.request(Intent::Leave, &seen()), Some(ClientEvent::Leave {}));
    let outcome = session.receive(changes(5, departure(YOU)), &seen());
    assert_eq!(gone(&outcome), ["Ana"]);
    assert_eq!(outcome.replies, []);
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.opened(&seen()), watch(5));
}

#[test]
fn a_rename_that_is_refused_keeps_the_name() {
    let mut session = live(&[user(YOU, "Ana")]);
    let rename = ClientEvent::Rename { name: "!".into() };
    assert_eq!(session.request(Intent::Rename("!".into()), &seen()), Some(rename));
    let outcome = session.receive(refused("rename"), &seen());
    assert!(outcome.refusal.is_some() && outcome.is_live);
    assert_eq!(outcome.replies, []);
    assert_eq!(replies(session.receive(changes(5, arrival(user(1, "Bo"))), &seen())), []);
}

#[test]
fn a_refusal_of_the_old_intent_keeps_the_new_one() {
    let mut session = page(&[]);
    session.request(Intent::Join("!".into()), &seen());
    session.opened(&seen());
    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), None);
    assert_eq!(replies(session.receive(refused("got_a_new_user"), &seen())), [watch(4)]);
    assert_eq!(replies(session.receive(existing(4, &[]), &seen())), [announcement("Ana")]);
}

#[test]
fn a_refusal_only_drops_the_intent_that_it_names() {
    let mut session = live(&[user(YOU, "Ana")]);
    session.request(Intent::Rename("Ann".into()), &seen());
    session.receive(changes(5, departure(YOU)), &seen());
    assert_eq!(session.request(Intent::Join("Ann".into()), &seen()), Some(announcement("Ann")));
    // The row to rename was gone.
    assert_eq!(replies(session.receive(refused("rename"), &seen())), []);
    session.closed(Duration::ZERO, 7);
    assert_eq!(session.opened(&seen()), introduction("Ann", 5));
}

#[test]
fn a_removal_before_a_leave_does_not_fulfil_it() {
    let mut removal = Difference::default();
    removal.disconnect_user.removed.push(id(YOU));
    let earlier = [removal, departure(YOU)];
    for (earlier, is_joined_since) in earlier.iter().flat_map(|one| [(one, false), (one, true)]) {
        let mut session = live(&[user(YOU, "Ana")]);
        assert_eq!(session.request(Intent::Leave, &left()), Some(ClientEvent::Leave {}));
        // The removal by the operator or another tab was on its way already; the leave itself is lost
        // with the socket.
        assert_eq!(replies(session.receive(changes(5, earlier.clone()), &left())), []);
        session.closed(Duration::ZERO, 0);
        // Another tab, which did not know of the leave yet, brought the row back.
        assert_eq!(session.opened(&left()), watch(5));
        let environment = if is_joined_since { seen() } else { left() };
        let again = session.receive(answer(5, 6, arrival(user(YOU, "Ana"))), &environment);
        let expected = if is_joined_since { announcement("Ana") } else { ClientEvent::Leave {} };
        assert_eq!(replies(again), [expected], "joined since: {is_joined_since}");
    }
}

/// The row of the first join does not fulfil the second: it may be gone again before the reply to that.
#[test]
fn a_second_join_is_not_fulfilled_by_the_first() {
    let mut session = live(&[]);
    let first = session.request(Intent::Join("Ana".into()), &seen());
    assert_eq!(first, Some(announcement("Ana")));
    // No reply came yet: two replies could not be told apart.
    assert_eq!(session.request(Intent::Join("Ann".into()), &seen()), None);

    let joined = session.receive(answer(4, 5, arrival(user(YOU, "Ana"))), &seen());
    assert_eq!(replies(joined), [announcement("Ann")]);
    let removed = session.receive(changes(6, departure(YOU)), &seen());
    assert_eq!(gone(&removed), ["Ana"]);
    // The second join stays the intent if the socket is lost now.
    session.closed(Duration::ZERO, 7);
    assert_eq!(session.opened(&left()), introduction("Ann", 6));
}

/// The leave was lost with the socket, and the visitor has left and joined again when the next one opens.
#[test]
fn a_restored_tab_does_not_remove_a_person_who_joined_again_elsewhere() {
    let mut session = live(&[user(YOU, "Ana")]);
    assert_eq!(session.request(Intent::Leave, &left()), Some(ClientEvent::Leave {}));
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.opened(&seen()), watch(4));
    let missed = Difference { new_user: vec![user(YOU, "Ann")], ..departure(YOU) };
    assert_eq!(replies(session.receive(answer(4, 6, missed), &seen())), [announcement("Ann")]);
}

#[test]
fn has_joined_since_is_true_only_for_a_later_row() {
    let row = User { joined: 100, ..user(YOU, "Ana") };
    let mut session = live(std::slice::from_ref(&row));
    let elsewhere = |seq| Since { epoch: "e2".parse().unwrap(), seq };
    for is_lost in [false, true] {
        for (joined, at, has_joined_since) in [
            // A later row, in any list.
            (99, since(9), true),
            (99, elsewhere(9), true),
            // Within the same second only a later position tells.
            (100, since(4), true),
            (100, since(5), false),
            (100, elsewhere(3), false),
            (101, elsewhere(3), false),
        ] {
            let end = RowEnd { joined, at };
            assert_eq!(session.has_joined_since(&end), has_joined_since, "{end:?}, {is_lost}");
        }
        // The same holds for the old list of a page without a socket.
        session.closed(Duration::ZERO, 0);
    }
    let end = RowEnd { joined: 0, at: since(0) };
    assert!(!live(&[user(1, "Bo")]).has_joined_since(&end), "this person is not listed");
}

#[test]
fn a_row_that_comes_back_after_a_leave_is_removed_again() {
    let mut session = live(&[user(YOU, "Ana")]);
    session.request(Intent::Leave, &left());
    // On a slow connection a beat comes before the departure: a second leave would end a later row.
    let roster = session.replica().roster().clone();
    assert_eq!(replies(session.receive(beat(4, &roster), &left())), []);
    assert_eq!(replies(session.receive(changes(5, departure(YOU)), &left())), []);
    // The news that the visitor joined in another tab may come a little later than the row.
    let back = session.receive(changes(6, arrival(user(YOU, "Ana"))), &left());
    assert_eq!(replies(back), []);
    let roster = session.replica().roster().clone();
    assert_eq!(replies(session.receive(beat(6, &roster), &left())), [ClientEvent::Leave {}]);
    assert_eq!(replies(session.receive(changes(7, departure(YOU)), &left())), []);
    // If they did, the row stays, and this tab joins it.
    let back = session.receive(changes(8, arrival(user(YOU, "Ana"))), &seen());
    assert_eq!(replies(back), [announcement("Ana")]);
}

#[test]
fn a_person_who_joins_again_elsewhere_stays_listed_however_late_this_tab_learns_it() {
    for is_notified in [true, false] {
        let mut session = live(&[user(YOU, "Ana")]);
        session.request(Intent::Leave, &left());
        assert_eq!(replies(session.receive(changes(5, departure(YOU)), &left())), []);
        let back = session.receive(changes(6, arrival(user(YOU, "Ana"))), &left());
        assert_eq!(replies(back), []);
        let events = if is_notified {
            session.sync_environment(&seen())
        } else {
            let roster = session.replica().roster().clone();
            replies(session.receive(beat(6, &roster), &seen()))
        };
        assert_eq!(events, [announcement("Ana")], "notified: {is_notified}");
    }
}
