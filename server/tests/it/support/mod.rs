//! A server on a free port, and clients with real sockets.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

pub mod client;
pub mod described;
pub mod process;
#[cfg(feature = "socketio")]
pub mod socketio;
pub mod tls;

use std::{
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use app::client::Replica;
use server::{
    admin::AdminToken,
    config::{Config, Sources, cli::CommandLine, environment::Environment},
    identity::person_cookie::PersonCookies,
    lifecycle::systemd::Systemd,
    listener::{tcp, tls::Tls},
    serve::{self, Resources},
    websocket::connection::ConnectionConfig,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        client::IntoClientRequest,
        http::{Response, header},
    },
};

pub use self::client::Client;

/// The time limit of every wait, so that a test that would hang fails. A person is away after 30 s.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The operator's token of a test server.
pub const OPERATOR_TOKEN: &str = "the operator's";

/// A key for cookies, different for each number: a key of equal bytes would be refused.
pub fn key(number: u8) -> [u8; 64] {
    let byte = |place: u8| place.wrapping_mul(place).wrapping_mul(7).wrapping_add(13 * number);
    std::array::from_fn(|place| u8::try_from(place).map(byte).unwrap())
}

/// Writes a file that only its owner may read.
pub fn write_secret(path: &Path, content: impl AsRef<[u8]>) {
    std::fs::write(path, content).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Creates a directory that only its owner may write to, whatever the tests' umask.
pub fn create_private_directory(path: &Path) {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).unwrap();
}

/// The body of a response.
pub fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// A header of a response.
pub fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split_once("\r\n\r\n").unwrap().0;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The address of a server in this process or another one.
pub struct Site {
    pub address: SocketAddr,
}

/// A server in the test's process.
pub struct TestServer {
    site: Site,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
    directory: Arc<TempDir>,
    /// The operator's address.
    pub operator: Site,
}

impl Deref for TestServer {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

/// Creates the files that a server needs, and returns its settings' file.
fn create_files(directory: &Path, presence: &str) -> PathBuf {
    create_private_directory(&directory.join("state"));
    std::fs::create_dir_all(directory.join("site/pkg")).unwrap();
    for (kind, content) in [("js", "// the page's script"), ("wasm", ""), ("css", "")] {
        std::fs::write(directory.join(format!("site/pkg/rollcall.{kind}")), content).unwrap();
    }
    std::fs::write(directory.join("secret.txt"), "a secret").unwrap();
    let file = directory.join("Leptos.toml");
    let leptos = "[[workspace.metadata.leptos]]\noutput-name = \"rollcall\"\nenv = \"PROD\"";
    std::fs::write(&file, format!("{leptos}\n[presence]\n{presence}\n")).unwrap();
    file
}

/// The settings of a server whose files are in this directory.
fn sources(directory: &Path, presence: &str) -> Sources {
    let path = |name: &str| directory.join(name).into_os_string();
    let words = [
        "rollcall".into(),
        "--config".into(),
        create_files(directory, presence).into_os_string(),
        "--site-root".into(),
        path("site"),
        "--state-dir".into(),
        path("state"),
    ];
    CommandLine::parse(words, Environment::default()).unwrap().sources
}

impl TestServer {
    pub fn start() -> Self {
        Self::start_with("", ConnectionConfig::default())
    }

    /// With lines for the settings' `[presence]` table, and timeouts of its sockets.
    pub fn start_with(presence: &str, connection: ConnectionConfig) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let anywhere = "127.0.0.1:0".parse().unwrap();
        Self::start_in(directory, anywhere, presence, connection)
    }

    /// With another key for cookies than the other servers.
    pub fn start_with_key(key: u8) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let anywhere = "127.0.0.1:0".parse().unwrap();
        Self::start_keyed(key, directory, anywhere, "", ConnectionConfig::default())
    }

    fn start_in(
        directory: Arc<TempDir>,
        address: SocketAddr,
        presence: &str,
        connection: ConnectionConfig,
    ) -> Self {
        Self::start_keyed(7, directory, address, presence, connection)
    }

    fn start_keyed(
        key: u8,
        directory: Arc<TempDir>,
        address: SocketAddr,
        presence: &str,
        connection: ConnectionConfig,
    ) -> Self {
        let config = Config::load(sources(directory.path(), presence)).unwrap();
        let persons = PersonCookies::from_key(&self::key(key), config.cookie_scope()).unwrap();
        let listener = tcp::listen(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let signal = async {
            let _ = stopped.await;
        };
        let operator = tcp::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let operator_address = operator.local_addr().unwrap();
        let operator = Some((operator, AdminToken::of(OPERATOR_TOKEN)));
        let tls = config.tls.files().map(Tls::load).transpose().unwrap();
        let systemd = Systemd::default();
        let listeners = Resources { public: listener, tls, operator, systemd, cluster: None };
        let task = tokio::spawn(serve::serve(listeners, config, persons, connection, signal));
        let operator = Site { address: operator_address };
        Self { site: Site { address }, stop: Some(stop), task, directory, operator }
    }

    /// Shuts down as on SIGTERM.
    pub async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        timeout(TIMEOUT, self.task).await.unwrap().unwrap().unwrap();
    }

    /// Shuts down as on SIGTERM, then calls `look`.
    pub async fn stop_then<T>(mut self, look: impl FnOnce() -> T) -> T {
        self.stop.take().unwrap().send(()).unwrap();
        timeout(TIMEOUT, self.task).await.unwrap().unwrap().unwrap();
        look()
    }

    /// Shuts down as on SIGTERM, and starts again with the same address and state directory.
    pub async fn restart(self) -> Self {
        let (address, directory) = (self.address, Arc::clone(&self.directory));
        self.stop().await;
        Self::start_in(directory, address, "", ConnectionConfig::default())
    }

    /// The state directory.
    pub fn state_directory(&self) -> PathBuf {
        self.directory.path().join("state")
    }
}

