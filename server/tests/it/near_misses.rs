//! Addresses that are almost right, and what robots and link previews get.

use crate::support::{TestServer, body, header};

#[tokio::test]
async fn extra_slashes_lead_to_the_room() {
    let server = TestServer::start();
    for (path, location) in [
        ("/r/t1/", "/r/t1"),
        ("/r/t1//", "/r/t1"),
        ("/r//t1", "/r/t1"),
        ("/r/Team-7/", "/r/team-7"),
        ("/r/t1/?wall", "/r/t1?wall"),
        ("/r/t1/embed/", "/r/t1/embed"),
        ("/r/t1/qr.svg/", "/r/t1/qr.svg"),
        ("/api/rooms/t1/users/?x=1", "/api/rooms/t1/users?x=1"),
        ("/privacy/", "/privacy"),
    ] {
        let answer = server.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 308 "), "{path}: {answer}");
        assert_eq!(header(&answer, "location"), Some(location), "{path}");
    }
    for path in ["/r/", "/nowhere/", "//evil.example/", "/r/t1/nothing", "/r/../../t1/", "/r/T/%2e"]
    {
        let answer = server.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
    }
}

/// A redirect that is made from a part of the path would lead to another page.
#[tokio::test]
async fn folder_of_the_built_files_redirects_nowhere() {
    let server = TestServer::start();
    for path in [
        "/pkg",
        "/pkg/",
        "/pkg/.",
        "/pkg/./",
        "/pkg/%2e",
        "/pkg//",
        "/pkg/r/Team/",
        "/pkg//r//team",
        "/pkg/api/rooms/team/",
        "/pkg/privacy/",
    ] {
        let answer = server.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert_eq!(header(&answer, "location"), None, "{path}: {answer}");
    }
}

#[tokio::test]
async fn accented_room_name_suggests_its_base_letters() {
    let server = TestServer::start();
    for (path, room) in [("/r/caf%C3%A9", "cafe"), ("/r/Stra%C3%9Fe%207", "strasse-7")] {
        let page = server.get(path).await;
        assert!(page.starts_with("HTTP/1.1 404 "), "{page}");
        assert!(body(&page).contains(&format!("href=\"/r/{room}\"")), "{page}");
    }
}

#[tokio::test]
async fn rooms_are_kept_out_of_search_engines() {
    let server = TestServer::start();
    for path in [
        "/",
        "/r/secret",
        "/r/secret?wall",
        "/r/secret/embed",
        "/r/secret/qr.svg",
        "/r/secret/past-hour",
        "/r/secret/socket",
        "/api/rooms/secret/users",
        "/api/rooms/secret/roll.csv",
        "/api/rooms/secret/roll.txt",
        // Redirects and errors.
        "/r/secret/",
        "//r//secret/embed",
        "/r/Secret",
        "/api/rooms/secret/users/",
        "/r/secret/nothing",
        "/r/a_b",
        "/api/rooms/secret/nope",
        "/api/nope",
        "/r/secret/someone-else",
    ] {
        let answer = server.get(path).await;
        assert_eq!(header(&answer, "x-robots-tag"), Some("noindex"), "{path}: {answer}");
    }
    let feed = server.first_line("/api/rooms/secret/events", "x-robots-tag: ").await;
    assert_eq!(feed, "noindex");
    // Robots read `noindex` only where they may ask.
    let robots = server.get("/robots.txt").await;
    assert_eq!(body(&robots), "User-agent: *\nAllow: /\n");
    for path in ["/privacy", "/privacy/", "/nowhere", "/favicon.svg"] {
        assert_eq!(header(&server.get(path).await, "x-robots-tag"), None, "{path}");
    }
}

#[tokio::test]
async fn preview_of_a_link_names_the_room_and_nobody_in_it() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Anastasia").await;
    let page = server.get("/r/team").await;
    let head = page.split_once("<body").unwrap().0;
    for tag in [
        "<meta property=\"og:title\" content=\"Join team on Rollcall\">",
        "<meta property=\"og:description\" content=\"1 person is here now.\">",
        &format!("<meta property=\"og:url\" content=\"http://{}/r/team\">", server.address),
    ] {
        assert!(head.contains(tag), "{tag}: {head}");
    }
    assert!(!head.contains("Anastasia"), "{head}");
}
