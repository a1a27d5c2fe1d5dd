//! Conversations with a server, frame by frame.

use std::time::Duration;

use super::{Departed, EndOfRow, Outcome, Session, Surroundings, Unlisted, Wish};
use crate::presence::{
    Changes, ClientEvent, DepartureReason, Difference, ExistingUsers, MoreUsers, Name,
    PresenceState, Refusal, RefusalCode, Renamed, Replica, Resumed, Retry, ServerEvent, Since,
    User, UserId,
};

pub(super) const YOU: u8 = 0;

pub(super) fn id(number: u8) -> UserId {
    format!("user-----{number:02}").parse().unwrap()
}

pub(super) fn user(number: u8, name: &str) -> User {
    User { id: id(number), name: Name::parse(name).unwrap(), joined: 0, state: PresenceState::Here }
}

fn list(seq: u64, users: &[User]) -> ExistingUsers {
    ExistingUsers {
        epoch: "e1".parse().unwrap(),
        seq,
        you: Some(id(YOU)),
        now: 0,
        count: users.len(),
        users: users.to_vec(),
    }
}

pub(super) fn existing(seq: u64, users: &[User]) -> ServerEvent {
    ServerEvent::ExistingUsers(list(seq, users))
}

pub(super) fn changes(seq: u64, difference: Difference) -> ServerEvent {
    ServerEvent::Changes(Changes { from: seq - 1, seq, difference })
}

pub(super) fn arrival(user: User) -> Difference {
    Difference { new_user: vec![user], ..Difference::default() }
}

fn departure(number: u8) -> Difference {
    let mut difference = Difference::default();
    difference.disconnect_user.left.push(id(number));
    difference
}

pub(super) fn renaming(number: u8, name: &str) -> Difference {
    let mut difference = Difference::default();
    let name = Name::parse(name).unwrap();
    difference.user_changed.renamed.push(Renamed { id: id(number), name });
    difference
}

pub(super) fn answer(from: u64, seq: u64, difference: Difference) -> ServerEvent {
    let epoch = "e1".parse().unwrap();
    ServerEvent::Resumed(Resumed { epoch, from, seq, you: Some(id(YOU)), now: 0, difference })
}

fn refused(of: &'static str) -> ServerEvent {
    let code = RefusalCode::NameNotAllowed;
    ServerEvent::Refused(Refusal { of: Some(of.into()), code, message: "No.".into() })
}

/// A page in front of somebody.
pub(super) fn seen() -> Surroundings {
    Surroundings { tab: "t1".parse().unwrap(), is_visible: true, has_left: false }
}

fn hidden() -> Surroundings {
    Surroundings { is_visible: false, ..seen() }
}

/// Somebody pressed "Leave" on another page.
fn left() -> Surroundings {
    Surroundings { has_left: true, ..seen() }
}

/// Asks to be listed on a socket that follows the room already.
fn announcement(name: &str) -> ClientEvent {
    let tab = Some(seen().tab);
    ClientEvent::GotANewUser { name: name.into(), tab, visible: None, since: None }
}

fn since(seq: u64) -> Since {
    Since { epoch: "e1".parse().unwrap(), seq }
}

/// Asks to be listed with the first frame, as one whose list is at `seq`.
fn introduction(name: &str, seq: u64) -> ClientEvent {
    let ClientEvent::GotANewUser { name, tab, visible, .. } = announcement(name) else {
        unreachable!("that is what it is");
    };
    ClientEvent::GotANewUser { name, tab, visible, since: Some(since(seq)) }
}

fn watch(seq: u64) -> ClientEvent {
    ClientEvent::Watch { since: Some(since(seq)) }
}

/// A page that was served with these rows, before its first socket.
pub(super) fn page(users: &[User]) -> Session {
    Session::new(Replica::from_first_html(list(4, users)).unwrap())
}

/// A page whose socket has brought the same rows again.
fn live(users: &[User]) -> Session {
    let mut session = page(users);
    session.opened(&seen());
    assert!(session.receive(existing(4, users), &seen()).is_live);
    session
}

fn gone(outcome: &Outcome) -> Vec<&str> {
    outcome.departed.iter().map(|departed| departed.name.as_str()).collect()
}

fn names(people: &[(UserId, Name)]) -> Vec<&str> {
    people.iter().map(|(_, name)| name.as_str()).collect()
}

fn replies(outcome: Outcome) -> Vec<ClientEvent> {
    outcome.replies
}

