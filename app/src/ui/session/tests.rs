//! Conversations with a server, frame by frame.

use super::{Outcome, Session, Wish};
use crate::presence::{
    Changes, ClientEvent, Difference, ExistingUsers, MoreUsers, Name, PresenceState, Refusal,
    RefusalCode, Renamed, Replica, Resumed, Retry, ServerEvent, User, UserId,
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

fn announcement(name: &str) -> ClientEvent {
    ClientEvent::GotANewUser { name: name.into(), tab: None, visible: None, since: None }
}

const WATCH: ClientEvent = ClientEvent::Watch { since: None };

/// A page that was served with these rows, before its first socket.
pub(super) fn page(users: &[User]) -> Session {
    Session::new(Replica::from_first_html(list(4, users)).unwrap())
}

/// A page whose socket has brought the same rows again.
fn live(users: &[User]) -> Session {
    let mut session = page(users);
    session.opened();
    assert!(session.receive(existing(4, users)).is_live);
    session
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
    assert_eq!(session.opened(), WATCH);
    let outcome = session.receive(existing(4, &[user(1, "Bo")]));
    assert!(outcome.is_live && outcome.is_changed);
    assert_eq!(outcome.replies, []);

    assert_eq!(session.want(Wish::Join("Ana".into())), Some(announcement("Ana")));
    // Somebody else comes first: that is no answer, and nothing is asked twice.
    assert_eq!(replies(session.receive(changes(5, arrival(user(2, "Cy"))))), []);
    let outcome = session.receive(answer(5, 6, arrival(user(YOU, "Ana"))));
    assert_eq!(names(&outcome.arrived), ["Ana"]);
    assert_eq!(outcome.replies, []);
    assert_eq!(session.wish, None);
}

#[test]
fn who_is_listed_already_announces_at_once() {
    let mut session = page(&[user(YOU, "Ana")]);
    assert_eq!(session.opened(), announcement("Ana"));
    assert_eq!(replies(session.receive(existing(4, &[user(YOU, "Ana")]))), []);
}

#[test]
fn who_was_beyond_the_first_rows_announces_when_the_list_shows_it() {
    let mut session = page(&[]);
    assert_eq!(session.opened(), WATCH);
    let mut beginning = list(4, &[user(1, "Bo")]);
    beginning.count = 2;
    let outcome = session.receive(ServerEvent::ExistingUsers(beginning));
    assert!(!outcome.is_live);
    assert_eq!(outcome.replies, []);
    let rest = ServerEvent::MoreUsers(MoreUsers { users: vec![user(YOU, "Ana")] });
    let outcome = session.receive(rest);
    assert!(outcome.is_live);
    assert_eq!(outcome.replies, [announcement("Ana")]);
}

#[test]
fn another_tab_that_joins_or_leaves_takes_this_one_along() {
    let mut session = live(&[]);
    let joined = session.receive(changes(5, arrival(user(YOU, "Ana"))));
    assert_eq!(joined.replies, [announcement("Ana")]);
    assert_eq!(replies(session.receive(changes(6, departure(YOU)))), []);
    assert_eq!(
        replies(session.receive(changes(7, arrival(user(YOU, "Ann"))))),
        [announcement("Ann")]
    );
}

#[test]
fn joining_before_the_socket_opens_is_its_first_frame() {
    let mut session = page(&[]);
    assert_eq!(session.want(Wish::Join("Ana".into())), None);
    assert_eq!(session.opened(), announcement("Ana"));
    assert_eq!(replies(session.receive(existing(5, &[user(YOU, "Ana")]))), []);
    assert_eq!(session.wish, None);
}

#[test]
fn joining_before_the_first_answer_waits_for_it() {
    let mut session = page(&[]);
    assert_eq!(session.opened(), WATCH);
    assert_eq!(session.want(Wish::Join("Ana".into())), None);
    assert_eq!(replies(session.receive(existing(4, &[]))), [announcement("Ana")]);
}

#[test]
fn who_is_refused_watches_again_and_may_try_again() {
    let mut session = page(&[]);
    session.want(Wish::Join("!".into()));
    assert_eq!(session.opened(), announcement("!"));
    let outcome = session.receive(refused("got_a_new_user"));
    assert_eq!(outcome.refusal.map(|refusal| refusal.message.into_owned()), Some("No.".into()));
    assert_eq!(outcome.replies, [WATCH]);
    assert_eq!(replies(session.receive(existing(4, &[]))), []);

    assert_eq!(session.want(Wish::Join("?".into())), Some(announcement("?")));
    // Later on a socket one watches already.
    let outcome = session.receive(refused("got_a_new_user"));
    assert!(outcome.refusal.is_some());
    assert_eq!(outcome.replies, []);
    assert_eq!(session.want(Wish::Join("Ana".into())), Some(announcement("Ana")));
}

#[test]
fn an_announcement_that_is_refused_is_not_repeated_for_ever() {
    let listed = [user(YOU, "Ana")];
    let mut session = page(&listed);
    assert_eq!(session.opened(), announcement("Ana"));
    assert_eq!(replies(session.receive(refused("got_a_new_user"))), [WATCH]);
    assert_eq!(replies(session.receive(existing(4, &listed))), []);
    assert_eq!(replies(session.receive(changes(5, arrival(user(1, "Bo"))))), []);
    // The next socket may have better luck.
    session.closed(0);
    assert_eq!(session.opened(), announcement("Ana"));
}

#[test]
fn a_lost_socket_is_followed_by_an_announcement_under_the_same_name() {
    let mut session = live(&[user(1, "Bo")]);
    session.want(Wish::Join("Ana".into()));
    session.receive(answer(4, 5, arrival(user(YOU, "Ana Sousa"))));
    session.closed(0);
    assert_eq!(session.replica().count(), 2);
    assert_eq!(session.opened(), announcement("Ana Sousa"));

    // The server forgot everybody: the list is the new one, and nobody is told who is news.
    let outcome = session.receive(existing(1, &[user(YOU, "Ana Sousa")]));
    assert!(outcome.is_changed && outcome.is_live);
    assert_eq!((outcome.arrived, outcome.departed), (vec![], vec![]));
    assert_eq!(outcome.replies, []);
}

#[test]
fn a_wish_survives_the_loss_of_the_socket() {
    let mut session = live(&[]);
    assert_eq!(session.want(Wish::Join("Ana".into())), Some(announcement("Ana")));
    session.closed(0);
    assert_eq!(session.opened(), announcement("Ana"));

    let listed = [user(YOU, "Ana")];
    let mut session = live(&listed);
    session.closed(0);
    assert_eq!(session.want(Wish::Rename("Ann".into())), None);
    assert_eq!(session.opened(), announcement("Ana"));
    let rename = ClientEvent::Rename { name: "Ann".into() };
    assert_eq!(replies(session.receive(existing(4, &listed))), [rename]);
    session.receive(changes(5, renaming(YOU, "Ann")));
    assert_eq!(session.wish, None);

    session.closed(0);
    assert_eq!(session.want(Wish::Leave), None);
    assert_eq!(session.opened(), WATCH);
    let outcome = session.receive(existing(5, &[user(YOU, "Ann")]));
    assert_eq!(outcome.replies, [ClientEvent::Leave {}]);
    session.receive(changes(6, departure(YOU)));
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
        assert_eq!(session.want(wish), Some(event.clone()));
        session.closed(0);
        session.opened();
        assert_eq!(replies(session.receive(existing(4, &listed))), [event]);
    }
}

