//! Certificates, and TLS clients.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use app::presence::ServerEvent;
use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        client::Resumption,
        crypto::ring,
        pki_types::{CertificateDer, ServerName},
    },
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::{Site, TIMEOUT, write_secret};

/// A WebSocket over TLS.
pub type SecureSocket = WebSocketStream<TlsStream<TcpStream>>;

/// A folder with a certificate and its key, which can be replaced.
pub struct Certificates(TempDir);

impl Certificates {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a new certificate and its key.
    pub fn make(&self) -> CertificateDer<'static> {
        let names = vec!["127.0.0.1".to_owned(), "rollcall.example".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        std::fs::write(self.path("certificate.pem"), made.cert.pem()).unwrap();
        write_secret(&self.path("key.pem"), made.signing_key.serialize_pem());
        made.cert.der().clone()
    }

    /// The settings for this certificate.
    pub fn settings(&self) -> String {
        let [certificate, key] =
            ["certificate.pem", "key.pem"].map(|name| self.path(name).display().to_string());
        format!("tls-certificate = {certificate:?}\ntls-key = {key:?}\n")
    }
}

/// A TLS client that trusts one certificate.
pub struct Browser {
    pub config: ClientConfig,
    /// The local address, one of loopback's many.
    pub from: [u8; 4],
    /// The name of the server; `None` for its address.
    pub host: Option<&'static str>,
}

impl Browser {
    pub fn that_trusts(certificate: CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        // A resumed session would not receive the certificate.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = ["h2", "http/1.1"].map(|name| name.as_bytes().to_vec()).into();
        Self { config, from: [127, 0, 0, 1], host: None }
    }

    pub async fn connect(&self, site: &Site) -> io::Result<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((self.from, 0)))?;
        let stream = socket.connect(site.address).await?;
        let name = match self.host {
            Some(host) => ServerName::try_from(host).unwrap(),
            None => ServerName::from(site.address.ip()),
        };
        let connector = TlsConnector::from(Arc::new(self.config.clone()));
        timeout(TIMEOUT, connector.connect(name, stream)).await.unwrap()
    }

    /// A whole response, as text.
    pub async fn get(&self, site: &Site, path: &str) -> String {
        let mut stream = self.ask(site, path).await;
        rest(&mut stream).await
    }

    /// A connection on which this path was requested.
    pub async fn ask(&self, site: &Site, path: &str) -> TlsStream<TcpStream> {
        let mut stream = self.connect(site).await.unwrap();
        let host = self.host.map_or_else(|| site.address.to_string(), str::to_owned);
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// A WebSocket of the room `team`.
    pub async fn open_socket(
        &self,
        site: &Site,
        headers: &[(&'static str, &str)],
    ) -> Result<SecureSocket, Error> {
        let host = self.host.map_or_else(|| site.address.to_string(), str::to_owned);
        let mut request = format!("wss://{host}/r/team/socket").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = self.connect(site).await.unwrap();
        let (socket, _) = timeout(TIMEOUT, client_async(request, stream)).await.unwrap()?;
        Ok(socket)
    }
}

/// Reads until the server closes the TLS session properly: a truncated response is an error.
pub async fn rest(stream: &mut TlsStream<TcpStream>) -> String {
    let mut answer = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

/// The next event. Pings are answered.
pub async fn event(socket: &mut SecureSocket) -> ServerEvent {
    let receiving = async {
        loop {
            match socket.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("a text frame was expected, not {other:?}"),
            }
        }
    };
    timeout(TIMEOUT, receiving).await.expect("no text frame arrived in time")
}

/// Joins, and returns the reply.
pub async fn join(socket: &mut SecureSocket, name: &str) -> ServerEvent {
    let text = format!(r#"{{"event":"got_a_new_user","name":"{name}"}}"#);
    socket.send(Message::text(text)).await.unwrap();
    event(socket).await
}

/// The names in the next changes.
pub async fn newcomers(socket: &mut SecureSocket) -> Vec<String> {
    let ServerEvent::Changes(changes) = event(socket).await else { panic!("no changes") };
    changes.difference.new_user.iter().map(|user| user.name.to_string()).collect()
}

/// The code of a close frame, which must be next.
pub async fn close_code(socket: &mut SecureSocket) -> u16 {
    match timeout(TIMEOUT, socket.next()).await.unwrap().unwrap().unwrap() {
        Message::Close(Some(frame)) => frame.code.into(),
        other => panic!("a close frame was expected, not {other:?}"),
    }
}
