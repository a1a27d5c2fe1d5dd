//! The view for a frame on somebody else's page, through real requests.

use crate::support::{TestServer, body, header};

#[tokio::test]
async fn it_shows_who_is_here_and_knows_no_person() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Ana <b>Sousa</b>").await;
    let view = server.get_with("/r/team/embed", &format!("Cookie: {}\r\n", ana.cookie)).await;
    assert!(view.starts_with("HTTP/1.1 200"), "{view}");
    assert!(view.contains("Ana &lt;b&gt;Sousa"), "{view}");
    assert_eq!(header(&view, "set-cookie"), None);
    assert_eq!(header(&view, "cache-control"), Some("private, no-cache"));
    for part in ["<form", "You are here as", ".wasm", " style=", "<style"] {
        assert!(!body(&view).contains(part), "{part} should not be in {view}");
    }
    // Its one script stands in a file of its own.
    assert_eq!(body(&view).matches("<script").count(), 1);
    assert!(body(&view).contains(r#"<script type="module" src="/embed.js"></script>"#), "{view}");
}

#[tokio::test]
async fn asking_for_it_opens_no_room() {
    let server = TestServer::start();
    let view = server.get("/r/nobody/embed").await;
    assert!(view.starts_with("HTTP/1.1 200") && view.contains(">0</span>"), "{view}");
    let first = server.get("/api/rooms/nobody/users").await;
    assert!(body(&first).contains(r#""epoch":"0"#), "{first}");
}

#[tokio::test]
async fn anybody_may_frame_it_and_nothing_else() {
    let server = TestServer::start();
    let view = server.get("/r/team/embed").await;
    let policy = header(&view, "content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors *"), "{policy}");
    assert_eq!(header(&view, "x-frame-options"), None);
    for path in ["/r/team", "/", "/nowhere", "/r/a_b/embed"] {
        let page = server.get(path).await;
        let policy = header(&page, "content-security-policy").unwrap_or_default();
        assert!(!policy.contains("frame-ancestors *"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn a_crowd_is_counted_and_some_of_it_shown() {
    let server = TestServer::start();
    let mut people = Vec::new();
    for number in 0..30 {
        let mut client = server.connect("crowd").await;
        client.join(&format!("Person {number}")).await;
        people.push(client);
    }
    let view = server.get("/r/crowd/embed").await;
    assert_eq!(view.matches("<li ").count(), 24);
    assert!(view.contains(">30</span>") && view.contains("and 6 more"), "{view}");
}

#[tokio::test]
async fn a_name_that_is_no_room_leads_nowhere() {
    let server = TestServer::start();
    assert!(server.get("/r/a_b/embed").await.starts_with("HTTP/1.1 404"));
    let redirect = server.get("/r/Team/embed").await;
    assert_eq!(header(&redirect, "location"), Some("/r/team/embed"));
}

/// What the view says of itself is where the feed can go on from.
#[tokio::test]
async fn the_feed_goes_on_from_where_the_view_is() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let view = server.get("/r/team/embed").await;
    let at = view.split("data-at=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut bo = server.connect("team").await;
    bo.join("Bo").await;
    let news = server.first_of(&format!("/api/rooms/team/events?since={at}"), "data: ").await;
    assert!(news.contains(r#""event":"resumed""#) && news.contains("Bo"), "{news}");
    assert!(!news.contains("Ana"), "{news}");
    let news = server.first_of("/api/rooms/team/events?since=nonsense", "data: ").await;
    assert!(news.contains(r#""event":"existing_users""#), "{news}");
}
