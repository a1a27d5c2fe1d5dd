//! The server behind the proxies of `deploy`, with the shipped files, in which only names, ports and the
//! certificate are replaced.
//!
//! The proxies must be installed, so this is not part of a test run: `cargo xtask check` runs it where they
//! are.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![cfg(unix)]

#[path = "it/support/mod.rs"]
mod support;

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use app::presence::ServerEvent;
use server::websocket::connection::ConnectionConfig;
use support::{
    Site, TestServer, header,
    tls::{Browser, Certificates, close_code, join, newcomers},
};
use tempfile::TempDir;
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};
use tokio_tungstenite::tungstenite::Error;

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The settings that the comments in `deploy` require, and a limit that shows the counted address.
const SETTINGS: &str = "public-url = \"https://rollcall.example\"\n\
    [limits]\ntrusted-proxies = [\"127.0.0.1/32\"]\nmax-sockets-per-address = 1\n";

/// A proxy in front of a server, and a browser.
struct Stage {
    server: TestServer,
    proxy: Proxy,
    browser: Browser,
}

struct Proxy {
    site: Site,
    child: Child,
    _directory: TempDir,
    _certificates: Certificates,
}

impl Drop for Proxy {
    /// With SIGTERM, so that nginx ends its workers.
    fn drop(&mut self) {
        let terminate = format!("kill -TERM {}", self.child.id());
        let _ = Command::new("sh").args(["-c", &terminate]).status();
        let _ = self.child.wait();
    }
}

/// A free port.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
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

/// Starts a proxy in a folder of its own, and waits until it listens.
async fn start(program: impl Fn(&Path, u16, &TestServer, &Certificates) -> Command) -> Stage {
    let server = TestServer::start_with(SETTINGS, ConnectionConfig::default());
    let certificates = Certificates::new();
    let mut browser = Browser::that_trusts(certificates.make());
    browser.host = Some("rollcall.example");
    browser.config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Not the proxy's own address, which is trusted.
    browser.from = [127, 0, 0, 2];
    let (directory, port) = (tempfile::tempdir().unwrap(), free_port());
    let mut command = program(directory.path(), port, &server, &certificates);
    let child = command.stdin(Stdio::null()).spawn().unwrap();
    let site = Site { address: SocketAddr::from(([127, 0, 0, 1], port)) };
    let proxy = Proxy { site, child, _directory: directory, _certificates: certificates };
    let listens = async {
        while TcpStream::connect(proxy.site.address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(TIMEOUT, listens).await.expect("the proxy does not listen");
    Stage { server, proxy, browser }
}

async fn nginx() -> Stage {
    start(|directory, port, server, certificates| {
        let site = shipped("nginx.conf", &[
            ("listen 443 ssl;", format!("listen 127.0.0.1:{port} ssl;")),
            ("server 127.0.0.1:3000;", format!("server {};", server.address)),
            ("/etc/ssl/rollcall.example.pem", certificates.path("certificate.pem").display().to_string()),
            ("/etc/ssl/rollcall.example.key", certificates.path("key.pem").display().to_string()),
        ]);
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {};\n", directory.join(name).display()))
            .concat();
        let file = directory.join("nginx.conf");
        let whole = format!(
            "daemon off;\nmaster_process off;\npid {};\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{folders}{site}\n}}\n",
            directory.join("pid").display()
        );
        fs::write(&file, whole).unwrap();
        let mut command = Command::new("nginx");
        command.args(["-e", "stderr", "-c"]).arg(file).arg("-p").arg(directory);
        command
    })
    .await
}

async fn caddy() -> Stage {
    start(|directory, port, server, certificates| {
        let (certificate, key) =
            (certificates.path("certificate.pem"), certificates.path("key.pem"));
        let tls = format!("\ttls {} {}\n", certificate.display(), key.display());
        let site = shipped(
            "Caddyfile",
            &[
                (
                    "\nrollcall.example {\n",
                    format!("\nrollcall.example:{port} {{\n\tbind 127.0.0.1\n{tls}"),
                ),
                ("127.0.0.1:3000", server.address.to_string()),
            ],
        );
        let file = directory.join("Caddyfile");
        // By default it would redirect from port 80.
        let whole = format!("{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}");
        fs::write(&file, whole).unwrap();
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
        command.env("XDG_DATA_HOME", directory).env("XDG_CONFIG_HOME", directory);
        command
    })
    .await
}

async fn pages_sockets_and_feeds_come_through(stage: Stage) {
    let Stage { server, proxy, mut browser } = stage;
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
    pages_sockets_and_feeds_come_through(nginx().await).await;
}

#[tokio::test]
async fn caddy_forwards_pages_sockets_and_event_streams() {
    pages_sockets_and_feeds_come_through(caddy().await).await;
}
