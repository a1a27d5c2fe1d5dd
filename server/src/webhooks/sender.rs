//! Sends one message to a receiver, over a connection of its own.
//!
//! The address is the operator's, and still nothing is followed or believed: no redirect, no body of an answer, and
//! no wait without a bound.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, Method, Request, StatusCode, Uri, header},
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};
use tokio_util::task::AbortOnDropHandle;
use url::Host;

use super::{receiver_url::ReceiverUrl, secret::WebhookSecret};
use crate::url::Scheme;

/// For everything from looking the name up to the head of the answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// For a connection, so that the other addresses of a name are tried as well.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest head of an answer.
const LONGEST_HEAD: usize = 16 * 1024;

/// Sends messages to one receiver.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    url: ReceiverUrl,
    secret: WebhookSecret,
    tls: Tls,
}

/// What certificates are checked by; nothing for plain HTTP.
#[derive(Clone)]
pub(super) struct Tls(Option<TlsConnector>);

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_some() { "Tls(on)" } else { "Tls(off)" })
    }
}

/// Why a message may not have arrived.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// The receiver's name leads nowhere.
    #[error("its name leads to no address that may be used")]
    NoAddress,
    /// There is no connection.
    #[error("it can't be connected to: {0}")]
    Connect(io::Error),
    /// The connection broke, or the answer was not HTTP.
    #[error("it did not answer: {0}")]
    Http(#[from] hyper::Error),
    /// It took too long.
    #[error("it did not answer within {} s", ATTEMPT_TIMEOUT.as_secs())]
    Timeout,
    /// It answered, but did not accept the message.
    #[error("it answered with {status}")]
    Status {
        /// What it answered.
        status: StatusCode,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The request can't be made.
    #[error("the request can't be made: {0}")]
    Request(#[from] axum::http::Error),
}

impl SendError {
    /// When the receiver wants the message again.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the receiver wants no more messages, ever.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Status { status: StatusCode::GONE, .. })
    }
}

impl Sender {
    pub(super) fn new(url: ReceiverUrl, secret: WebhookSecret, tls: Tls) -> Self {
        Self { url, secret, tls }
    }

    /// Sends a message. It has arrived if the answer's status is 2xx.
    pub(super) async fn send(
        &self,
        id: &str,
        timestamp: u64,
        body: Bytes,
    ) -> Result<(), SendError> {
        let sending = async {
            let stream = self.connect().await?;
            let request = self.request(id, timestamp, body)?;
            match (self.url.scheme(), &self.tls.0) {
                (Scheme::Https, Some(tls)) => {
                    let name = server_name(self.url.host()).ok_or(SendError::NoAddress)?;
                    let stream = tls.connect(name, stream).await.map_err(SendError::Connect)?;
                    exchange(stream, request).await
                }
                (Scheme::Http, _) => exchange(stream, request).await,
                // Names are sent to nobody whose certificate was not checked.
                (Scheme::Https, None) => Err(SendError::NoAddress),
            }
        };
        match timeout(ATTEMPT_TIMEOUT, sending).await {
            Ok(sent) => sent,
            Err(_) => Err(SendError::Timeout),
        }
    }

    async fn connect(&self) -> Result<TcpStream, SendError> {
        let addresses: Vec<_> = match (self.url.address(), self.url.name()) {
            (Some(address), _) => vec![address],
            (None, Some(name)) => {
                let found = lookup_host(name).await.map_err(SendError::Connect)?;
                found.filter(|address| self.url.may_lead_to(address.ip())).collect()
            }
            (None, None) => Vec::new(),
        };
        let mut error = SendError::NoAddress;
        for address in addresses {
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(refused)) => error = SendError::Connect(refused),
                Err(_) => error = SendError::Connect(io::ErrorKind::TimedOut.into()),
            }
        }
        Err(error)
    }

    fn request(&self, id: &str, timestamp: u64, body: Bytes) -> Result<Request<Body>, SendError> {
        let signature = self.secret.sign(id, timestamp, &body);
        let request = Request::builder()
            .method(Method::POST)
            .uri(Uri::from(self.url.path_and_query().clone()))
            .header(header::HOST, self.url.host_header())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature);
        Ok(request.body(Body::from(body))?)
    }
}

impl Tls {
    /// Nothing is encrypted.
    pub(super) fn off() -> Self {
        Self(None)
    }

    /// The authorities that the system trusts. The variable `SSL_CERT_FILE` names others.
    pub(super) fn of_system() -> Self {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        let (trusted, _) = roots.add_parsable_certificates(found.certs);
        if trusted == 0 {
            tracing::error!(
                "this system has no certificates of authorities, so no webhook with https can be delivered: install them, or set SSL_CERT_FILE"
            );
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map(|builder| builder.with_root_certificates(roots).with_no_client_auth());
        Self(config.ok().map(|config| TlsConnector::from(Arc::new(config))))
    }
}

/// The request's answer, of which only the head is read.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Body>,
) -> Result<(), SendError> {
    let mut http = http1::Builder::new();
    http.max_buf_size(LONGEST_HEAD);
    let (mut sender, connection) = http.handshake(TokioIo::new(stream)).await?;
    // It ends with the answer's head, or with the attempt.
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(SendError::Status { status, retry_after: retry_after(answer.headers()) })
}

/// `Retry-After` in seconds. A date is not read: the growing gaps do as well.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn server_name(host: &Host) -> Option<ServerName<'static>> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).ok(),
        Host::Ipv4(ip) => Some(ServerName::IpAddress((*ip).into())),
        Host::Ipv6(ip) => Some(ServerName::IpAddress((*ip).into())),
    }
}
