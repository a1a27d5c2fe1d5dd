//! What a visitor wants, through refusals, losses, and pages that want something else.

use std::time::Duration;

use super::{
    Intent, RowEnd,
    script::{
        YOU, announcement, answer, arrival, beat, changes, departure, existing, gone, id,
        introduction, left, live, page, refused, renaming, replies, seen, since, user, watch,
    },
};
use crate::presence::{ClientEvent, DepartureReason, Difference, Since, User};

#[test]
fn who_is_refused_watches_again_and_may_try_again() {
    let mut session = page(&[]);
    session.request(Intent::Join("!".into()), &seen());
    assert_eq!(session.opened(&seen()), introduction("!", 4));
    let outcome = session.receive(refused("got_a_new_user"), &seen());
    assert_eq!(outcome.refusal.map(|refusal| refusal.message.into_owned()), Some("No.".into()));
    assert_eq!(outcome.replies, [watch(4)]);
    assert_eq!(replies(session.receive(existing(4, &[]), &seen())), []);

    assert_eq!(session.request(Intent::Join("?".into()), &seen()), Some(announcement("?")));
    // Later on a socket one watches already.
    let outcome = session.receive(refused("got_a_new_user"), &seen());
    assert!(outcome.refusal.is_some());
    assert_eq!(outcome.replies, []);
    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), Some(announcement("Ana")));
}

#[test]
fn an_announcement_that_is_refused_is_not_repeated_for_ever() {
    let listed = [user(YOU, "Ana")];
    let mut session = page(&listed);
    assert_eq!(session.opened(&seen()), introduction("Ana", 4));
    assert_eq!(replies(session.receive(refused("got_a_new_user"), &seen())), [watch(4)]);
    assert_eq!(replies(session.receive(existing(4, &listed), &seen())), []);
    assert_eq!(replies(session.receive(changes(5, arrival(user(1, "Bo"))), &seen())), []);
    // The next socket may have better luck.
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.opened(&seen()), introduction("Ana", 5));
}

#[test]
fn who_left_on_another_page_is_not_listed_again_by_one_that_slept() {
    let listed = [user(YOU, "Ana"), user(1, "Bo")];
    let mut session = live(&listed);
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.opened(&left()), watch(4));
    // Not even where the server has not heard of it yet.
    assert_eq!(replies(session.receive(answer(4, 4, Difference::default()), &left())), []);
    let outcome = session.receive(changes(5, departure(YOU)), &left());
    assert_eq!(outcome.was_unlisted.map(|unloaded| unloaded.reason), Some(DepartureReason::Left));
    // Joining there is joining here, as soon as this page knows that they mean it.
    let joined = session.receive(changes(6, arrival(user(YOU, "Ana"))), &left());
    assert_eq!(joined.replies, []);
    assert_eq!(session.sync_environment(&seen()), [announcement("Ana")]);
}

