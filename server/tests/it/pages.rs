//! Pages, static files and JSON, through real requests.

use crate::support::{TestServer, body, header};

#[tokio::test]
async fn page_contains_the_list_in_its_html() {
    let server = TestServer::start();
    let mut ana = server.connect("lobby").await;
    ana.join("Ana <b>Sousa</b>").await;
    for path in ["/", "/r/lobby"] {
        let page = server.get(path).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert!(page.contains("Ana &lt;b&gt;Sousa"), "{page}");
        assert_eq!(header(&page, "cache-control"), Some("private, no-cache, no-transform"));
        let name = format!("rollcall_person_{}=", server.address.port());
        assert!(header(&page, "set-cookie").unwrap().starts_with(&name));
    }
    let elsewhere = server.get("/r/elsewhere").await;
    assert!(elsewhere.starts_with("HTTP/1.1 200") && !elsewhere.contains("Ana"));
}

#[tokio::test]
async fn parts_of_a_page_are_json_that_nothing_on_the_way_optimises() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Ana <b>Sousa</b>").await;
    let cookie = format!("Cookie: {}\r\n", ana.cookie);
    let answer = server.get_with("/r/team/parts.json", &cookie).await;
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    assert_eq!(header(&answer, "cache-control"), Some("private, no-store, no-transform"));
    let parts: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    assert_eq!(parts["title"], "(1) team · Rollcall");
    assert_eq!(parts["page"]["list"]["users"][0]["name"], "Ana <b>Sousa</b>");
    assert_eq!(parts["page"]["list"]["you"], parts["page"]["list"]["users"][0]["id"]);
    // The same nodes as in the page.
    let page = server.get_with("/r/team", &cookie).await;
    let main = page.split_once("<main>").unwrap().1.split_once("</main>").unwrap().0;
    assert_eq!(parts["main"], main);
    assert!(server.get("/r/no room/parts.json").await.contains(" 40"));
}

#[tokio::test]
async fn listed_person_gets_the_joined_page() {
    let server = TestServer::start();
    let mut ana = server.connect("lobby").await;
    ana.join("Ana").await;
    let own = server.get_with("/", &format!("Cookie: {}\r\n", ana.cookie)).await;
    assert!(own.contains("You're on the list</span>"), "{own}");
    let strangers = server.get("/").await;
    assert!(!strangers.contains("You're on the list</span>"));
}

#[tokio::test]
async fn first_html_has_at_most_200_rows_and_the_full_count() {
    let server = TestServer::start();
    let mut people = Vec::new();
    for number in 0..210 {
        let mut client = server.connect("crowd").await;
        client.join(&format!("P{number}")).await;
        people.push(client);
    }
    let page = server.get("/r/crowd").await;
    assert_eq!(page.matches("<li ").count(), 200);
    let has_row = |page: &str, name: &str| page.contains(&format!("user-name\">{name}</bdi>"));
    // In the order of names P90 to P99 are the last.
    assert!(page.contains("210") && has_row(&page, "P9") && !has_row(&page, "P90"));
    // A listed person is not asked for a name, even beyond the first rows.
    for (number, last_of_the_others) in [(5, "P9"), (95, "P89")] {
        let cookie = format!("Cookie: {}\r\n", people[number].cookie);
        let own = server.get_with("/r/crowd", &cookie).await;
        assert!(own.contains("You're on the list</span>"), "{number}");
        assert_eq!(own.matches("<li ").count(), 200);
        assert_eq!(own.matches("is-you").count(), 1);
        assert!(has_row(&own, last_of_the_others) && own.contains("and 10 more"));
    }
}

