//! The shortest configurations that people write: on a port of its own, below a path, and two in a row.

use std::{fs, path::Path};

use app::presence::ServerEvent;
use futures_util::{SinkExt, StreamExt};
use server::websocket::connection::ConnectionConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::{
    TIMEOUT,
    proxy::{Program, Proxy, free_port},
    support::{Site, TestServer, body},
};

/// What nginx needs for sockets, as its documentation has it.
const UPGRADE: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                       proxy_set_header Connection \"upgrade\";";

/// What people get who visit the site at this address.
struct Visitors {
    address: String,
    port: u16,
    base_path: &'static str,
}

impl Visitors {
    fn at(port: u16, base_path: &'static str) -> Self {
        Self { address: format!("http://127.0.0.1:{port}{base_path}"), port, base_path }
    }

    /// A server that knows this address.
    fn server(&self) -> TestServer {
        let settings = format!("public-url = \"{}\"", self.address);
        TestServer::start_with(&settings, ConnectionConfig::default())
    }

    /// Sends a GET. With HTTP/1.0, so that the body comes in one piece.
    async fn ask(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port);
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn get(&self, path: &str) -> String {
        let mut answer = Vec::new();
        let mut stream = self.ask(path).await;
        timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Page, file, QR code, embed and feed are right.
    async fn see_all_but_the_socket(&self, server: &TestServer) {
        let Self { address, base_path, .. } = self;
        let page = self.get(&format!("{base_path}/r/team")).await;
        assert!(page.contains(" 200 OK"), "{page}");
        assert!(page.contains(&format!("value=\"{address}/r/team\"")), "{page}");
        let before = page.split_once("/pkg/rollcall.js").unwrap().0.rsplit('"').next().unwrap();
        let script = &*format!("{before}/pkg/rollcall.js");
        assert!(self.get(script).await.contains("// the page's script"), "{script}");

        let code = self.get(&format!("{base_path}/r/team/qr.svg")).await;
        assert_eq!(body(&code), self.code_of(server).await);
        let embed = self.get(&format!("{base_path}/r/team/embed")).await;
        assert!(embed.contains(&format!("href=\"{base_path}/r/team\"")), "{embed}");
        assert!(header(&embed, "content-security-policy").contains("frame-ancestors *"));

        // An event arrives before there are enough to fill a buffer.
        let mut feed = self.ask(&format!("{base_path}/api/rooms/feed/events")).await;
        let mut received = Vec::new();
        read_until(&mut feed, &mut received, "existing_users").await;
        let mut ana = server.connect("feed").await;
        ana.join("Ana").await;
        read_until(&mut feed, &mut received, "\"Ana\"").await;
    }

    /// The cookie is limited to this address, and a room's address in capitals leads to the room.
    async fn see_cookie_and_redirect(&self) {
        let Self { base_path, port, .. } = self;
        let page = self.get(&format!("{base_path}/r/team")).await;
        let cookie = header(&page, "set-cookie");
        let path = if base_path.is_empty() { "/" } else { base_path };
        assert!(cookie.starts_with(&format!("rollcall_person_{port}=")), "{cookie}");
        assert!(cookie.contains(&format!("; Path={path};")), "{cookie}");
        let redirect = self.get(&format!("{base_path}/r/TEAM/")).await;
        let location = header(&redirect, "location");
        assert!(location.ends_with(&format!("{base_path}/r/team")), "{location}");
    }

    /// Everything is right. The cookie and the redirect come last, so that their faults hide no others.
    async fn see_everything(&self, server: &TestServer) {
        self.see_all_but_the_socket(server).await;
        self.join().await;
        self.see_cookie_and_redirect().await;
    }

    /// The QR code that the server itself gives for this address.
    async fn code_of(&self, server: &TestServer) -> String {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request =
            format!("GET /r/team/qr.svg HTTP/1.0\r\nHost: 127.0.0.1:{}\r\n\r\n", self.port);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(TIMEOUT, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        body(&answer).to_owned()
    }

    /// A page of this site opens a socket and joins.
    async fn join(&self) {
        let url = self.address.replacen("http", "ws", 1);
        let mut request = format!("{url}/r/team/socket").into_client_request().unwrap();
        let origin = format!("http://127.0.0.1:{}", self.port);
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let (mut socket, _) = timeout(TIMEOUT, connect_async(request)).await.unwrap().unwrap();
        let join = r#"{"event":"got_a_new_user","name":"Bo"}"#;
        socket.send(Message::text(join)).await.unwrap();
        let reply = timeout(TIMEOUT, socket.next()).await.unwrap().unwrap().unwrap();
        let reply: ServerEvent = serde_json::from_str(reply.to_text().unwrap()).unwrap();
        assert!(matches!(reply, ServerEvent::ExistingUsers(list) if list.users.len() == 1));
    }

    /// What the page learns whose socket does not open.
    async fn reason(&self) -> String {
        let Self { base_path, port, .. } = self;
        self.get(&format!("{base_path}/r/team/socket?origin=http://127.0.0.1:{port}")).await
    }
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let head = answer.split_once("\r\n\r\n").unwrap().0;
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).expect(name).1
}

async fn read_until(stream: &mut TcpStream, received: &mut Vec<u8>, text: &str) {
    while !String::from_utf8_lossy(received).contains(text) {
        let length = timeout(TIMEOUT, stream.read_buf(received)).await.unwrap().unwrap();
        assert!(length > 0, "the feed ended");
    }
}

/// A site of nginx on this port.
fn nginx_site(port: u16, locations: &str) -> String {
    format!("server {{ listen 127.0.0.1:{port}; {locations} }}")
}

/// A site of Caddy on this port.
fn caddy_site(port: u16, lines: &str) -> String {
    format!("http://127.0.0.1:{port} {{\n{lines}\n}}\n")
}

#[tokio::test]
async fn bare_nginx_serves_all_but_the_socket() {
    let visitors = Visitors::at(free_port(), "");
    let server = visitors.server();
    let Site { address } = *server;
    let site = nginx_site(visitors.port, &format!("location / {{ proxy_pass http://{address}; }}"));
    let Some(_proxy) = Proxy::start(Program::Nginx, visitors.port, &site).await else { return };
    visitors.see_all_but_the_socket(&server).await;
    let reason = visitors.reason().await;
    assert!(reason.contains(" 426 ") && reason.contains("upgrade_required"), "{reason}");
    visitors.see_cookie_and_redirect().await;
}

/// Without the public URL: nginx puts its own idea of the host in place of the visitor's.
#[tokio::test]
async fn bare_nginx_without_a_public_url_is_named_as_the_reason() {
    let (visitors, server) = (Visitors::at(free_port(), ""), TestServer::start());
    let Site { address } = *server;
    let location = format!("location / {{ proxy_pass http://{address}; {UPGRADE} }}");
    let site = nginx_site(visitors.port, &location);
    let Some(_proxy) = Proxy::start(Program::Nginx, visitors.port, &site).await else { return };
    let reason = visitors.reason().await;
    assert!(reason.contains(" 403 ") && reason.contains("origin_not_allowed"), "{reason}");
}

#[tokio::test]
async fn nginx_with_the_lines_for_sockets_needs_no_public_url() {
    let (visitors, server) = (Visitors::at(free_port(), ""), TestServer::start());
    let Site { address } = *server;
    let location = format!(
        "location / {{ proxy_pass http://{address}; {UPGRADE} proxy_set_header Host $http_host; }}"
    );
    let site = nginx_site(visitors.port, &location);
    let Some(_proxy) = Proxy::start(Program::Nginx, visitors.port, &site).await else { return };
    visitors.see_everything(&server).await;
}

#[tokio::test]
async fn caddy_with_one_line_needs_no_public_url() {
    let (visitors, server) = (Visitors::at(free_port(), ""), TestServer::start());
    let site = caddy_site(visitors.port, &format!("reverse_proxy {}", server.address));
    let Some(_proxy) = Proxy::start(Program::Caddy, visitors.port, &site).await else { return };
    visitors.see_everything(&server).await;
}

/// The lines of docs/operations.md for a site below a path, for this server.
fn documented(language: &str, server: &TestServer) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("**Below a path**").unwrap();
    let (_, lines) = section.split_once(&format!("```{language}\n")).unwrap();
    let (lines, _) = lines.split_once("```").unwrap();
    assert!(lines.contains("127.0.0.1:3000"), "{lines}");
    lines.replace("127.0.0.1:3000", &server.address.to_string())
}

