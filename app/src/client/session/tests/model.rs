//! Random sequences of events, against a model of a server that grants every request.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    super::{Environment, Intent, Session},
    script::{YOU, answer, arrival, changes, existing, id, page, renaming, seen, user},
};
use crate::presence::{ClientEvent, Difference, MoreUsers, Name, ServerEvent, Since, User, UserId};

/// An event for a page; events may come in any order.
#[derive(Clone, Debug)]
enum PageEvent {
    Request(Intent),
    Arrival(u8),
    Departure(u8),
    Disconnect,
    OutOfOrderFrame,
    /// The page is shown or hidden.
    Visibility(bool),
}

proptest! {
    /// The page ends as its last intent says, never sends a second first frame, and its list is the
    /// server's list; the server knows the visibility of a listed person's page.
    #[test]
    fn the_last_intent_is_fulfilled(page_events in prop::collection::vec(any_page_event(), 0..60)) {
        let mut server = Server::new();
        let mut session = page(&[]);
        server.handle([session.opened(&server.environment)], &mut session);
        let mut wanted = None;
        for page_event in page_events {
            match page_event {
                PageEvent::Request(intent) => {
                    let is_listed = server.users.iter().any(|user| user.id == id(YOU));
                    // The page offers joining only while not listed, and the rest only while listed.
                    if is_listed == matches!(intent, Intent::Join(_)) {
                        continue;
                    }
                    wanted = Some(intent.clone());
                    server.environment.has_left = intent == Intent::Leave;
                    let event = session.request(intent, &server.environment);
                    server.handle(event, &mut session);
                }
                PageEvent::Arrival(number) => server.add(user(number, "Someone"), &mut session),
                PageEvent::Departure(number) => server.remove(id(number), &mut session),
                PageEvent::Disconnect => {
                    session.closed(Duration::ZERO, 7);
                    server.has_first_frame = false;
                    server.handle([session.opened(&server.environment)], &mut session);
                }
                PageEvent::Visibility(is_visible) => {
                    server.environment.is_visible = is_visible;
                    let events = session.sync_environment(&server.environment);
                    server.handle(events, &mut session);
                }
                PageEvent::OutOfOrderFrame => server.send(
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
        let name = session.own_name().map(|name| name.to_string());
        match wanted {
            Some(Intent::Join(wanted) | Intent::Rename(wanted)) => prop_assert_eq!(name, Some(wanted)),
            Some(Intent::Leave) | None => prop_assert_eq!(name, None),
        }
    }
}

fn any_page_event() -> impl Strategy<Value = PageEvent> {
    let intent = prop_oneof![
        "[a-z]{1,3}".prop_map(Intent::Join),
        "[a-z]{1,3}".prop_map(Intent::Rename),
        Just(Intent::Leave),
    ];
    prop_oneof![
        intent.prop_map(PageEvent::Request),
        (1..5_u8).prop_map(PageEvent::Arrival),
        (1..5_u8).prop_map(PageEvent::Departure),
        Just(PageEvent::Disconnect),
        any::<bool>().prop_map(PageEvent::Visibility),
        Just(PageEvent::OutOfOrderFrame),
    ]
}

/// A minimal server: one room, one visitor.
struct Server {
    users: Vec<User>,
    seq: u64,
    has_first_frame: bool,
    /// The visibility that the visitor's page reported.
    is_page_visible: bool,
    /// The state of the visitor's browser.
    environment: Environment,
}

impl Server {
    fn new() -> Self {
        Self {
            users: vec![],
            seq: 4,
            has_first_frame: false,
            is_page_visible: false,
            environment: seen(),
        }
    }

    fn handle(&mut self, events: impl IntoIterator<Item = ClientEvent>, session: &mut Session) {
        for event in events {
            match event {
                ClientEvent::Watch { since } => {
                    assert!(!self.has_first_frame, "watch comes first or not at all");
                    self.has_first_frame = true;
                    self.send_list(since.as_ref(), session);
                }
                ClientEvent::GotANewUser { name, tab, visible, since } => {
                    assert!(since.is_none() || !self.has_first_frame, "since comes first");
                    assert_eq!(tab, Some(seen().tab));
                    self.is_page_visible = visible.unwrap_or(true);
                    self.join(&name, since.as_ref(), session);
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

    /// Sends an empty difference to a client that is up to date, and the list to any other.
    fn send_list(&mut self, since: Option<&Since>, session: &mut Session) {
        if since.is_some_and(|since| since.seq == self.seq) {
            self.send(answer(self.seq, self.seq, Difference::default()), session);
        } else {
            self.send(existing(self.seq, &self.users.clone()), session);
        }
    }

    fn join(&mut self, name: &str, since: Option<&Since>, session: &mut Session) {
        let is_first = !std::mem::replace(&mut self.has_first_frame, true);
        let is_listed = self.users.iter().any(|user| user.id == id(YOU));
        let from = self.seq;
        let mut difference = Difference::default();
        if !is_listed {
            self.seq += 1;
            self.users.push(user(YOU, name));
            difference = arrival(user(YOU, name));
        }
        if is_first {
            self.send_list(since, session);
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
        self.handle(replies, session);
    }
}
