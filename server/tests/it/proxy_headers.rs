//! What proxies and strangers say about a request: `Host`, `X-Forwarded-…` and `Forwarded`.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{Site, TestServer, process::ServerProcess};
use server::websocket::connection::ConnectionConfig;

const TIMEOUT: Duration = Duration::from_secs(30);

fn behind_a_trusted_proxy() -> TestServer {
    let settings = "host = [\"roll.example\"]\n[limits]\ntrusted-proxies = [\"127.0.0.1/32\"]";
    TestServer::start_with(settings, ConnectionConfig::default())
}

/// The address on the page that somebody gets who sends these header lines.
async fn invitation(site: &Site, headers: &str) -> String {
    let page = site.get_with("/r/team", headers).await;
    let (_, rest) = page.split_once("<input readonly ").unwrap();
    let (_, rest) = rest.split_once("value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn scheme_is_read_from_trusted_proxies_as_a_list() {
    let server = behind_a_trusted_proxy();
    let address = server.address;
    for (headers, scheme) in [
        ("X-Forwarded-Proto: https", "https"),
        ("X-Forwarded-Proto: https, http", "https"),
        ("X-Forwarded-Proto: https,https", "https"),
        ("X-Forwarded-Proto: HTTPS", "https"),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http", "https"),
        ("Forwarded: for=192.0.2.7;proto=https", "https"),
        ("X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https, http", "http"),
        ("X-Forwarded-Proto: http", "http"),
    ] {
        let invitation = invitation(&server, &format!("{headers}\r\n")).await;
        assert_eq!(invitation, format!("{scheme}://{address}/r/team"), "{headers}");
    }
    let hosts = ["X-Forwarded-Host: roll.example", "Forwarded: host=\"roll.example\""];
    for headers in hosts {
        let invitation = invitation(&server, &format!("{headers}\r\n")).await;
        assert_eq!(invitation, "http://roll.example/r/team", "{headers}");
    }
}

#[tokio::test]
async fn headers_of_strangers_are_ignored() {
    let server = TestServer::start();
    let own = format!("http://{}/r/team", server.address);
    for headers in [
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.example",
        "Forwarded: proto=https;host=evil.example",
    ] {
        assert_eq!(invitation(&server, &format!("{headers}\r\n")).await, own, "{headers}");
    }
}

#[tokio::test]
async fn forwarded_host_is_the_origin_of_the_sites_own_pages() {
    let server = behind_a_trusted_proxy();
    let check = |headers: &'static str| {
        server.get_with("/r/team/socket?origin=https%3A%2F%2Froll.example", headers)
    };
    let without = check("").await;
    assert!(without.starts_with("HTTP/1.1 403 "), "{without}");
    let with = check("X-Forwarded-Host: roll.example\r\nX-Forwarded-Proto: https\r\n").await;
    assert!(with.starts_with("HTTP/1.1 426 "), "{with}");
}

#[tokio::test]
async fn refused_origin_is_logged_once_a_minute_with_what_helps() {
    let server = ServerProcess::start_with("");
    let port = server.address.port();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for _ in 0..3 {
        let request = format!(
            "GET /r/team/socket HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:{port}\r\n\
             {upgrade}\r\n"
        );
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        timeout(TIMEOUT, stream.read_exact(&mut head)).await.unwrap().unwrap();
        assert_eq!(&head, b"HTTP/1.1 403");
    }
    server.wait_until_logged("a socket was refused").await;
    let log = server.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("a socket was refused")).collect();
    let [line] = lines.as_slice() else { panic!("{log}") };
    let origin = format!("http://localhost:{port}");
    for part in [
        &*origin,
        "\"http://localhost\"",
        "public-url",
        "allowed-origins",
        "proxy_set_header Host $http_host",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

/// By an address that is not the public one, as people do on the machine itself.
#[tokio::test]
async fn log_names_the_public_url_as_the_site() {
    let server = ServerProcess::start_with("public-url = \"https://roll.example\"");
    let own = format!("http://{}", server.address);
    let upgrade = format!(
        "GET /r/team/socket HTTP/1.1\r\nHost: {}\r\nOrigin: {own}\r\nConnection: Upgrade, close\r\n\
         Upgrade: websocket\r\n\r\n",
        server.address
    );
    let answer = server.answer_to(&upgrade).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    server.wait_until_logged("a socket was refused").await;
    let log = server.log();
    let line = log.lines().find(|line| line.contains("a socket was refused")).unwrap();
    for part in [&*own, "https://roll.example"] {
        assert!(line.contains(&format!("\"{part}\"")), "{line}");
    }
}