/// The lines with one change, which the text beside them describes.
fn changed(lines: &str, from: &str, to: &str) -> String {
    assert_eq!(lines.matches(from).count(), 1, "{lines}");
    lines.replace(from, to)
}

/// Also at the public URL as it is, without a slash at its end.
async fn the_site_below_a_path_is_served(visitors: &Visitors, server: &TestServer) {
    let page = visitors.get(visitors.base_path).await;
    let redirect = visitors.address.clone() + "/";
    let to = page
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("location: ").map(str::to_owned));
    match to {
        Some(to) => assert!(redirect.ends_with(&to), "{page}"),
        None => assert!(page.contains(" 200 OK") && page.contains("<h1"), "{page}"),
    }
    visitors.see_everything(server).await;
}

#[tokio::test]
async fn nginx_serves_the_site_below_a_path() {
    // With a slash at its end nginx strips the path, and without one it keeps it.
    for slash in ["", "/"] {
        let visitors = Visitors::at(free_port(), "/rollcall");
        let server = visitors.server();
        let address = server.address.to_string();
        let lines = changed(&documented("nginx", &server), &address, &format!("{address}{slash}"));
        let site = nginx_site(visitors.port, &lines);
        let Some(_proxy) = Proxy::start(Program::Nginx, visitors.port, &site).await else { return };
        the_site_below_a_path_is_served(&visitors, &server).await;
    }
}