#[test]
fn a_visitor_watches_and_then_joins() {
    let mut session = page(&[user(1, "Bo")]);
    assert_eq!(session.opened(&seen()), watch(4));
    let outcome = session.receive(existing(4, &[user(1, "Bo")]), &seen());
    assert!(outcome.is_live && outcome.is_changed);
    assert_eq!(outcome.replies, []);

    assert_eq!(session.want(Wish::Join("Ana".into()), &seen()), Some(announcement("Ana")));
    // Somebody else comes first: that is no answer, and nothing is asked twice.
    assert_eq!(replies(session.receive(changes(5, arrival(user(2, "Cy"))), &seen())), []);
    let outcome = session.receive(answer(5, 6, arrival(user(YOU, "Ana"))), &seen());
    assert_eq!(names(&outcome.arrived), ["Ana"]);
    assert_eq!(outcome.replies, []);
    assert_eq!(session.wish, None);
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
    assert_eq!(
        replies(session.receive(changes(7, arrival(user(YOU, "Ann"))), &seen())),
        [announcement("Ann")]
    );
}

#[test]
fn joining_before_the_socket_opens_is_its_first_frame() {
    let mut session = page(&[]);
    assert_eq!(session.want(Wish::Join("Ana".into()), &seen()), None);
    assert_eq!(session.opened(&seen()), introduction("Ana", 4));
    assert_eq!(replies(session.receive(existing(5, &[user(YOU, "Ana")]), &seen())), []);
    assert_eq!(session.wish, None);
}

#[test]
fn joining_before_the_first_answer_waits_for_it() {
    let mut session = page(&[]);
    assert_eq!(session.opened(&seen()), watch(4));
    assert_eq!(session.want(Wish::Join("Ana".into()), &seen()), None);
    assert_eq!(replies(session.receive(existing(4, &[]), &seen())), [announcement("Ana")]);
}

#[test]
fn who_is_refused_watches_again_and_may_try_again() {
    let mut session = page(&[]);
    session.want(Wish::Join("!".into()), &seen());
    assert_eq!(session.opened(&seen()), introduction("!", 4));
    let outcome = session.receive(refused("got_a_new_user"), &seen());
    assert_eq!(outcome.refusal.map(|refusal| refusal.message.into_owned()), Some("No.".into()));
    assert_eq!(outcome.replies, [watch(4)]);
    assert_eq!(replies(session.receive(existing(4, &[]), &seen())), []);

    assert_eq!(session.want(Wish::Join("?".into()), &seen()), Some(announcement("?")));
    // Later on a socket one watches already.
    let outcome = session.receive(refused("got_a_new_user"), &seen());
    assert!(outcome.refusal.is_some());
    assert_eq!(outcome.replies, []);
    assert_eq!(session.want(Wish::Join("Ana".into()), &seen()), Some(announcement("Ana")));
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
fn a_lost_socket_is_followed_by_an_announcement_under_the_same_name() {
    let mut session = live(&[user(1, "Bo")]);
    session.want(Wish::Join("Ana".into()), &seen());
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
    assert_eq!(session.look_around(&hidden()), []);
    let joined = session.want(Wish::Join("Ana".into()), &hidden());
    let ClientEvent::GotANewUser { visible: Some(false), .. } = joined.unwrap() else {
        panic!("a hidden page says so")
    };
    assert_eq!(replies(session.receive(answer(4, 5, arrival(user(YOU, "Ana"))), &hidden())), []);
    assert_eq!(session.look_around(&hidden()), []);
    assert_eq!(session.look_around(&seen()), [visible(true)]);
    assert_eq!(session.look_around(&seen()), []);

    // Between two sockets there is nobody to tell; the next one begins with it.
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.look_around(&hidden()), []);
    session.opened(&seen());
    assert_eq!(session.look_around(&hidden()), []);
    assert_eq!(
        replies(session.receive(answer(5, 5, Difference::default()), &hidden())),
        [visible(false)]
    );
    // That it was told too often, or to a server that does not want it, is not the visitor's fault.
    let outcome = session.receive(refused("visible"), &hidden());
    assert!(outcome.refusal.is_none() && outcome.replies.is_empty());
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
    assert_eq!(outcome.was_unlisted.map(|unlisted| unlisted.reason), Some(DepartureReason::Left));
    // Joining there is joining here, as soon as this page knows that they mean it.
    let joined = session.receive(changes(6, arrival(user(YOU, "Ana"))), &left());
    assert_eq!(joined.replies, []);
    assert_eq!(session.look_around(&seen()), [announcement("Ana")]);
}

