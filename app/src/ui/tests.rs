//! The first pass: what the server draws.

#![cfg(feature = "ssr")]

use leptos::{config::LeptosOptions, prelude::*};

use super::{RoomPage, not_found_shell, shell};
use crate::presence::{ExistingUsers, Name, PresenceState, User, UserId};

const NOW: u64 = 1_700_000_000;

fn user(number: u8, name: &str, state: PresenceState, minutes_here: u64) -> User {
    User {
        id: id(number),
        name: Name::parse(name).unwrap(),
        joined: NOW - 60 * minutes_here,
        state,
    }
}

fn id(number: u8) -> UserId {
    format!("user-----{number:02}").parse().unwrap()
}

/// A room as the person of the id `user-----00` sees it.
fn page(users: Vec<User>) -> RoomPage {
    RoomPage {
        room: "standup".parse().unwrap(),
        list: ExistingUsers {
            epoch: "e1".parse().unwrap(),
            seq: 7,
            you: Some(id(0)),
            now: NOW * 1_000,
            count: users.len(),
            users,
        },
    }
}

fn few() -> Vec<User> {
    vec![
        user(1, "Ana Sousa", PresenceState::Here, 41),
        user(2, "<script>alert(1)</script>", PresenceState::Away, 3),
        user(3, "kim", PresenceState::Reconnecting, 3),
        user(4, "Kim", PresenceState::Here, 0),
    ]
}

fn options() -> LeptosOptions {
    LeptosOptions::builder().output_name("rollcall").build()
}

/// The document, without the comments that hydration needs.
fn html(page: RoomPage) -> String {
    let html = Owner::new().with(|| {
        provide_context(page);
        shell(options()).into_view().to_html()
    });
    html.replace("<!>", "")
}

#[test]
fn a_visitor_sees_the_list_and_the_form() {
    let html = html(page(few()));
    assert!(html.contains("<title>(4) standup · Rollcall</title>"), "{html}");
    assert!(html.contains("<h1>standup</h1>"), "{html}");
    assert!(html.contains(r#"<span data-testid="count" class="number">4</span>"#), "{html}");
    assert!(html.contains(r#"<ul id="roster" aria-label="Who is here">"#), "{html}");
    assert!(html.contains(r#"<label for="name">What should we call you?</label>"#), "{html}");
    assert!(html.contains(r#"data-user-id="user-----01" data-state="here""#), "{html}");
    assert!(html.contains(r#"<bdi class="user-name">Ana Sousa</bdi>"#), "{html}");
    assert!(html.contains("here 41 min"), "{html}");
    assert!(html.contains("just now"), "{html}");
    assert!(html.contains(r#"data-state="away""#), "{html}");
    assert!(html.contains("reconnecting…"), "{html}");
    assert!(!html.contains("You are here as"), "{html}");
    assert!(!html.contains(r#"data-testid="connection""#), "{html}");
    assert!(html.contains(r#"role="status" data-testid="announcer""#), "{html}");
    let order: Vec<_> = html.match_indices("data-user-id=\"user-----0").collect();
    assert_eq!(order.len(), 4);
}
