//! TLS in the server itself, for sites without a proxy.

mod certificate;
mod reload;

use std::{
    io,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
        version::{TLS12, TLS13},
    },
    server::TlsStream,
};

pub use self::{
    certificate::{CERTIFICATE_SETTING, KEY_SETTING, TlsError, TlsFiles},
    reload::reload_certificate,
};

/// The write buffer of a connection, in addition to one record; rustls' default is 64 KiB.
const MOST_WRITE_BUFFER_IN_BYTES: usize = 16 * 1024;

/// The first byte of every TLS connection (RFC 8446, section 5.1). No HTTP request begins with it.
const HANDSHAKE_RECORD: u8 = 22;

/// TLS with the current certificate. Cloning is cheap, and all clones share the certificate.
#[derive(Clone, Debug)]
pub struct Tls {
    files: TlsFiles,
    current: Arc<CurrentCertificate>,
    config: Arc<ServerConfig>,
}

/// A connection whose first byte is known.
pub(crate) enum Accepted {
    /// It speaks TLS, and the handshake is complete.
    Tls(Box<TlsStream<TcpStream>>),
    /// It speaks something else, of which nothing is read yet.
    Plain(TcpStream),
}

impl Tls {
    /// Reads the certificate and its key.
    ///
    /// # Errors
    /// If a file is unreadable or invalid; the message names the setting.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let current = Arc::new(CurrentCertificate(RwLock::new(files.read()?)));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<CurrentCertificate>::clone(&current));
        // A WebSocket begins as an HTTP/1.1 request, so that is the only protocol.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Tickets spare reconnecting clients the full handshake, and the server stores no session.
        config.ticketer = ring::Ticketer::new()?;
        Ok(Self { files, current, config: Arc::new(config) })
    }

    /// Reloads the certificate for new connections. On an error the old one stays in use.
    ///
    /// # Errors
    /// If a file is unreadable or invalid; the message names the setting.
    pub fn reload(&self) -> Result<(), TlsError> {
        let new = self.files.read()?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Waits for the first byte of a connection and, if that is TLS, for the end of the handshake.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<Accepted> {
        let mut first = [0];
        let length = stream.peek(&mut first).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if first != [HANDSHAKE_RECORD] {
            return Ok(Accepted::Plain(stream));
        }
        let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
        let limit_buffer = |session: &mut tokio_rustls::rustls::ServerConnection| {
            session.set_buffer_limit(Some(MOST_WRITE_BUFFER_IN_BYTES));
        };
        let stream = acceptor.accept_with(stream, limit_buffer).await?;
        Ok(Accepted::Tls(Box::new(stream)))
    }
}

/// The certificate for new connections.
#[derive(Debug)]
struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}
