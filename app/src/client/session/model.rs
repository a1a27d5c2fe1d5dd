//! Any conversation at all, with a server that does what it is asked.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    Environment, Intent, Session,
    script::{YOU, answer, arrival, changes, existing, id, page, renaming, seen, user},
};
use crate::presence::{ClientEvent, Difference, MoreUsers, Name, ServerEvent, Since, User, UserId};

/// What may happen to a page, in any order.
#[derive(Clone, Debug)]
enum Happening {
    Want(Intent),
    Arrival(u8),
    Departure(u8),
    Loss,
    Garbage,
    /// The page is shown or hidden.
    See(bool),
}

proptest! {
    /// Against a server that does what it is asked, the page ends as its last wish says, never
    /// sends a second introduction, and its list is the server's list; who is listed is known to
    /// look at the page or not to.
    #[test]
    fn the_last_wish_comes_true(happenings in prop::collection::vec(any_happening(), 0..60)) {
        let mut server = Server::new();
        let mut session = page(&[]);
        server.hear([session.opened(&server.environment)], &mut session);
        let mut wanted = None;
        for happening in happenings {
            match happening {
                Happening::Want(intent) => {
                    let is_listed = server.users.iter().any(|user| user.id == id(YOU));
                    // The page offers to join to those who are not listed, and the rest to others.
                    if is_listed == matches!(intent, Intent::Join(_)) {
                        continue;
                    }
                    wanted = Some(intent.clone());
                    server.environment.has_left = intent == Intent::Leave;
                    let event = session.request(intent, &server.environment);
                    server.hear(event, &mut session);
                }
                Happening::Arrival(number) => server.add(user(number, "Someone"), &mut session),
                Happening::Departure(number) => server.remove(id(number), &mut session),
                Happening::Loss => {
                    session.closed(Duration::ZERO, 7);
                    server.is_introduced = false;
                    server.hear([session.opened(&server.environment)], &mut session);
                }
                Happening::See(is_visible) => {
                    server.environment.is_visible = is_visible;
                    let events = session.sync_environment(&server.environment);
                    server.hear(events, &mut session);
                }
                Happening::Garbage => server.send(
                    ServerEvent::MoreUsers(MoreUsers { users: vec![] }),
                    &mut session,
                ),
            }
        }
        let listed = session.replica().roster().users().cloned().collect::<Vec<_>>();
        prop_assert_eq!(&listed, &server.users);
        if server.users.iter().any(|user| user.id == id(YOU)) {
            prop_assert_eq!(server.is_page_visible, server.environment.is_visible);
        }
        let name = session.your_name().map(|name| name.to_string());
        match wanted {
            Some(Intent::Join(wanted) | Intent::Rename(wanted)) => prop_assert_eq!(name, Some(wanted)),
            Some(Intent::Leave) | None => prop_assert_eq!(name, None),
        }
    }
}

fn any_happening() -> impl Strategy<Value = Happening> {
    let intent = prop_oneof![
        "[a-z]{1,3}".prop_map(Intent::Join),
        "[a-z]{1,3}".prop_map(Intent::Rename),
        Just(Intent::Leave),
    ];
    prop_oneof![
        intent.prop_map(Happening::Want),
        (1..5_u8).prop_map(Happening::Arrival),
        (1..5_u8).prop_map(Happening::Departure),
        Just(Happening::Loss),
        any::<bool>().prop_map(Happening::See),
        Just(Happening::Garbage),
    ]
}

/// The least that a server does: one room, one visitor.
struct Server {
    users: Vec<User>,
    seq: u64,
    is_introduced: bool,
    /// What the visitor's page said of itself.
    is_page_visible: bool,
    /// What the visitor's browser is like.
    environment: Environment,
}

impl Server {
    fn new() -> Self {
        Self {
            users: vec![],
            seq: 4,
            is_introduced: false,
            is_page_visible: false,
            environment: seen(),
        }
    }

    fn hear(&mut self, events: impl IntoIterator<Item = ClientEvent>, session: &mut Session) {
        for event in events {
            match event {
                ClientEvent::Watch { since } => {
                    assert!(!self.is_introduced, "watch comes first or not at all");
                    self.is_introduced = true;
                    self.welcome(since.as_ref(), session);
                }
                ClientEvent::GotANewUser { name, tab, visible, since } => {
                    assert!(since.is_none() || !self.is_introduced, "since comes first");
                    assert_eq!(tab, Some(seen().tab));
                    self.is_page_visible = visible.unwrap_or(true);
                    self.announced(&name, since.as_ref(), session);
                }
                ClientEvent::Rename { name } => self.rename(&name, session),
                ClientEvent::Leave {} => self.remove(id(YOU), session),
                ClientEvent::Resync {} => {
                    self.send(existing(self.seq, &self.users.clone()), session);
                }
                ClientEvent::Visible { visible } => self.is_page_visible = visible,
            }
        }
    }

    /// Who missed nothing is told so, and everyone else gets the list.
    fn welcome(&mut self, since: Option<&Since>, session: &mut Session) {
        if since.is_some_and(|since| since.seq == self.seq) {
            self.send(answer(self.seq, self.seq, Difference::default()), session);
        } else {
            self.send(existing(self.seq, &self.users.clone()), session);
        }
    }

    fn announced(&mut self, name: &str, since: Option<&Since>, session: &mut Session) {
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
            self.welcome(since, session);
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
        let replies = session.receive(event, &self.environment).replies;
        self.hear(replies, session);
    }
}
