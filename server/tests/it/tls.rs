//! TLS of the server: pages, sockets, limits and certificates, through real sockets.

use std::{io, time::Duration};

use crate::support::{
    Site, TestServer, header,
    tls::{Browser, Certificates, close_code, join, newcomers, rest},
};
use app::presence::ServerEvent;
use server::websocket::connection::ConnectionConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::Error;

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A TLS server with additional settings, and a client that trusts its certificate.
fn start(more: &str) -> (TestServer, Browser) {
    let certificates = Certificates::new();
    let trusted = certificates.make();
    let settings = format!("{}{more}", certificates.settings());
    let server = TestServer::start_with(&settings, ConnectionConfig::default());
    (server, Browser::that_trusts(trusted))
}

/// Sends these bytes, and returns everything until the server closes the connection.
async fn response_to(site: &Site, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut response = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut response)).await.unwrap().unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

#[tokio::test]
async fn page_over_https_uses_secure_cookies_and_urls() {
    let (server, browser) = start("");
    let mut stream = browser.ask(&server, "/r/team").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let page = rest(&mut stream).await;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let cookie = header(&page, "set-cookie").unwrap();
    let name = format!("__Host-rollcall_person_{}=", server.address.port());
    assert!(cookie.starts_with(&name) && cookie.contains("; Secure"));
    assert!(page.contains(&format!("https://{}/r/team", server.address)), "{page}");
    // HSTS is up to the operator, who knows whether HTTPS will stay.
    assert_eq!(header(&page, "strict-transport-security"), None);
}

#[tokio::test]
async fn hsts_is_sent_if_configured() {
    let (server, browser) = start("public-url = \"https://rollcall.example\"");
    let page = browser.get(&server, "/").await;
    assert_eq!(header(&page, "strict-transport-security"), Some("max-age=31536000"));
}

#[tokio::test]
async fn tls_sockets_receive_joins_and_1012_at_shutdown() {
    let (server, browser) = start("");
    let mut ana = browser.open_socket(&server, &[]).await.unwrap();
    assert!(matches!(join(&mut ana, "Ana").await, ServerEvent::ExistingUsers(_)));
    let mut bo = browser.open_socket(&server, &[]).await.unwrap();
    let ServerEvent::ExistingUsers(list) = join(&mut bo, "Bo").await else { panic!("no list") };
    assert_eq!(list.count, 2);
    assert_eq!(newcomers(&mut ana).await, ["Bo"]);
    let stopping = tokio::spawn(server.stop());
    assert_eq!(close_code(&mut ana).await, 1012);
    drop((ana, bo));
    stopping.await.unwrap();
}

#[tokio::test]
async fn plain_http_origin_is_refused_over_tls() {
    let (server, browser) = start("");
    let origin = |scheme: &str| format!("{scheme}://{}", server.address);
    browser.open_socket(&server, &[("origin", &origin("https"))]).await.unwrap();
    let refused = browser.open_socket(&server, &[("origin", &origin("http"))]).await.unwrap_err();
    assert!(matches!(&refused, Error::Http(answer) if answer.status() == 403), "{refused}");
}

#[tokio::test]
async fn unfinished_tls_handshakes_time_out() {
    let (server, browser) = start("[limits]\nrequest-timeout = 1");
    // No bytes, the header of a record, and a part of a message.
    for sent in [&b""[..], &[22, 3, 1], &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]] {
        response_to(&server, sent).await;
    }
    // Also after the handshake: hyper then closes without a TLS alert.
    let mut silent = browser.connect(&server).await.unwrap();
    let ended = timeout(TIMEOUT, silent.read_to_end(&mut Vec::new())).await.unwrap();
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn pending_handshake_counts_as_a_connection_and_rejection_uses_tls() {
    let (server, browser) = start("[limits]\nmax-connections-per-address = 1");
    let silent = TcpStream::connect(server.address).await.unwrap();
    // The system may deliver the two connections in another order.
    let answers = [browser.get(&server, "/healthz").await, browser.get(&server, "/healthz").await];
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
        assert!(header(&answer, "retry-after").is_some(), "{answer}");
    }
    drop(silent);
    let asking =
        async { while !browser.get(&server, "/healthz").await.starts_with("HTTP/1.1 200 ") {} };
    timeout(TIMEOUT, asking).await.unwrap();
}