#[tokio::test]
async fn caddy_serves_the_site_below_a_path() {
    // `handle_path` strips the path, and `handle` keeps it.
    for handle in ["handle ", "handle_path "] {
        let visitors = Visitors::at(free_port(), "/rollcall");
        let server = visitors.server();
        let lines = changed(&documented("caddyfile", &server), "handle ", handle);
        let site = caddy_site(visitors.port, &lines);
        let Some(_proxy) = Proxy::start(Program::Caddy, visitors.port, &site).await else { return };
        the_site_below_a_path_is_served(&visitors, &server).await;
    }
}

#[tokio::test]
async fn caddy_before_nginx_serves_the_site() {
    let (visitors, inner, server) =
        (Visitors::at(free_port(), ""), free_port(), TestServer::start());
    let Site { address } = *server;
    let location = format!(
        "location / {{ proxy_pass http://{address}; {UPGRADE} proxy_set_header Host $http_host; }}"
    );
    let site = nginx_site(inner, &location);
    let Some(_inner) = Proxy::start(Program::Nginx, inner, &site).await else { return };
    let site = caddy_site(visitors.port, &format!("reverse_proxy 127.0.0.1:{inner}"));
    let Some(_outer) = Proxy::start(Program::Caddy, visitors.port, &site).await else { return };
    visitors.see_everything(&server).await;
}

#[tokio::test]
async fn nginx_before_caddy_serves_the_site() {
    let (visitors, inner) = (Visitors::at(free_port(), ""), free_port());
    let server = visitors.server();
    let site = caddy_site(inner, &format!("reverse_proxy {}", server.address));
    let Some(_inner) = Proxy::start(Program::Caddy, inner, &site).await else { return };
    let location = format!(
        "location / {{ proxy_pass http://127.0.0.1:{inner}; {UPGRADE} proxy_set_header Host $http_host; }}"
    );
    let site = nginx_site(visitors.port, &location);
    let Some(_outer) = Proxy::start(Program::Nginx, visitors.port, &site).await else { return };
    visitors.see_everything(&server).await;
}
