//! The names by which the site may be asked for. DNS rebinding: a page of a stranger's name that leads here.

use server::websocket::connection::ConnectionConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{OPERATOR_TOKEN, Site, TestServer, body, header, process::ServerProcess};

const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

fn server_with(presence: &str) -> TestServer {
    TestServer::start_with(presence, ConnectionConfig::default())
}

/// The response to a request for this name and the server's port, as a page of it sends it.
async fn ask(site: &Site, method: &str, path: &str, name: &str, headers: &str) -> String {
    let port = site.address.port();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n{headers}\r\n"
    );
    site.answer_to(&request).await
}

/// The status of an upgrade, by a page of `origin` that asks for this host.
async fn socket(site: &Site, host: &str, origin: &str) -> String {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let request = format!(
        "GET /r/lobby/socket HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n{UPGRADE}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    timeout(TIMEOUT, stream.read_exact(&mut head)).await.unwrap().unwrap();
    String::from_utf8(head[9..].to_vec()).unwrap()
}

/// The status of an upgrade by a page of this name, which leads here.
async fn own_socket(site: &Site, name: &str) -> String {
    let host = format!("{name}:{}", site.address.port());
    socket(site, &host, &format!("http://{host}")).await
}

#[tokio::test]
async fn page_of_a_strangers_name_reads_nothing_opens_nothing_and_gets_no_cookie() {
    let server = TestServer::start();
    let mut ana = server.connect("lobby").await;
    ana.join("Anastasia").await;
    for name in ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test"] {
        assert_eq!(own_socket(&server, name).await, "421", "{name}");
        for (method, path) in [
            ("GET", "/"),
            ("GET", "/r/lobby"),
            ("GET", "/r/lobby/parts.json"),
            ("GET", "/r/lobby/embed"),
            ("GET", "/r/lobby/print"),
            ("GET", "/r/lobby/socket"),
            ("GET", "/api/rooms/lobby/users"),
            ("GET", "/api/rooms/lobby/roll.csv"),
            ("GET", "/api/rooms/lobby/events"),
            ("GET", "/api/events?rooms=lobby"),
            ("POST", "/r/lobby/someone-else"),
            ("POST", "/r/lobby/host"),
            ("POST", "/new"),
        ] {
            let origin = format!("Origin: http://{name}:{}\r\n", server.address.port());
            let headers = if method == "POST" { &*origin } else { "" };
            let answer = ask(&server, method, path, name, headers).await;
            assert!(answer.starts_with("HTTP/1.1 421 "), "{name} {path}: {answer}");
            assert!(!answer.contains("Anastasia"), "{answer}");
            assert_eq!(header(&answer, "set-cookie"), None, "{answer}");
            assert_eq!(header(&answer, "cache-control"), Some("no-store"), "{answer}");
            let sentence = format!("with the setting host (--host {name})");
            assert!(body(&answer).contains(&sentence), "{answer}");
        }
        // A load balancer may ask by any name whether the server answers.
        let health = ask(&server, "GET", "/healthz", name, "").await;
        assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
    }
    server.stop().await;
}

#[tokio::test]
async fn addresses_and_names_that_no_stranger_can_own_need_no_setting() {
    let server = TestServer::start();
    for name in
        ["127.0.0.1", "[::1]", "10.9.8.7", "localhost", "laptop", "laptop.local", "server-1"]
    {
        let page = ask(&server, "GET", "/r/team", name, "").await;
        assert!(page.starts_with("HTTP/1.1 200 "), "{name}: {page}");
        assert_eq!(own_socket(&server, name).await, "101", "{name}");
    }
}

/// As people know it on their network.
#[cfg(unix)]
#[tokio::test]
async fn name_of_the_machine_needs_no_setting() {
    let server = TestServer::start();
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let Ok(name) = name else { return };
    assert_eq!(own_socket(&server, name.trim()).await, "101", "{name}");
}

#[tokio::test]
async fn names_that_the_operator_gives_are_the_sites() {
    let server = server_with("host = [\"roll.example\", \"laptop.lan\"]");
    for name in ["roll.example", "Laptop.LAN", "laptop.lan."] {
        assert_eq!(own_socket(&server, name).await, "101", "{name}");
    }
    for name in ["evil.test", "evil.roll.example", "roll.example.evil.test"] {
        assert_eq!(own_socket(&server, name).await, "421", "{name}");
    }
}

