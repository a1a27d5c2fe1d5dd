//! Frames and states for the session's tests.

use super::super::{Environment, Outcome, Session};
use crate::{
    client::Replica,
    presence::{
        Beat, Changes, ClientEvent, Difference, ExistingUsers, Name, PresenceState, Refusal,
        RefusalCode, Renamed, Resumed, Roster, ServerEvent, Since, User, UserId,
    },
};

pub(super) const YOU: u8 = 0;

pub(super) fn id(number: u8) -> UserId {
    format!("user-----{number:02}").parse().unwrap()
}

pub(super) fn user(number: u8, name: &str) -> User {
    User { id: id(number), name: Name::parse(name).unwrap(), joined: 0, state: PresenceState::Here }
}

pub(super) fn list(seq: u64, users: &[User]) -> ExistingUsers {
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

pub(super) fn departure(number: u8) -> Difference {
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

pub(super) fn beat(seq: u64, roster: &Roster) -> ServerEvent {
    let (count, digest) = (roster.len(), roster.digest());
    ServerEvent::Beat(Beat { seq, count, digest, now: 0, as_of: None })
}

pub(super) fn refused(of: &'static str) -> ServerEvent {
    let code = RefusalCode::NameNotAllowed;
    ServerEvent::Refused(Refusal { of: Some(of.into()), code, message: "No.".into() })
}

/// The environment of a visible page.
pub(super) fn seen() -> Environment {
    Environment { tab: "t1".parse().unwrap(), is_visible: true, has_left: false }
}

pub(super) fn hidden() -> Environment {
    Environment { is_visible: false, ..seen() }
}

/// The environment after "Leave" was pressed in another tab.
pub(super) fn left() -> Environment {
    Environment { has_left: true, ..seen() }
}

/// A join on a socket that follows the room already.
pub(super) fn announcement(name: &str) -> ClientEvent {
    let tab = Some(seen().tab);
    ClientEvent::GotANewUser { name: name.into(), tab, visible: None, since: None }
}

pub(super) fn since(seq: u64) -> Since {
    Since { epoch: "e1".parse().unwrap(), seq }
}

/// A join as the first frame, with the list at `seq`.
pub(super) fn introduction(name: &str, seq: u64) -> ClientEvent {
    let ClientEvent::GotANewUser { name, tab, visible, .. } = announcement(name) else {
        unreachable!("`announcement` returns this variant");
    };
    ClientEvent::GotANewUser { name, tab, visible, since: Some(since(seq)) }
}

pub(super) fn watch(seq: u64) -> ClientEvent {
    ClientEvent::Watch { since: Some(since(seq)) }
}

/// A session of a page that was served with these rows, before its first socket.
pub(super) fn page(users: &[User]) -> Session {
    Session::new(Replica::from_first_html(list(4, users)).unwrap())
}

/// A session whose first socket has brought the same rows.
pub(super) fn live(users: &[User]) -> Session {
    let mut session = page(users);
    session.opened(&seen());
    assert!(session.receive(existing(4, users), &seen()).is_live);
    session
}

pub(super) fn gone(outcome: &Outcome) -> Vec<&str> {
    outcome.departed.iter().map(|departed| departed.name.as_str()).collect()
}

pub(super) fn names(people: &[(UserId, Name)]) -> Vec<&str> {
    people.iter().map(|(_, name)| name.as_str()).collect()
}

pub(super) fn replies(outcome: Outcome) -> Vec<ClientEvent> {
    outcome.replies
}
