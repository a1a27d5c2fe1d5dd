//! Making a room: the form, the name, and the links.

use server::websocket::connection::ConnectionConfig;

use crate::support::{TestServer, body, header};

/// The cookie line of a browser that got this response.
pub(crate) fn cookie_line(answer: &str) -> String {
    let cookie = header(answer, "set-cookie").unwrap().split(';').next().unwrap();
    format!("Cookie: {cookie}\r\n")
}

/// The room of a redirect to its links.
pub(crate) fn made_room(answer: &str) -> String {
    let path = header(answer, "location").unwrap().strip_suffix("/host").unwrap();
    path.rsplit_once('/').unwrap().1.to_owned()
}

#[tokio::test]
async fn form_needs_no_script() {
    let server = TestServer::start();
    let page = server.get("/new").await;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert!(page.contains(r#"action="/new""#) && page.contains(r#"method="post""#), "{page}");
    assert!(page.contains(r#"maxlength="60""#), "{page}");
    assert!(!body(&page).contains("<script"), "{page}");
    // Else browsers would hide where the form comes from.
    assert_eq!(header(&page, "referrer-policy"), Some("same-origin"));
    assert_eq!(header(&page, "set-cookie"), None);
    let room = server.get("/r/team").await;
    assert!(room.contains(r#"href="/new" target="_blank""#), "{room}");
}

#[tokio::test]
async fn title_becomes_the_name_and_both_links_are_shown() {
    let server = TestServer::start();
    let made = server.post("/new", "", "title=Monday+stand-up").await;
    assert!(made.starts_with("HTTP/1.1 303 "), "{made}");
    let room = made_room(&made);
    let end = room.strip_prefix("monday-stand-up-").unwrap();
    assert_eq!(end.len(), 8, "{room}");
    let cookie = header(&made, "set-cookie").unwrap();
    assert!(cookie.contains(&format!("; Path=/r/{room};")), "{cookie}");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
    let links = server.get_with(&format!("/r/{room}/host"), &cookie_line(&made)).await;
    assert!(links.starts_with("HTTP/1.1 200 "), "{links}");
    let address = format!("http://{}/r/{room}", server.address);
    assert!(links.contains(&format!(">{address}<")), "{links}");
    assert!(links.contains(&format!(">{address}#host=")), "{links}");
    // Nothing is stored: there is no such room yet.
    let operator =
        server.operator.get_with("/rooms", "Authorization: Bearer the operator's\r\n").await;
    assert_eq!(body(&operator), "[]");
}

#[tokio::test]
async fn two_rooms_with_one_title_or_none_are_different() {
    let server = TestServer::start();
    for form in ["title=Team", "title=", "", "title=%E4%BC%9A%E8%AD%B0"] {
        let [one, other] =
            [server.post("/new", "", form).await, server.post("/new", "", form).await];
        assert_ne!(made_room(&one), made_room(&other), "{form}");
    }
}

#[tokio::test]
async fn form_of_another_site_is_refused() {
    let server = TestServer::start();
    for headers in [
        "Origin: https://evil.test\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ] {
        let refused = server.post_from("/new", headers, "title=Team").await;
        assert!(refused.starts_with("HTTP/1.1 403 "), "{headers}: {refused}");
        assert_eq!(header(&refused, "set-cookie"), None);
    }
    // A program has no origin.
    let made = server.post_from("/new", "", "title=Team").await;
    assert!(made.starts_with("HTTP/1.1 303 "), "{made}");
    let long = server.post("/new", "", &format!("title={}", "x".repeat(20_000))).await;
    assert!(long.starts_with("HTTP/1.1 413 "), "{long}");
}

#[tokio::test]
async fn room_below_a_path_has_its_links_and_cookie_there() {
    let settings = "public-url = \"https://host.example/rollcall\"";
    let server = TestServer::start_with(settings, ConnectionConfig::default());
    for prefix in ["", "/rollcall"] {
        let from = "Origin: https://host.example\r\n";
        let made = server.post_from(&format!("{prefix}/new"), from, "title=Team").await;
        let room = made_room(&made);
        assert_eq!(header(&made, "location"), Some(&*format!("/rollcall/r/{room}/host")));
        let cookie = header(&made, "set-cookie").unwrap();
        assert!(cookie.starts_with("__Secure-rollcall_host="), "{cookie}");
        assert!(cookie.contains(&format!("; Path=/rollcall/r/{room};")), "{cookie}");
        assert!(cookie.contains("; Secure"), "{cookie}");
        let links = server.get_with(&format!("{prefix}/r/{room}/host"), &cookie_line(&made)).await;
        let link = format!(">https://host.example/rollcall/r/{room}#host=");
        assert!(links.contains(&link), "{links}");
    }
}