#[test]
fn a_name_that_was_asked_for_is_not_lost_to_another_tab() {
    let mut session = page(&[]);
    assert_eq!(session.opened(), WATCH);
    session.want(Wish::Join("Ann".into()));
    // The other tab was faster; the later name wins.
    let outcome = session.receive(existing(5, &[user(YOU, "Ana")]));
    assert_eq!(outcome.replies, [announcement("Ann")]);
}

#[test]
fn who_thinks_better_of_leaving_takes_part_again() {
    let listed = [user(YOU, "Ana")];
    let mut session = live(&listed);
    session.closed(0);
    session.want(Wish::Leave);
    assert_eq!(session.opened(), WATCH);
    session.want(Wish::Rename("Ann".into()));
    let rename = ClientEvent::Rename { name: "Ann".into() };
    assert_eq!(replies(session.receive(existing(4, &listed))), [announcement("Ana"), rename]);
}

#[test]
fn who_leaves_is_asked_for_once_and_stays_away() {
    let mut session = live(&[user(YOU, "Ana"), user(1, "Bo")]);
    assert_eq!(session.want(Wish::Leave), Some(ClientEvent::Leave {}));
    let outcome = session.receive(changes(5, departure(YOU)));
    assert_eq!(names(&outcome.departed), ["Ana"]);
    assert_eq!(outcome.replies, []);
    session.closed(0);
    assert_eq!(session.opened(), WATCH);
}

