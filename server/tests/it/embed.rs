//! The embedded view, through real requests.

use crate::support::{TestServer, body, header};

#[tokio::test]
async fn embed_shows_the_list_without_a_cookie() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Ana <b>Sousa</b>").await;
    let view = server.get_with("/r/team/embed", &format!("Cookie: {}\r\n", ana.cookie)).await;
    assert!(view.starts_with("HTTP/1.1 200"), "{view}");
    assert!(view.contains("Ana &lt;b&gt;Sousa"), "{view}");
    assert_eq!(header(&view, "set-cookie"), None);
    assert_eq!(header(&view, "cache-control"), Some("private, no-cache, no-transform"));
    for part in ["<form", "You're on the list</span>", ".wasm", " style=", "<style"] {
        assert!(!body(&view).contains(part), "{part} should not be in {view}");
    }
    // One of its scripts is a file, and the other has the nonce of this response.
    assert_eq!(body(&view).matches("<script").count(), 2);
    assert!(body(&view).contains(r#" src="/embed.js?"#), "{view}");
    let (_, nonce) = body(&view).split_once(r#"<script nonce=""#).unwrap();
    let nonce = format!("'nonce-{}'", nonce.split('"').next().unwrap());
    assert!(header(&view, "content-security-policy").unwrap().contains(&nonce), "{view}");
}

#[tokio::test]
async fn embed_does_not_open_a_room() {
    let server = TestServer::start();
    let view = server.get("/r/nobody/embed").await;
    assert!(view.starts_with("HTTP/1.1 200") && view.contains(">0</span>"), "{view}");
    let first = server.get("/api/rooms/nobody/users").await;
    assert!(body(&first).contains(r#""epoch":"0"#), "{first}");
}

#[tokio::test]
async fn embed_is_the_only_page_that_may_be_framed() {
    let server = TestServer::start();
    let view = server.get("/r/team/embed").await;
    let policy = header(&view, "content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors *"), "{policy}");
    assert_eq!(header(&view, "x-frame-options"), None);
    for path in ["/r/team", "/", "/nowhere", "/r/a_b", "/r/a_b/print"] {
        let page = server.get(path).await;
        let policy = header(&page, "content-security-policy").unwrap_or_default();
        assert!(!policy.contains("frame-ancestors *"), "{path}: {policy}");
    }
}

/// A cross-origin isolated page blocks what does not say that other sites may load it, also a redirect.
#[tokio::test]
async fn redirect_to_an_embed_can_be_followed_in_a_frame() {
    let server = TestServer::start();
    for (path, is_of_embed) in [
        ("/r/C1/embed", true),
        ("/r/c1//embed", true),
        ("//r/C1/embed/?key=0", true),
        ("/r/C1", false),
        ("/r/embed/", false),
        ("/r/C1/print", false),
    ] {
        let redirect = server.get(path).await;
        assert!(redirect.starts_with("HTTP/1.1 308 "), "{path}: {redirect}");
        let allowed = if is_of_embed { "cross-origin" } else { "same-origin" };
        assert_eq!(header(&redirect, "cross-origin-resource-policy"), Some(allowed), "{path}");
        assert_eq!(header(&redirect, "x-frame-options").is_none(), is_of_embed, "{path}");
    }
}

#[tokio::test]
async fn embed_of_a_large_room_shows_the_count_and_the_first_rows() {
    let server = TestServer::start();
    let mut people = Vec::new();
    for number in 0..30 {
        let mut client = server.connect("crowd").await;
        client.join(&format!("Person {number}")).await;
        people.push(client);
    }
    let view = server.get("/r/crowd/embed").await;
    assert_eq!(view.matches("<li ").count(), 24);
    assert!(view.contains(">30</span>") && view.contains("and 27 more"), "{view}");
}

#[tokio::test]
async fn embed_of_an_invalid_room_name_is_not_found() {
    let server = TestServer::start();
    let missing = server.get("/r/a_b/embed").await;
    assert!(missing.starts_with("HTTP/1.1 404"), "{missing}");
    // The frame shows why, and its links open a tab: no other page can be framed.
    assert!(header(&missing, "content-security-policy").unwrap().contains("frame-ancestors *"));
    assert_eq!(header(&missing, "x-frame-options"), None);
    assert!(body(&missing).contains(r#"<base target="_blank">"#), "{missing}");
    assert!(!server.get("/r/a_b").await.contains("<base"));
    let redirect = server.get("/r/Team/embed").await;
    assert_eq!(header(&redirect, "location"), Some("/r/team/embed"));
}

/// The view contains the position from which the event stream resumes.
#[tokio::test]
async fn event_stream_resumes_from_the_position_in_the_embed() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let view = server.get("/r/team/embed").await;
    let at = view.split("data-at=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut bo = server.connect("team").await;
    bo.join("Bo").await;
    let news = server.first_line(&format!("/api/rooms/team/events?since={at}"), "data: ").await;
    assert!(news.contains(r#""event":"resumed""#) && news.contains("Bo"), "{news}");
    assert!(!news.contains("Ana"), "{news}");
    let news = server.first_line("/api/rooms/team/events?since=nonsense", "data: ").await;
    assert!(news.contains(r#""event":"existing_users""#), "{news}");
}

/// In a sandboxed frame the server is another origin.
#[tokio::test]
async fn embed_can_be_read_from_any_origin_by_its_own_key_only() {
    let server = TestServer::start();
    let view = server.get("/r/team/embed").await;
    let key = view.split("data-key=\"").nth(1).unwrap().split('"').next().unwrap();
    let allowed = |answer: &str| header(answer, "access-control-allow-origin").map(str::to_owned);
    assert_eq!(allowed(&view), None);
    assert_eq!(header(&view, "cross-origin-embedder-policy"), Some("require-corp"));
    for (path, is_allowed) in [
        (format!("/r/team/embed?key={key}"), true),
        (format!("/r/other/embed?key={key}"), false),
        ("/r/team/embed?key=0123".to_owned(), false),
        ("/r/team".to_owned(), false),
        ("/api/rooms/team/users".to_owned(), false),
    ] {
        let answer = server.get_with(&path, "Origin: null\r\n").await;
        assert_eq!(allowed(&answer).is_some(), is_allowed, "{path}: {answer}");
    }
    for (query, is_allowed) in [
        (format!("rooms=team&key={key}"), true),
        (format!("rooms=team,other&key={key}"), false),
        ("rooms=team".to_owned(), false),
    ] {
        let head = server.response_head(&format!("/api/events?{query}")).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert_eq!(allowed(&head).is_some(), is_allowed, "{query}: {head}");
    }
}