#[test]
fn a_wish_survives_the_loss_of_the_socket() {
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
fn what_a_lost_socket_left_unanswered_is_asked_again() {
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
fn a_name_that_was_asked_for_is_not_lost_to_another_tab() {
    let mut session = page(&[]);
    assert_eq!(session.opened(&seen()), watch(4));
    session.request(Intent::Join("Ann".into()), &seen());
    // The other tab was faster; the later name wins.
    let outcome = session.receive(existing(5, &[user(YOU, "Ana")]), &seen());
    assert_eq!(outcome.replies, [announcement("Ann")]);
}

#[test]
fn who_thinks_better_of_leaving_takes_part_again() {
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
fn who_leaves_is_asked_for_once_and_stays_away() {
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
fn a_refusal_of_the_old_wish_leaves_the_new_one() {
    let mut session = page(&[]);
    session.request(Intent::Join("!".into()), &seen());
    session.opened(&seen());
    assert_eq!(session.request(Intent::Join("Ana".into()), &seen()), None);
    assert_eq!(replies(session.receive(refused("got_a_new_user"), &seen())), [watch(4)]);
    assert_eq!(replies(session.receive(existing(4, &[]), &seen())), [announcement("Ana")]);
}

#[test]
fn a_refusal_is_of_the_wish_that_it_names() {
    let mut session = live(&[user(YOU, "Ana")]);
    session.request(Intent::Rename("Ann".into()), &seen());
    session.receive(changes(5, departure(YOU)), &seen());
    assert_eq!(session.request(Intent::Join("Ann".into()), &seen()), Some(announcement("Ann")));
    // There was nobody to rename any more.
    assert_eq!(replies(session.receive(refused("rename"), &seen())), []);
    session.closed(Duration::ZERO, 7);
    assert_eq!(session.opened(&seen()), introduction("Ann", 5));
}

#[test]
fn what_overtakes_a_leave_does_not_stand_for_it() {
    let mut removal = Difference::default();
    removal.disconnect_user.removed.push(id(YOU));
    let earlier = [removal, departure(YOU)];
    for (earlier, is_joined_since) in earlier.iter().flat_map(|one| [(one, false), (one, true)]) {
        let mut session = live(&[user(YOU, "Ana")]);
        assert_eq!(session.request(Intent::Leave, &left()), Some(ClientEvent::Leave {}));
        // What the operator or another page did was on its way already; the leave itself is lost
        // with the socket.
        assert_eq!(replies(session.receive(changes(5, earlier.clone()), &left())), []);
        session.closed(Duration::ZERO, 0);
        // Another page, which had not heard of the visitor's leaving, brought the row back.
        assert_eq!(session.opened(&left()), watch(5));
        let environment = if is_joined_since { seen() } else { left() };
        let again = session.receive(answer(5, 6, arrival(user(YOU, "Ana"))), &environment);
        let expected = if is_joined_since { announcement("Ana") } else { ClientEvent::Leave {} };
        assert_eq!(replies(again), [expected], "joined since: {is_joined_since}");
    }
}

/// The row of a first wish is not the second one's: it may be gone again before that is answered.
#[test]
fn a_second_wish_to_join_is_not_taken_for_the_first() {
    let mut session = live(&[]);
    let first = session.request(Intent::Join("Ana".into()), &seen());
    assert_eq!(first, Some(announcement("Ana")));
    // Nothing came yet: which of two answers came, nobody could say.
    assert_eq!(session.request(Intent::Join("Ann".into()), &seen()), None);

    let joined = session.receive(answer(4, 5, arrival(user(YOU, "Ana"))), &seen());
    assert_eq!(replies(joined), [announcement("Ann")]);
    let removed = session.receive(changes(6, departure(YOU)), &seen());
    assert_eq!(gone(&removed), ["Ana"]);
    // What was asked for before holds, should the socket be lost now.
    session.closed(Duration::ZERO, 7);
    assert_eq!(session.opened(&left()), introduction("Ann", 6));
}

/// The leave was lost with the socket, and what it asked for is done and undone when the next one opens.
#[test]
fn who_joined_again_elsewhere_is_not_taken_off_by_a_page_that_comes_back() {
    let mut session = live(&[user(YOU, "Ana")]);
    assert_eq!(session.request(Intent::Leave, &left()), Some(ClientEvent::Leave {}));
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.opened(&seen()), watch(4));
    let missed = Difference { new_user: vec![user(YOU, "Ann")], ..departure(YOU) };
    assert_eq!(replies(session.receive(answer(4, 6, missed), &seen())), [announcement("Ann")]);
}

#[test]
fn only_who_joined_after_a_row_ended_has_joined_since() {
    let row = User { joined: 100, ..user(YOU, "Ana") };
    let mut session = live(std::slice::from_ref(&row));
    let elsewhere = |seq| Since { epoch: "e2".parse().unwrap(), seq };
    for is_lost in [false, true] {
        for (joined, at, has_joined_since) in [
            // A younger row, whatever has become of the list.
            (99, since(9), true),
            (99, elsewhere(9), true),
            // Within a second only a later list tells.
            (100, since(4), true),
            (100, since(5), false),
            (100, elsewhere(3), false),
            (101, elsewhere(3), false),
        ] {
            let end = RowEnd { joined, at };
            assert_eq!(session.has_joined_since(&end), has_joined_since, "{end:?}, {is_lost}");
        }
        // A page without a socket knows only how things were, but that it knows.
        session.closed(Duration::ZERO, 0);
    }
    let end = RowEnd { joined: 0, at: since(0) };
    assert!(!live(&[user(1, "Bo")]).has_joined_since(&end), "they are not back");
}

#[test]
fn a_row_that_is_put_back_after_a_leave_is_taken_off_again() {
    let mut session = live(&[user(YOU, "Ana")]);
    session.request(Intent::Leave, &left());
    // On a slow line a beat comes before what was asked for: twice said, it might come twice.
    let roster = session.replica().roster().clone();
    assert_eq!(replies(session.receive(beat(4, &roster), &left())), []);
    assert_eq!(replies(session.receive(changes(5, departure(YOU)), &left())), []);
    // That the visitor has joined on another page may be known a little later than the row.
    let back = session.receive(changes(6, arrival(user(YOU, "Ana"))), &left());
    assert_eq!(replies(back), []);
    let roster = session.replica().roster().clone();
    assert_eq!(replies(session.receive(beat(6, &roster), &left())), [ClientEvent::Leave {}]);
    assert_eq!(replies(session.receive(changes(7, departure(YOU)), &left())), []);
    // Where they have, the row stays, and this page takes part in it.
    let back = session.receive(changes(8, arrival(user(YOU, "Ana"))), &seen());
    assert_eq!(replies(back), [announcement("Ana")]);
}

#[test]
fn who_joins_again_on_another_page_stays_listed_however_late_this_one_knows() {
    for is_told in [true, false] {
        let mut session = live(&[user(YOU, "Ana")]);
        session.request(Intent::Leave, &left());
        assert_eq!(replies(session.receive(changes(5, departure(YOU)), &left())), []);
        let back = session.receive(changes(6, arrival(user(YOU, "Ana"))), &left());
        assert_eq!(replies(back), []);
        let answers = if is_told {
            session.sync_environment(&seen())
        } else {
            let roster = session.replica().roster().clone();
            replies(session.receive(beat(6, &roster), &seen()))
        };
        assert_eq!(answers, [announcement("Ana")], "told: {is_told}");
    }
}