impl Site {
    pub async fn connect(&self, room: &str) -> Client {
        self.connect_as(room, None).await
    }

    /// As the person of the cookie.
    pub async fn connect_as(&self, room: &str, cookie: Option<&str>) -> Client {
        let (socket, response) = self.try_connect(room, cookie).await.unwrap();
        let set_cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        let cookie = set_cookie.split(';').next().unwrap().to_owned();
        Client { socket, cookie, replica: Replica::default() }
    }

    pub async fn try_connect(
        &self,
        room: &str,
        cookie: Option<&str>,
    ) -> tokio_tungstenite::tungstenite::Result<(
        WebSocketStream<MaybeTlsStream<TcpStream>>,
        Response<Option<Vec<u8>>>,
    )> {
        let url = format!("ws://{}/r/{room}/socket", self.address);
        let mut request = url.into_client_request().unwrap();
        if let Some(cookie) = cookie {
            request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        }
        timeout(TIMEOUT, connect_async(request)).await.expect("the server did not answer in time")
    }

    /// A whole response to a `GET`, as text.
    pub async fn get(&self, path: &str) -> String {
        self.get_with(path, "").await
    }

    /// With additional header lines, each ended by CRLF.
    pub async fn get_with(&self, path: &str, headers: &str) -> String {
        self.request("GET", path, headers).await
    }

    /// Sends a `GET`, and waits for the response without reading it.
    pub async fn open(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).await.unwrap();
        // The response has started.
        timeout(TIMEOUT, stream.readable()).await.unwrap().unwrap();
        stream
    }

    /// Reads a chunked response to its end (RFC 9112, section 7.1).
    pub async fn read_to_end(&self, stream: &mut TcpStream) -> String {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n0\r\n\r\n") {
            let read = timeout(TIMEOUT, stream.read_buf(&mut answer)).await.unwrap().unwrap();
            assert!(read > 0, "the connection ended early");
        }
        String::from_utf8(answer).unwrap()
    }

    /// The rest of the first response line with this prefix, whether or not the response ends.
    pub async fn first_line(&self, path: &str, start: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        loop {
            let line = timeout(TIMEOUT, lines.next_line()).await.unwrap().unwrap();
            if let Some(line) = line.unwrap().strip_prefix(start) {
                return line.to_owned();
            }
        }
    }

    /// The head of a response that may never end.
    pub async fn response_head(&self, path: &str) -> String {
        self.response_head_with(path, "").await
    }

    /// With additional header lines, each ended by CRLF.
    pub async fn response_head_with(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.address);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let mut head = String::new();
        while let Some(line) = timeout(TIMEOUT, lines.next_line()).await.unwrap().unwrap()
            && !line.is_empty()
        {
            head.extend([&line, "\r\n"]);
        }
        head + "\r\n"
    }

    /// A whole response to a `GET`, as bytes.
    pub async fn get_bytes(&self, path: &str, headers: &str) -> Vec<u8> {
        self.request_bytes("GET", path, headers).await
    }

    /// A whole response, as text.
    pub async fn request(&self, method: &str, path: &str, headers: &str) -> String {
        let answer = String::from_utf8(self.request_bytes(method, path, headers).await).unwrap();
        described::assert_is_answer(method, path, &answer);
        answer
    }

    /// A whole response to a form that a page of this site sends.
    pub async fn post(&self, path: &str, headers: &str, form: &str) -> String {
        let origin = format!("Origin: http://{}\r\n", self.address);
        self.post_from(path, &[&origin, headers].concat(), form).await
    }

    /// A whole response to a form, whatever page sends it.
    pub async fn post_from(&self, path: &str, headers: &str, form: &str) -> String {
        // The empty line ends the head, and `request` adds another one.
        let head = format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n{headers}\r\n{form}",
            form.len()
        );
        self.request("POST", path, &head).await
    }

    /// A whole response to these bytes, after which the server closes the connection.
    pub async fn answer_to(&self, request: &str) -> String {
        self.try_answer_to(request).await.unwrap()
    }

    /// The same of a server that may be ending.
    pub async fn try_answer_to(&self, request: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.unwrap()?;
        Ok(String::from_utf8(answer).unwrap())
    }

    async fn request_bytes(&self, method: &str, path: &str, headers: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        answer
    }
}
