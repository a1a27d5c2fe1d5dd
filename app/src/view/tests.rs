//! The page as the server renders it.

#![cfg(feature = "ssr")]

use leptos::{config::LeptosOptions, prelude::*};

use crate::{
    presence::{ExistingUsers, Name, PresenceState, RoomName, RoomNameError, User, UserId},
    ssr::{NotFound, not_found_document, room_parts, shell},
    state::RoomPage,
};

const NOW: u64 = 1_700_000_000;

fn id(number: u8) -> UserId {
    format!("user-----{number:02}").parse().unwrap()
}

fn user(number: u8, name: &str, state: PresenceState, minutes_here: u64) -> User {
    User {
        id: id(number),
        name: Name::parse(name).unwrap(),
        joined: NOW - 60 * minutes_here,
        state,
    }
}

/// A room's page for the person with the id number 0.
fn page(users: Vec<User>) -> RoomPage {
    let away = users.iter().filter(|user| user.state == PresenceState::Away).count();
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
        away,
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

/// The document, without hydration's comments.
fn html(page: Option<RoomPage>) -> String {
    let html = Owner::new().with(|| {
        if let Some(page) = page {
            provide_context(page);
        }
        shell(options()).into_view().to_html()
    });
    html.replace("<!>", "")
}

fn not_found(reason: NotFound) -> String {
    not_found_document(&options(), reason, RoomName::suggest("a_b").as_ref(), false)
}

#[track_caller]
fn assert_has(html: &str, part: &str) {
    assert!(html.contains(part), "{part:?} is missing in {html}");
}

#[track_caller]
fn assert_lacks(html: &str, part: &str) {
    assert!(!html.contains(part), "{part:?} should not be in {html}");
}

#[test]
fn a_new_visitor_sees_the_list_and_the_form() {
    let html = html(Some(page(few())));
    assert_has(&html, "<!DOCTYPE html><html lang=\"en\" dir=\"ltr\">");
    assert_has(&html, "<title>(3) standup · Rollcall</title>");
    assert_has(&html, "<h1 translate=\"no\">standup</h1>");
    assert_has(&html, r#"<span data-testid="count" translate="no" class="number">3</span>"#);
    assert_has(&html, r#"<label for="name">Your name</label>"#);
    assert_has(&html, r#"name="name""#);
    assert_has(&html, ">Join</button>");
    assert_has(&html, "role=\"status\" data-testid=\"announcer\"");
    for part in
        ["You're on the list</span>", "data-testid=\"connection\"", "name-error", "aria-invalid"]
    {
        assert_lacks(&html, part);
    }
}

#[test]
fn rows_are_in_order_with_names_and_states() {
    let html = html(Some(page(few())));
    assert_has(&html, r#"<ul id="roster" role="list" aria-label="Who is here">"#);
    let rows: Vec<&str> = html.split("<li ").skip(1).collect();
    assert_eq!(rows.len(), 4);
    // Those who are here by name, and then who is away.
    for (number, row) in [1, 3, 4, 2].into_iter().zip(&rows) {
        assert_has(row, &format!(r#"data-user-id="user-----0{number}""#));
    }
    assert_has(rows[0], r#"data-state="here""#);
    assert_has(rows[0], r#"<bdi class="user-name">Ana Sousa</bdi>"#);
    assert_has(rows[0], "21:32 UTC");
    assert_has(rows[1], r#"data-state="reconnecting""#);
    assert_has(rows[1], "reconnecting…");
    assert_has(rows[2], "22:13 UTC");
    assert_has(rows[3], r#"data-state="away""#);
    assert_has(rows[3], ">away</span>");
    assert_lacks(&html, "is-you");
}

#[test]
fn a_name_is_escaped() {
    let names = ["<script>alert(1)</script>", "\"'&<b>", "</bdi></title><img src=x>"];
    for name in names {
        let html = html(Some(page(vec![user(0, name, PresenceState::Here, 0)])));
        let escaped = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        assert_has(&html, &format!("<bdi class=\"user-name\">{escaped}</bdi>"));
        assert_lacks(&html, name);
    }
}

#[test]
fn only_the_second_of_a_name_is_numbered() {
    let html = html(Some(page(few())));
    assert_eq!(html.matches("<span hidden class=\"namesake\">").count(), 3);
    let kim = html.split("user-----04").nth(1).unwrap();
    assert_has(kim, "<bdi class=\"user-name\">Kim</bdi> <span class=\"namesake\">(2)</span>");
}

#[test]
fn a_listed_visitor_sees_their_own_status_in_the_first_html() {
    let mut users = few();
    users.push(user(0, "Zoë & Co", PresenceState::Here, 2));
    let html = html(Some(page(users)));
    assert_has(&html, "data-testid=\"you\"");
    assert_has(
        &html,
        "<bdi translate=\"no\">Zoë &amp; Co</bdi> <span class=\"hint\">You're on the list</span>",
    );
    assert_has(&html, ">Change name</button>");
    assert_has(&html, ">Leave</button>");
    assert_lacks(&html, ">Your name</label>");
    assert_eq!(html.matches("is-you").count(), 1);
    let row = html.split("user-----00").nth(1).unwrap();
    assert_has(row, "<span class=\"you\">you</span>");
    assert_eq!(html.matches("<span hidden class=\"you\">you</span>").count(), 4);
}

#[test]
fn an_empty_room_has_a_notice() {
    let html = html(Some(page(vec![])));
    assert_has(&html, "<title>(0) standup · Rollcall</title>");
    assert_has(&html, "<p data-testid=\"empty\" class=\"empty\">");
    assert_lacks(&html, "<li ");
    assert_lacks(&self::html(Some(page(few()))), "<p data-testid=\"empty\" class=\"empty\">");
}

#[test]
fn a_visitor_who_is_alone_sees_how_to_invite_others() {
    let text_when_alone = "<p class=\"empty alone\">Just you so far";
    let [first, second, ..] = &few()[..] else { panic!("two people") };
    let mut page = page(vec![first.clone()]);
    assert_lacks(&html(Some(page.clone())), text_when_alone);
    page.list.you = Some(first.id);
    assert_has(&html(Some(page.clone())), text_when_alone);
    page.list.users.push(second.clone());
    page.list.count = 2;
    assert_lacks(&html(Some(page)), text_when_alone);
}

#[test]
fn a_long_list_has_the_number_of_further_rows() {
    let mut page = page(few());
    page.list.count = 9_804;
    let html = html(Some(page));
    assert_has(&html, "<title>(9,803) standup · Rollcall</title>");
    assert_has(&html, "data-testid=\"count\" translate=\"no\" class=\"number\">9,803</span>");
    assert_has(&html, "and 9,800 more");
    assert_lacks(&self::html(Some(self::page(few()))), " more</p>");
}

#[test]
fn notices_about_scripts_and_cookies_are_outside_of_the_hydrated_part() {
    let html = html(Some(page(few())));
    let (before, main) = html.split_once("<main>").unwrap();
    assert_has(before, "<noscript><aside class=\"without-scripts\">");
    // Rendering the hydrated part anew does not take it away.
    assert_has(before, "<div role=\"status\" class=\"without-cookies\">");
    assert_lacks(main, "<noscript>");
    // Controls that need scripts are disabled before they run; two are hidden.
    let controls = main.matches("<button").count() + main.matches("type=\"search\"").count();
    assert_eq!(controls, main.matches("disabled").count() + 2);
    assert_has(main, "hidden>Cancel</button>");
    assert_has(main, r#"<div hidden="" data-testid="missed" class="missed">"#);
    assert_lacks(main, "href=\"/r/");
}

#[test]
fn the_documents_need_no_unsafe_content_security_policy() {
    for html in [html(Some(page(few()))), not_found(NotFound::NoPage)] {
        for part in [" style=", "<style", "javascript:", " onclick", " onload"] {
            assert_lacks(&html, part);
        }
    }
}

#[test]
fn rendering_is_deterministic() {
    assert_eq!(html(Some(page(few()))), html(Some(page(few()))));
}

#[test]
fn the_browser_parses_the_data_that_the_server_wrote() {
    let page = page(few());
    let text = serde_json::to_string(&page).unwrap();
    assert_eq!(crate::client::codec::json::from_str(&text), Ok(page));
}

#[test]
fn start_data_has_the_fingerprint_of_each_hydrated_part() {
    let html = html(Some(page(few())));
    let (_, data) = html.split_once("<script type=\"application/json\"").unwrap();
    let (_, data) = data.split_once('>').unwrap();
    let data: serde_json::Value =
        serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
    let parts: Vec<&String> = data["fingerprints"].as_object().unwrap().keys().collect();
    assert_eq!(parts, ["list", "main", "sidebar"]);
    assert_eq!(data["parts"], "/r/standup/parts.json?lang=en");
    assert_eq!(data["page"]["list"]["users"][1]["name"], "<script>alert(1)</script>");
}

#[test]
fn titles_and_previews_count_who_is_here() {
    let html = html(Some(page(few())));
    assert_has(&html, "<title>(3) standup · Rollcall</title>");
    assert_has(&html, "3 people are here now.");
    let parts = Owner::new().with(|| {
        provide_context(page(few()));
        room_parts()
    });
    assert_has(&parts, r#""title":"(3) standup · Rollcall""#);
}

#[test]
fn names_and_the_count_are_not_translated() {
    let html = html(Some(page(few())));
    for part in [r#"<h1 translate="no""#, r#"data-testid="count" translate="no""#] {
        assert_has(&html, part);
    }
    assert_eq!(html.matches("aria-hidden=\"true\" translate=\"no\"").count(), few().len());
    assert_eq!(html.matches("<span translate=\"no\" title=").count(), few().len());
    assert_has(&html, r#"data-1p-ignore="true""#);
}

#[test]
fn a_page_without_a_room_has_an_empty_main() {
    assert_has(&html(None), "<main></main>");
}

#[test]
fn the_not_found_page_has_the_reason_and_links() {
    let html = not_found(NotFound::Room(RoomNameError::Length));
    assert_has(&html, "<title>Page not found · Rollcall</title>");
    assert_has(&html, "A room name has 1 to 64 characters.");
    assert_has(&html, r#"href="/r/a-b""#);
    assert_has(&html, "Go to the room a-b");
    assert_has(&html, "Check the address");
    assert_lacks(&html, "<script");
    assert_has(&html, "href=\"/\"");
    assert_has(&html, "<link rel=\"stylesheet\" href=\"/pkg/rollcall.css\">");
    assert_lacks(&html, "<script");
}