#[tokio::test]
async fn with_a_public_url_only_its_pages_open_sockets_whatever_host_says() {
    let server = server_with(
        "public-url = \"https://roll.example\"\n[limits]\nallowed-origins = [\"https://friend.test\"]",
    );
    let own = server.address.to_string();
    for (host, origin, status) in [
        // A proxy passes on its own Host, or the visitor's.
        (&*own, "https://roll.example", "101"),
        ("rollcall", "https://roll.example", "101"),
        ("roll.example", "https://roll.example", "101"),
        ("roll.example", "https://friend.test", "101"),
        ("roll.example", "http://roll.example", "403"),
        (&*own, &*format!("http://{own}"), "403"),
        ("laptop.local", "http://laptop.local", "403"),
        ("evil.test", "http://evil.test", "421"),
        ("evil.test", "https://roll.example", "421"),
    ] {
        assert_eq!(socket(&server, host, origin).await, status, "{host} {origin}");
    }
    // A page of a stranger's name sends no origin with what it reads.
    let list = ask(&server, "GET", "/api/rooms/lobby/users", "evil.test", "").await;
    assert!(list.starts_with("HTTP/1.1 421 "), "{list}");
}

/// Many proxies pass on what they do not set themselves, and a page can send these headers to its own origin.
#[tokio::test]
async fn forwarded_name_and_scheme_do_not_hide_a_strangers_name() {
    let server = server_with("[limits]\ntrusted-proxies = [\"127.0.0.1/32\"]");
    for (name, headers) in [
        ("evil.test", "X-Forwarded-Host: localhost\r\n"),
        ("evil.test", "X-Forwarded-Proto: https\r\n"),
        ("evil.test", "Forwarded: host=localhost;proto=https\r\n"),
        ("localhost", "X-Forwarded-Host: evil.test\r\n"),
        ("localhost", "X-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: https\r\n"),
    ] {
        let answer = ask(&server, "GET", "/api/rooms/lobby/users", name, headers).await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{name} {headers}: {answer}");
        assert!(body(&answer).contains("behind a proxy, with public-url"), "{answer}");
    }
    let passed_on = "X-Forwarded-Host: localhost\r\nX-Forwarded-Proto: https\r\n";
    let page = ask(&server, "GET", "/r/team", "server-1", passed_on).await;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
}

#[tokio::test]
async fn operators_listener_answers_for_the_same_names() {
    let server = server_with("host = [\"roll.example\"]");
    let token = format!("Authorization: Bearer {OPERATOR_TOKEN}\r\n");
    for path in ["/readyz", "/metrics", "/rooms", "/rooms/lobby"] {
        let refused = ask(&server.operator, "GET", path, "evil.test", &token).await;
        assert!(refused.starts_with("HTTP/1.1 421 "), "{path}: {refused}");
    }
    for name in ["127.0.0.1", "localhost", "server-1", "rollcall.svc.cluster.local", "roll.example"]
    {
        for path in ["/readyz", "/metrics", "/rooms"] {
            let answer = ask(&server.operator, "GET", path, name, &token).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{name} {path}: {answer}");
        }
    }
    let health = ask(&server.operator, "GET", "/healthz", "evil.test", "").await;
    assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
}

#[tokio::test]
async fn refused_name_is_counted_and_logged_once_a_minute_with_what_helps() {
    let server = ServerProcess::start_with("operator-addr = \"127.0.0.1:0\"");
    for _ in 0..3 {
        let answer = ask(&server, "GET", "/", "roll.example", "").await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
    }
    let what = "a request for a name that is not the site's was refused";
    server.wait_until_logged(what).await;
    let log = server.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(what)).collect();
    let [line] = lines.as_slice() else { panic!("{log}") };
    for part in ["\"roll.example\"", "set host", "public-url"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    let metrics = server.operator().await.get("/metrics").await;
    assert!(metrics.contains("\nrollcall_misdirected_requests_total 3\n"), "{metrics}");
}
