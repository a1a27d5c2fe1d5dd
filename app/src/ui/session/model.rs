//! Any conversation at all, with a server that does what it is asked.

use proptest::prelude::*;

use super::{
    Session, Wish,
    tests::{YOU, answer, arrival, changes, existing, id, page, renaming, user},
};
use crate::presence::{ClientEvent, Difference, MoreUsers, Name, ServerEvent, User, UserId};

/// What may happen to a page, in any order.
#[derive(Clone, Debug)]
enum Happening {
    Want(Wish),
    Arrival(u8),
    Departure(u8),
    Loss,
    Garbage,
}

proptest! {
    /// Against a server that does what it is asked, the page ends as its last wish says, never
    /// sends a second introduction, and its list is the server's list.
    #[test]
    fn the_last_wish_comes_true(happenings in prop::collection::vec(any_happening(), 0..60)) {
        let mut server = Server::default();
        let mut session = page(&[]);
        server.hear([session.opened()], &mut session);
        let mut wanted = None;
        for happening in happenings {
            match happening {
                Happening::Want(wish) => {
                    let is_listed = server.users.iter().any(|user| user.id == id(YOU));
                    // The page offers to join to those who are not listed, and the rest to others.
                    if is_listed == matches!(wish, Wish::Join(_)) {
                        continue;
                    }
                    wanted = Some(wish.clone());
                    let event = session.want(wish);
                    server.hear(event, &mut session);
                }
                Happening::Arrival(number) => server.add(user(number, "Someone"), &mut session),
                Happening::Departure(number) => server.remove(id(number), &mut session),
                Happening::Loss => {
                    session.closed(7);
                    server.is_introduced = false;
                    server.hear([session.opened()], &mut session);
                }
                Happening::Garbage => server.send(
                    ServerEvent::MoreUsers(MoreUsers { users: vec![] }),
                    &mut session,
                ),
            }
        }
        let listed = session.replica().roster().users().cloned().collect::<Vec<_>>();
        prop_assert_eq!(&listed, &server.users);
        let name = session.your_name().map(|name| name.to_string());
        match wanted {
            Some(Wish::Join(wanted) | Wish::Rename(wanted)) => prop_assert_eq!(name, Some(wanted)),
            Some(Wish::Leave) | None => prop_assert_eq!(name, None),
        }
    }
}

fn any_happening() -> impl Strategy<Value = Happening> {
    let wish = prop_oneof![
        "[a-z]{1,3}".prop_map(Wish::Join),
        "[a-z]{1,3}".prop_map(Wish::Rename),
        Just(Wish::Leave),
    ];
    prop_oneof![
        wish.prop_map(Happening::Want),
        (1..5_u8).prop_map(Happening::Arrival),
        (1..5_u8).prop_map(Happening::Departure),
        Just(Happening::Loss),
        Just(Happening::Garbage),
    ]
}

/// The least that a server does: one room, one visitor.
#[derive(Default)]
struct Server {
    users: Vec<User>,
    seq: u64,
    is_introduced: bool,
}

impl Server {
    fn hear(&mut self, events: impl IntoIterator<Item = ClientEvent>, session: &mut Session) {
        for event in events {
            match event {
                ClientEvent::Watch { .. } => {
                    assert!(!self.is_introduced, "watch comes first or not at all");
                    self.is_introduced = true;
                    self.send(existing(self.seq, &self.users.clone()), session);
                }
                ClientEvent::GotANewUser { name, .. } => self.announced(&name, session),
                ClientEvent::Rename { name } => self.rename(&name, session),
                ClientEvent::Leave {} => self.remove(id(YOU), session),
                ClientEvent::Resync {} => {
                    self.send(existing(self.seq, &self.users.clone()), session);
                }
                ClientEvent::Visible { .. } => unreachable!("nothing of that is said yet"),
            }
        }
    }

    fn announced(&mut self, name: &str, session: &mut Session) {
        let is_first = !std::mem::replace(&mut self.is_introduced, true);
        let is_listed = self.users.iter().any(|user| user.id == id(YOU));
        let from = self.seq;
        let mut difference = Difference::default();
        if !is_listed {
            self.seq += 1;
            self.users.push(user(YOU, name));
            difference = arrival(user(YOU, name));
        }
        if is_first {
            self.send(existing(self.seq, &self.users.clone()), session);
        } else {
            self.send(answer(from, self.seq, difference), session);
        }
    }

    fn add(&mut self, user: User, session: &mut Session) {
        if self.users.iter().all(|other| other.id != user.id) {
            self.seq += 1;
            self.users.push(user.clone());
            self.send(changes(self.seq, arrival(user)), session);
        }
    }

    fn remove(&mut self, id: UserId, session: &mut Session) {
        let count = self.users.len();
        self.users.retain(|user| user.id != id);
        if self.users.len() < count {
            self.seq += 1;
            let mut difference = Difference::default();
            difference.disconnect_user.left.push(id);
            self.send(changes(self.seq, difference), session);
        }
    }

    fn rename(&mut self, name: &str, session: &mut Session) {
        let you = self.users.iter_mut().find(|user| user.id == id(YOU));
        if let Some(you) = you.filter(|you| you.name.as_str() != name) {
            you.name = Name::parse(name).unwrap();
            self.seq += 1;
            self.send(changes(self.seq, renaming(YOU, name)), session);
        }
    }

    fn send(&mut self, event: ServerEvent, session: &mut Session) {
        let replies = session.receive(event).replies;
        self.hear(replies, session);
    }
}