#[tokio::test]
async fn plain_http_is_redirected_to_https() {
    let (server, browser) = start("");
    let answer =
        response_to(&server, b"GET /r/team?wall HTTP/1.1\r\nHost: roll.example\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 307 "), "{answer}");
    assert_eq!(header(&answer, "location"), Some("https://roll.example/r/team?wall"));
    assert_eq!(header(&answer, "set-cookie"), None);
    for garbage in [&b"\0\0\0\0"[..], b"hello\r\n\r\n", b"\x16\x03\x01\x00\x02hi"] {
        response_to(&server, garbage).await;
    }
    assert!(browser.get(&server, "/healthz").await.starts_with("HTTP/1.1 200 "));
}

/// The browser has checked that the certificate is for the name, but not where a proxy has asked.
#[tokio::test]
async fn certificate_proves_the_name() {
    let (server, mut browser) = start("");
    browser.host = Some("rollcall.example");
    let page = browser.get(&server, "/r/team").await;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let origin = ("origin", "https://rollcall.example");
    browser.open_socket(&server, &[origin]).await.unwrap();

    let (behind_a_proxy, mut browser) = start("[limits]\ntrusted-proxies = [\"127.0.0.1/32\"]");
    browser.host = Some("rollcall.example");
    let page = browser.get(&behind_a_proxy, "/r/team").await;
    assert!(page.starts_with("HTTP/1.1 421 "), "{page}");
}

#[tokio::test]
async fn alpn_negotiates_http_1_1_only() {
    let (server, mut browser) = start("");
    browser.config.alpn_protocols = vec![b"h2".to_vec()];
    assert!(browser.connect(&server).await.is_err());
    browser.config.alpn_protocols = Vec::new();
    assert!(browser.get(&server, "/healthz").await.starts_with("HTTP/1.1 200 "));
}

#[cfg(unix)]
mod renewal {
    use super::*;
    use crate::support::process::ServerProcess;

    #[tokio::test]
    async fn sighup_reloads_a_valid_certificate_and_keeps_the_old_one_otherwise() {
        let certificates = Certificates::new();
        let old = Browser::that_trusts(certificates.make());
        let server = ServerProcess::start_with(&certificates.settings());
        let mut ana = old.open_socket(&server, &[]).await.unwrap();
        join(&mut ana, "Ana").await;

        let new = Browser::that_trusts(certificates.make());
        assert!(new.connect(&server).await.is_err(), "SIGHUP was not sent yet");
        server.signal("HUP");
        server.wait_until_logged("certificate reloaded").await;
        assert!(old.connect(&server).await.is_err());
        assert!(new.get(&server, "/healthz").await.starts_with("HTTP/1.1 200 "));

        // The key of another certificate, as while both files are being replaced.
        let elsewhere = Certificates::new();
        elsewhere.make();
        std::fs::copy(elsewhere.path("key.pem"), certificates.path("key.pem")).unwrap();
        server.signal("HUP");
        server.wait_until_logged("The old certificate stays in use").await;
        assert_eq!(server.log().matches("\"level\":\"ERROR\"").count(), 1, "{}", server.log());
        assert!(server.log().contains("tls-key"), "{}", server.log());

        // Open connections are not affected.
        let mut bo = new.open_socket(&server, &[]).await.unwrap();
        join(&mut bo, "Bo").await;
        assert_eq!(newcomers(&mut ana).await, ["Bo"]);
        assert!(!server.log().contains("PRIVATE"), "a key is in no log");
    }
}

/// A handshake costs more than most answers.
#[tokio::test]
async fn address_over_its_budget_gets_no_handshake() {
    let limits =
        "[limits]\nprocessor-burst-per-address = \"100ms\"\nprocessor-rate-per-address = 1";
    let (server, mut browser) = start(limits);
    browser.from = [127, 0, 0, 7];
    let connecting = async { while browser.connect(&server).await.is_ok() {} };
    timeout(TIMEOUT, connecting).await.unwrap();
    browser.from = [127, 0, 0, 8];
    assert!(browser.get(&server, "/").await.starts_with("HTTP/1.1 200 "));
}