#[test]
fn a_feed_brings_the_list_where_sockets_do_not() {
    let mut session = page(&[user(YOU, "Ana"), user(1, "Bo")]);
    assert_eq!(session.want(Wish::Join("Ana".into()), &seen()), None);
    session.closed(Duration::ZERO, 0);
    let whole = ExistingUsers { you: None, ..list(9, &[user(YOU, "Ana"), user(2, "Cy")]) };
    let outcome = session.overhear(ServerEvent::ExistingUsers(whole)).unwrap();
    assert!(outcome.is_live && outcome.is_changed && !outcome.is_catching_up);
    assert!(session.overhear(changes(10, departure(2))).unwrap().is_live);
    // Sockets that do not open are not in the way of it.
    let piece = Changes { from: 10, seq: 10, difference: departure(YOU) };
    assert!(!session.overhear(ServerEvent::Changes(piece)).unwrap().is_live);
    session.closed(Duration::ZERO, 0);
    assert!(session.overhear(changes(11, arrival(user(YOU, "Ana")))).unwrap().is_live);
    assert_eq!(session.replica().your_row(), Some(&user(YOU, "Ana")));

    // It breaks, and comes again.
    session.interrupted();
    let whole = ExistingUsers { you: None, ..list(13, &[user(3, "Di")]) };
    let outcome = session.overhear(ServerEvent::ExistingUsers(whole)).unwrap();
    assert!(outcome.is_live && outcome.is_catching_up);
    assert_eq!((names(&outcome.arrived), gone(&outcome)), (vec!["Di"], vec!["Ana"]));

    // There is nobody to ask for a better one.
    session.overhear(changes(12, departure(1))).unwrap_err();
    session.interrupted();
    assert!(session.replica().position().is_none());
    // What was asked for meanwhile is asked for when a socket opens after all.
    let ClientEvent::GotANewUser { since: None, .. } = session.opened(&seen()) else {
        panic!("nothing is known that a server could go on from")
    };
}

#[test]
fn a_wish_survives_the_loss_of_the_socket() {
    let mut session = live(&[]);
    assert_eq!(session.want(Wish::Join("Ana".into()), &seen()), Some(announcement("Ana")));
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.opened(&seen()), introduction("Ana", 4));

    let listed = [user(YOU, "Ana")];
    let mut session = live(&listed);
    session.closed(Duration::ZERO, 0);
    assert_eq!(session.want(Wish::Rename("Ann".into()), &seen()), None);
    assert_eq!(session.opened(&seen()), introduction("Ana", 4));
    let rename = ClientEvent::Rename { name: "Ann".into() };
    assert_eq!(replies(session.receive(existing(4, &listed), &seen())), [rename]);
    session.receive(changes(5, renaming(YOU, "Ann")), &seen());
    assert_eq!(session.wish, None);

    session.closed(Duration::ZERO, 0);
    assert_eq!(session.want(Wish::Leave, &seen()), None);
    assert_eq!(session.opened(&seen()), watch(5));
    let outcome = session.receive(existing(5, &[user(YOU, "Ann")]), &seen());
    assert_eq!(outcome.replies, [ClientEvent::Leave {}]);
    session.receive(changes(6, departure(YOU)), &seen());
    assert_eq!(session.wish, None);
}

#[test]
fn what_a_lost_socket_left_unanswered_is_asked_again() {
    let listed = [user(YOU, "Ana")];
    for (wish, event) in [
        (Wish::Rename("Ann".into()), ClientEvent::Rename { name: "Ann".into() }),
        (Wish::Leave, ClientEvent::Leave {}),
    ] {
        let mut session = live(&listed);
        assert_eq!(session.want(wish, &seen()), Some(event.clone()));
        session.closed(Duration::ZERO, 0);
        session.opened(&seen());
        assert_eq!(replies(session.receive(existing(4, &listed), &seen())), [event]);
    }
}

#[test]
fn a_name_that_was_asked_for_is_not_lost_to_another_tab() {
    let mut session = page(&[]);
    assert_eq!(session.opened(&seen()), watch(4));
    session.want(Wish::Join("Ann".into()), &seen());
    // The other tab was faster; the later name wins.
    let outcome = session.receive(existing(5, &[user(YOU, "Ana")]), &seen());
    assert_eq!(outcome.replies, [announcement("Ann")]);
}

#[test]
fn who_thinks_better_of_leaving_takes_part_again() {
    let listed = [user(YOU, "Ana")];
    let mut session = live(&listed);
    session.closed(Duration::ZERO, 0);
    session.want(Wish::Leave, &seen());
    assert_eq!(session.opened(&seen()), watch(4));
    session.want(Wish::Rename("Ann".into()), &seen());
    let rename = ClientEvent::Rename { name: "Ann".into() };
    assert_eq!(
        replies(session.receive(existing(4, &listed), &seen())),
        [announcement("Ana"), rename]
    );
}

