//! The cookie among others: of another server on the host, of other programs, and where it is not kept.

use server::websocket::connection::ConnectionConfig;

use crate::support::{Site, TestServer, body, header};

/// The cookies of a browser: by name, as it ignores ports.
#[derive(Default)]
struct Jar(Vec<(String, String)>);

impl Jar {
    fn line(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("Cookie: {}\r\n", pairs.join("; "))
    }

    async fn visit(&mut self, site: &Site) -> String {
        let page = site.get_with("/r/team", &self.line()).await;
        let cookie = header(&page, "set-cookie").unwrap().split(';').next().unwrap();
        let (name, value) = cookie.split_once('=').unwrap();
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
        page
    }

    fn cookie(&self) -> String {
        self.line().trim().strip_prefix("Cookie: ").unwrap().to_owned()
    }
}

#[tokio::test]
async fn two_servers_on_one_host_keep_their_people() {
    let (one, other) = (TestServer::start(), TestServer::start_with_key(8));
    let mut jar = Jar::default();
    jar.visit(&one).await;
    let mut ana = one.connect_as("team", Some(&jar.cookie())).await;
    ana.join("Ana").await;
    let strangers = jar.visit(&other).await;
    assert!(!strangers.contains("You're on the list</span>"));
    let own = jar.visit(&one).await;
    assert!(own.contains("You're on the list</span>"), "{own}");
}

#[tokio::test]
async fn cookie_of_an_earlier_version_is_still_valid() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let port = format!("_{}=", server.address.port());
    let earlier = ana.cookie.replace(&port, "=");
    assert!(earlier.starts_with("rollcall_person="), "{earlier}");
    // Its signature covers the value alone.
    let page = server.get_with("/r/team", &format!("Cookie: {earlier}\r\n")).await;
    assert!(page.contains("You're on the list</span>"), "{page}");
}

#[tokio::test]
async fn public_url_decides_about_the_port_in_the_name() {
    for (url, name) in [
        ("https://roll.example", "__Host-rollcall_person="),
        ("http://roll.example", "rollcall_person="),
        ("https://roll.example:8443", "__Host-rollcall_person_8443="),
    ] {
        let settings = format!("public-url = \"{url}\"");
        let server = TestServer::start_with(&settings, ConnectionConfig::default());
        let page = server.get("/").await;
        let cookie = header(&page, "set-cookie").unwrap();
        assert!(cookie.starts_with(name), "{cookie}");
    }
}

/// Browsers send the cookies of all programs on a host, whatever their ports.
#[tokio::test]
async fn kilobytes_of_other_cookies_are_accepted() {
    let server = TestServer::start();
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    let others = ["c=", &"x".repeat(4_000), "; "].concat().repeat(12);
    let page = server.get_with("/r/team", &format!("Cookie: {others}{}\r\n", ana.cookie)).await;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert!(page.contains("You're on the list</span>"), "{page}");
}

#[tokio::test]
async fn too_many_cookies_are_explained() {
    let server = TestServer::start();
    let line = format!("Cookie: c={}\r\n", "x".repeat(700_000));
    let page = server.get_with("/r/team", &line).await;
    assert!(page.starts_with("HTTP/1.1 431 "), "{page}");
    assert!(page.contains("Your browser sends too many cookies for this address"), "{page}");
    assert!(page.contains("content-type: text/html"), "{page}");
}

#[tokio::test]
async fn person_without_cookies_joins() {
    let server = TestServer::start();
    server.get("/r/team").await;
    let mut ana = server.connect("team").await;
    assert_eq!(ana.join("Ana").await.users.len(), 1);
}

/// A browser that has the cookie need not ask whether it comes back, and nobody joins from a kiosk screen.
#[tokio::test]
async fn page_of_a_first_visit_asks_whether_its_cookie_comes_back() {
    let server = TestServer::start();
    let mut jar = Jar::default();
    let asks = r#""cookie_check":"/cookie-check""#;
    assert!(jar.visit(&server).await.contains(asks));
    assert!(!jar.visit(&server).await.contains("cookie_check"));
    assert!(!server.get("/r/team?wall").await.contains("cookie_check"));
    let path = "public-url = \"http://host.example/rollcall\"";
    let below = TestServer::start_with(path, ConnectionConfig::default());
    let page = below.get("/rollcall/r/team").await;
    assert!(page.contains(r#""cookie_check":"/rollcall/cookie-check""#), "{page}");
}

#[tokio::test]
async fn cookie_check_says_whether_a_valid_cookie_came_and_sets_none() {
    let server = TestServer::start();
    let mut jar = Jar::default();
    jar.visit(&server).await;
    let forged = jar.line().replacen('=', "=0", 1);
    for (cookies, has_cookie) in [("", false), (&*forged, false), (&*jar.line(), true)] {
        let answer = server.get_with("/cookie-check", cookies).await;
        assert_eq!(body(&answer), format!(r#"{{"has_cookie":{has_cookie}}}"#), "{cookies}");
        assert_eq!(header(&answer, "set-cookie"), None);
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    }
}

/// Over plain HTTP browsers send no `Sec-Fetch-Site`, and our own page hides its origin.
#[tokio::test]
async fn page_of_another_site_gives_nobody_a_new_identity() {
    let server = TestServer::start();
    let own = format!("Origin: http://{}\r\n", server.address);
    for headers in ["", "Origin: null\r\n", &own, "Sec-Fetch-Site: same-origin\r\n"] {
        let answer = server.request("POST", "/r/team/someone-else", headers).await;
        assert!(answer.starts_with("HTTP/1.1 303 "), "{headers}: {answer}");
        assert!(header(&answer, "set-cookie").is_some(), "{headers}: {answer}");
    }
    for headers in [
        "Origin: http://evil.test\r\n",
        "Origin: http://127.0.0.1\r\n",
        "Origin: nonsense\r\n",
        "Origin: null\r\nSec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        &format!("{own}Origin: http://evil.test\r\n"),
    ] {
        let answer = server.request("POST", "/r/team/someone-else", headers).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{headers}: {answer}");
        assert_eq!(header(&answer, "set-cookie"), None, "{headers}: {answer}");
        assert!(body(&answer).contains("for the pages of this site"), "{answer}");
    }
}