#[test]
fn a_rename_that_is_refused_keeps_the_name() {
    let mut session = live(&[user(YOU, "Ana")]);
    let rename = ClientEvent::Rename { name: "!".into() };
    assert_eq!(session.want(Wish::Rename("!".into())), Some(rename));
    let outcome = session.receive(refused("rename"));
    assert!(outcome.refusal.is_some() && outcome.is_live);
    assert_eq!(outcome.replies, []);
    assert_eq!(replies(session.receive(changes(5, arrival(user(1, "Bo"))))), []);
}

#[test]
fn a_gap_is_answered_with_one_resync_until_the_list_comes() {
    let mut session = live(&[user(1, "Bo")]);
    let gap = || ServerEvent::MoreUsers(MoreUsers { users: vec![] });
    assert_eq!(replies(session.receive(gap())), [ClientEvent::Resync {}]);
    assert_eq!(replies(session.receive(gap())), []);
    assert_eq!(replies(session.receive(changes(9, departure(1)))), []);
    assert_eq!(replies(session.receive(refused("resync"))), [ClientEvent::Resync {}]);
    assert!(session.receive(existing(9, &[])).is_changed);
    assert_eq!(replies(session.receive(gap())), [ClientEvent::Resync {}]);
}

#[test]
fn those_who_went_are_called_by_their_names() {
    let mut session = live(&[user(1, "Bo"), user(2, "Cy")]);
    let mut piece = departure(1);
    piece.disconnect_user.lost.push(id(2));
    // The first piece of a difference that was cut: nobody is gone yet.
    let outcome =
        session.receive(ServerEvent::Changes(Changes { from: 4, seq: 4, difference: piece }));
    assert!(!outcome.is_changed);
    assert_eq!(outcome.departed, []);
    let outcome = session.receive(ServerEvent::Changes(Changes {
        from: 4,
        seq: 7,
        difference: arrival(user(3, "Di")),
    }));
    assert_eq!(names(&outcome.departed), ["Bo", "Cy"]);
    assert_eq!(names(&outcome.arrived), ["Di"]);

    // What a socket did not finish is forgotten with it.
    session.receive(ServerEvent::Changes(Changes { from: 7, seq: 7, difference: departure(3) }));
    session.closed(0);
    session.opened();
    session.receive(existing(8, &[user(3, "Di")]));
    let outcome = session.receive(changes(9, arrival(user(4, "Ed"))));
    assert_eq!(outcome.departed, []);
}

#[test]
fn attempts_come_rarer_until_one_brings_a_list() {
    let mut session = page(&[]);
    let bounds = [500, 1_000, 2_000].map(|bound| bound - 1);
    for bound in bounds {
        assert_eq!(session.closed(u32::MAX).as_millis(), bound);
        // A socket that opens and brings nothing is no better than one that does not.
        session.opened();
    }
    session.receive(existing(4, &[]));
    assert_eq!(session.retry, Retry::default());
    session.closed(0);
    session.opened();
    session.receive(answer(4, 4, Difference::default()));
    assert_eq!(session.retry, Retry::default());
}

#[test]
fn what_is_newer_than_this_page_is_ignored() {
    let mut session = live(&[user(1, "Bo")]);
    let outcome = session.receive(ServerEvent::Unknown);
    assert!(outcome.is_live && !outcome.is_changed);
    let mut session = page(&[]);
    session.opened();
    session.want(Wish::Join("Ana".into()));
    assert_eq!(replies(session.receive(ServerEvent::Unknown)), []);
}