#[test]
fn who_leaves_is_asked_for_once_and_stays_away() {
    let mut session = live(&[user(YOU, "Ana"), user(1, "Bo")]);
    assert_eq!(session.want(Wish::Leave, &seen()), Some(ClientEvent::Leave {}));
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
    assert_eq!(session.want(Wish::Rename("!".into()), &seen()), Some(rename));
    let outcome = session.receive(refused("rename"), &seen());
    assert!(outcome.refusal.is_some() && outcome.is_live);
    assert_eq!(outcome.replies, []);
    assert_eq!(replies(session.receive(changes(5, arrival(user(1, "Bo"))), &seen())), []);
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
    assert_eq!(session.retry, Retry::default());
    session.closed(Duration::ZERO, 0);
    session.opened(&seen());
    session.receive(answer(4, 4, Difference::default()), &seen());
    assert_eq!(session.retry, Retry::default());
}

#[test]
fn what_is_newer_than_this_page_is_ignored() {
    let mut session = live(&[user(1, "Bo")]);
    let outcome = session.receive(ServerEvent::Unknown, &seen());
    assert!(outcome.is_live && !outcome.is_changed);
    let mut session = page(&[]);
    session.opened(&seen());
    session.want(Wish::Join("Ana".into()), &seen());
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
    let end = EndOfRow { joined: user(YOU, "Ana").joined, at: since(6) };
    let reason = DepartureReason::Removed;
    assert_eq!(outcome.was_unlisted, Some(Unlisted { reason, end }));
}

#[test]
fn a_refusal_of_the_old_wish_leaves_the_new_one() {
    let mut session = page(&[]);
    session.want(Wish::Join("!".into()), &seen());
    session.opened(&seen());
    assert_eq!(session.want(Wish::Join("Ana".into()), &seen()), None);
    assert_eq!(replies(session.receive(refused("got_a_new_user"), &seen())), [watch(4)]);
    assert_eq!(replies(session.receive(existing(4, &[]), &seen())), [announcement("Ana")]);
}

#[test]
fn what_overtakes_a_leave_does_not_stand_for_it() {
    let mut removal = Difference::default();
    removal.disconnect_user.removed.push(id(YOU));
    let earlier = [removal, departure(YOU)];
    for (earlier, is_joined_since) in earlier.iter().flat_map(|one| [(one, false), (one, true)]) {
        let mut session = live(&[user(YOU, "Ana")]);
        assert_eq!(session.want(Wish::Leave, &left()), Some(ClientEvent::Leave {}));
        // What the operator or another page did was on its way already; the leave itself is lost
        // with the socket.
        assert_eq!(replies(session.receive(changes(5, earlier.clone()), &left())), []);
        session.closed(Duration::ZERO, 0);
        // Another page, which had not heard of the visitor's leaving, brought the row back.
        assert_eq!(session.opened(&left()), watch(5));
        let surroundings = if is_joined_since { seen() } else { left() };
        let again = session.receive(answer(5, 6, arrival(user(YOU, "Ana"))), &surroundings);
        let expected = if is_joined_since { announcement("Ana") } else { ClientEvent::Leave {} };
        assert_eq!(replies(again), [expected], "joined since: {is_joined_since}");
    }
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
            let end = EndOfRow { joined, at };
            assert_eq!(session.has_joined_since(&end), has_joined_since, "{end:?}, {is_lost}");
        }
        // A page without a socket knows only how things were, but that it knows.
        session.closed(Duration::ZERO, 0);
    }
    let end = EndOfRow { joined: 0, at: since(0) };
    assert!(!live(&[user(1, "Bo")]).has_joined_since(&end), "they are not back");
}

#[test]
fn a_row_that_is_put_back_after_a_leave_is_taken_off_again() {
    let mut session = live(&[user(YOU, "Ana")]);
    session.want(Wish::Leave, &left());
    assert_eq!(replies(session.receive(changes(5, departure(YOU)), &left())), []);
    let back = session.receive(changes(6, arrival(user(YOU, "Ana"))), &left());
    assert_eq!(replies(back), [ClientEvent::Leave {}]);
    assert_eq!(replies(session.receive(changes(7, departure(YOU)), &left())), []);
    // Where the visitor has joined on another page it stays, and this page takes part in it.
    let back = session.receive(changes(8, arrival(user(YOU, "Ana"))), &seen());
    assert_eq!(replies(back), [announcement("Ana")]);
}
