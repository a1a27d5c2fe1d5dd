//! The files of `deploy`, in which only names, ports and the certificate are replaced.

use std::{fs, path::Path};

use app::presence::ServerEvent;
use server::websocket::connection::ConnectionConfig;
use tokio::{io::AsyncReadExt, time::timeout};
use tokio_tungstenite::tungstenite::Error;

use crate::{
    TIMEOUT,
    proxy::{Program, Proxy, free_port},
    support::{
        TestServer, header,
        tls::{Browser, Certificates, close_code, join, newcomers},
    },
};

/// The settings that the comments in `deploy` require, and a limit that shows the counted address.
const SETTINGS: &str = "public-url = \"https://rollcall.example\"\n\
    [limits]\ntrusted-proxies = [\"127.0.0.1/32\"]\nmax-sockets-per-address = 1\n";

/// A proxy in front of a server, and a browser.
struct Stage {
    server: TestServer,
    proxy: Proxy,
    browser: Browser,
    _certificates: Certificates,
}

/// A shipped file with replacements, each of which must occur in it.
fn shipped(name: &str, replacements: &[(&str, String)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    let mut text = fs::read_to_string(path).unwrap();
    for (from, to) in replacements {
        assert!(text.contains(from), "{name} has no {from}");
        text = text.replace(from, to);
    }
    text
}

/// Starts a proxy with a shipped file, which `replace` adapts to this port; none where it is not installed.
async fn start(
    program: Program,
    replace: impl Fn(u16, &TestServer, &Certificates) -> String,
) -> Option<Stage> {
    let server = TestServer::start_with(SETTINGS, ConnectionConfig::default());
    let certificates = Certificates::new();
    let mut browser = Browser::that_trusts(certificates.make());
    browser.host = Some("rollcall.example");
    browser.config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Not the proxy's own address, which is trusted.
    browser.from = [127, 0, 0, 2];
    let port = free_port();
    let proxy = Proxy::start(program, port, &replace(port, &server, &certificates)).await?;
    Some(Stage { server, proxy, browser, _certificates: certificates })
}

async fn nginx() -> Option<Stage> {
    start(Program::Nginx, |port, server, certificates| {
        let file = |name| certificates.path(name).display().to_string();
        shipped(
            "nginx.conf",
            &[
                ("listen 443 ssl;", format!("listen 127.0.0.1:{port} ssl;")),
                ("server 127.0.0.1:3000;", format!("server {};", server.address)),
                ("/etc/ssl/rollcall.example.pem", file("certificate.pem")),
                ("/etc/ssl/rollcall.example.key", file("key.pem")),
            ],
        )
    })
    .await
}

async fn caddy() -> Option<Stage> {
    start(Program::Caddy, |port, server, certificates| {
        let (certificate, key) =
            (certificates.path("certificate.pem"), certificates.path("key.pem"));
        let tls = format!("\ttls {} {}\n", certificate.display(), key.display());
        shipped(
            "Caddyfile",
            &[
                (
                    "\nrollcall.example {\n",
                    format!("\nrollcall.example:{port} {{\n\tbind 127.0.0.1\n{tls}"),
                ),
                ("127.0.0.1:3000", server.address.to_string()),
            ],
        )
    })
    .await
}

async fn pages_sockets_and_feeds_come_through(stage: Stage) {
    let Stage { server, proxy, mut browser, _certificates } = stage;
    let page = browser.get(&proxy.site, "/r/team").await;
    let page = page.replace("Set-Cookie: ", "set-cookie: ").replace("Strict-T", "strict-T");
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let cookie = header(&page, "set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-rollcall_person=") && cookie.contains("; Secure"));
    assert!(page.to_ascii_lowercase().contains("\r\nstrict-transport-security: "), "{page}");
    assert!(page.contains("https://rollcall.example/r/team"), "{page}");

    let own = [("origin", "https://rollcall.example")];
    let mut ana = browser.open_socket(&proxy.site, &own).await.unwrap();
    assert!(matches!(join(&mut ana, "Ana").await, ServerEvent::ExistingUsers(_)));
    let foreign = browser.open_socket(&proxy.site, &[("origin", "https://evil.example")]).await;
    assert!(matches!(foreign, Err(Error::Http(answer)) if answer.status() == 403));

    // Clients are counted by their own address, which they can't forge.
    let forged = [("x-forwarded-for", "192.0.2.7")];
    let refused = browser.open_socket(&proxy.site, &forged).await;
    assert!(matches!(refused, Err(Error::Http(answer)) if answer.status() == 429));
    browser.from = [127, 0, 0, 3];
    let mut bo = browser.open_socket(&proxy.site, &own).await.unwrap();
    assert!(matches!(join(&mut bo, "Bo").await, ServerEvent::ExistingUsers(_)));
    assert_eq!(newcomers(&mut ana).await, ["Bo"]);

    // Events are not buffered.
    browser.from = [127, 0, 0, 4];
    let mut feed = browser.ask(&proxy.site, "/api/rooms/team/events").await;
    let mut received = Vec::new();
    while !String::from_utf8_lossy(&received).contains("\"Bo\"") {
        let length = timeout(TIMEOUT, feed.read_buf(&mut received)).await.unwrap().unwrap();
        assert!(length > 0, "the feed ended");
    }

    let stopping = tokio::spawn(server.stop());
    assert_eq!(close_code(&mut ana).await, 1012);
    drop((ana, bo, feed));
    stopping.await.unwrap();
}

#[tokio::test]
async fn nginx_forwards_pages_sockets_and_event_streams() {
    if let Some(stage) = nginx().await {
        Box::pin(pages_sockets_and_feeds_come_through(stage)).await;
    }
}

#[tokio::test]
async fn caddy_forwards_pages_sockets_and_event_streams() {
    if let Some(stage) = caddy().await {
        Box::pin(pages_sockets_and_feeds_come_through(stage)).await;
    }
}