#[tokio::test]
async fn unknown_paths_get_an_explanation() {
    let server = TestServer::start();
    for (path, why) in [
        ("/r/a_b", "only the letters a to z"),
        ("/r/-a", "only the letters a to z"),
        ("/r/%ff", "A room name"),
        ("/r/%3Cscript%3E", "only the letters a to z"),
        (&*format!("/r/{}", "x".repeat(65)), "1 to 64 characters"),
        ("/nowhere", "no page"),
        ("/r/", "no page"),
        ("/../secret.txt", "no page"),
        ("/%2e%2e/secret.txt", "no page"),
        ("/pkg/../../secret.txt", ""),
        ("/pkg/%2e%2e%2f%2e%2e%2fsecret.txt", ""),
    ] {
        let page = server.get(path).await;
        assert!(page.starts_with("HTTP/1.1 404"), "{path}: {page}");
        assert!(body(&page).contains(why), "{path}: {page}");
    }
    let page = server.get("/r/Team%20Meeting").await;
    assert!(page.contains(r#"href="/r/team-meeting""#) && page.contains(r#"href="/""#), "{page}");
    let redirect = server.get("/r/Team-A?x=1").await;
    assert!(redirect.starts_with("HTTP/1.1 308"), "{redirect}");
    assert_eq!(header(&redirect, "location"), Some("/r/team-a?x=1"));
    // Also for a letter whose lower case has another form.
    for (path, location) in [("/r/%54eam", "/r/team"), ("/r/TE%41m/embed", "/r/team/embed")] {
        let redirect = server.get(path).await;
        assert!(redirect.starts_with("HTTP/1.1 308"), "{redirect}");
        assert_eq!(header(&redirect, "location"), Some(location));
    }
    assert!(server.get("/api/rooms/Team/users").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn list_is_available_as_json() {
    let server = TestServer::start();
    let anonymous: serde_json::Value =
        serde_json::from_str(body(&server.get("/api/rooms/lobby/users").await)).unwrap();
    assert_eq!(anonymous["event"], "existing_users");
    assert_eq!((&anonymous["count"], &anonymous["you"]), (&0.into(), &serde_json::Value::Null));

    let mut ana = server.connect("lobby").await;
    let list = ana.join("Ana").await;
    let answer = server.get("/api/rooms/lobby/users").await;
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    let listed: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
    assert_eq!(listed["users"][0]["id"], list.users[0].id.as_str());
    assert_eq!(listed["epoch"], list.epoch.as_str());
    assert_eq!(listed["seq"], 1);
}

#[tokio::test]
async fn static_files_have_cache_headers() {
    let server = TestServer::start();
    let script = server.get("/pkg/rollcall.js").await;
    assert!(script.starts_with("HTTP/1.1 200") && body(&script).contains("script"), "{script}");
    assert_eq!(header(&script, "cache-control"), Some("no-cache"));
    assert_eq!(header(&script, "vary"), Some("accept-encoding"));
    let missing = server.get("/pkg/missing.js").await;
    assert!(missing.starts_with("HTTP/1.1 404"));
    assert_eq!(header(&missing, "cache-control"), None);
}

#[tokio::test]
async fn cached_files_are_answered_with_304() {
    let server = TestServer::start();
    let script = server.get("/pkg/rollcall.js").await;
    let tag = header(&script, "etag").unwrap();
    let has_it = format!("If-None-Match: \"other\", {tag}\r\n");
    let again = server.get_with("/pkg/rollcall.js", &has_it).await;
    assert!(again.starts_with("HTTP/1.1 304"), "{again}");
    assert_eq!((header(&again, "etag"), body(&again)), (Some(tag), ""));
    assert_eq!(header(&again, "cache-control"), Some("no-cache"));
    // The ETag takes precedence over the date.
    let changed = header(&script, "last-modified").unwrap();
    let has_another = format!("If-None-Match: \"other\"\r\nIf-Modified-Since: {changed}\r\n");
    let other = server.get_with("/pkg/rollcall.js", &has_another).await;
    assert!(other.starts_with("HTTP/1.1 200") && body(&other).contains("script"), "{other}");
}

/// The nonce of the page's scripts.
fn nonce(page: &str) -> &str {
    let policy = header(page, "content-security-policy").unwrap();
    policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0
}

#[tokio::test]
async fn csp_allows_the_page_scripts_only() {
    let server = TestServer::start();
    let pages = [server.get("/").await, server.get("/").await];
    for page in &pages {
        let scripts = page.matches("<script").count();
        assert!(scripts > 0);
        let own = format!(" nonce=\"{}\"", nonce(page));
        let marked = page.split("<script").skip(1).filter(|script| {
            script.split_once('>').is_some_and(|(attributes, _)| attributes.contains(&own))
        });
        assert_eq!(marked.count(), scripts, "{page}");
        for inline in [" style=\"", "<style", "javascript:", " onclick"] {
            assert!(!page.contains(inline), "{inline}");
        }
    }
    assert_ne!(nonce(&pages[0]), nonce(&pages[1]));
}

#[tokio::test]
async fn responses_have_security_headers() {
    let server = TestServer::start();
    for path in ["/", "/nowhere", "/pkg/rollcall.js", "/api/rooms/lobby/users", "/healthz"] {
        let answer = server.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(header(&answer, name), Some(value), "{path}");
        }
        let policy = header(&answer, "content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"));
        assert!(header(&answer, "permissions-policy").is_some(), "{path}");
    }
}

#[tokio::test]
async fn healthz_is_ok() {
    let server = TestServer::start();
    assert!(server.get("/healthz").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn cookie_identifies_the_person() {
    let server = TestServer::start();
    let page = server.get("/").await;
    let cookie = header(&page, "set-cookie").unwrap().split(';').next().unwrap();
    let mut ana = server.connect_as("lobby", Some(cookie)).await;
    let first = ana.join("Ana").await.you;
    let mut again = server.connect_as("lobby", Some(cookie)).await;
    assert_eq!(again.watch().await.you, first);
    let mut somebody_else = server.connect_as("lobby", Some("rollcall_person=forged")).await;
    assert_ne!(somebody_else.watch().await.you, first);
}

#[tokio::test]
async fn privacy_page_is_linked_from_every_page() {
    let server = TestServer::start();
    let page = server.get("/privacy").await;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert_eq!(page.matches("<section class=\"why\">").count(), 3, "{page}");
    for phrase in
        ["15 seconds", "two minutes", "400 days", "for 30 days", "Names are not written to logs"]
    {
        assert!(page.contains(phrase), "{phrase}");
    }
    assert!(page.contains("to a file that only the server can read") && !page.contains("Valkey"));
    // The page sets no cookie, and has no script.
    assert!(!page.contains("set-cookie") && !page.contains("<script"), "{page}");
    assert!(
        server.get("/").await.contains("<a href=\"/privacy\" target=\"_blank\" rel=\"noopener\">")
    );
    server.stop().await;
}
