//! TLS in the program itself, where no proxy in front speaks it.

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
    reload::Renewal,
};

/// What a connection keeps of what it is to write, besides one record; by default it is 64 KiB.
const MOST_WRITE_BUFFER_IN_BYTES: usize = 16 * 1024;

/// The first byte of every TLS connection (RFC 8446, section 5.1), and of no HTTP request.
const HANDSHAKE_RECORD: u8 = 22;

/// What is needed to speak TLS. Cloning it is cheap, and all clones have the same certificate.
#[derive(Clone, Debug)]
pub struct Tls {
    files: TlsFiles,
    current: Arc<CurrentCertificate>,
    config: Arc<ServerConfig>,
}

/// A connection that has said its first word.
pub(crate) enum Opened {
    /// It speaks TLS, and the handshake is through.
    Secure(Box<TlsStream<TcpStream>>),
    /// It speaks something else; nothing of it is read yet.
    Plain(TcpStream),
}

impl Tls {
    /// Reads the certificate and its key.
    ///
    /// # Errors
    /// What is wrong with the files, by the names of their settings.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let current = Arc::new(CurrentCertificate(RwLock::new(files.read()?)));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<CurrentCertificate>::clone(&current));
        // A WebSocket begins as a request of HTTP/1.1: nothing else is offered.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Thousands who come back need no whole handshake each, and nothing is kept of them here.
        config.ticketer = ring::Ticketer::new()?;
        Ok(Self { files, current, config: Arc::new(config) })
    }

    /// Reads the files anew: who connects from now on gets what they hold. Where something is wrong with
    /// them, all stays as it was.
    ///
    /// # Errors
    /// What is wrong with the files, by the names of their settings.
    pub fn renew(&self) -> Result<(), TlsError> {
        let new = self.files.read()?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Waits for the first word of a connection and, where that is TLS, for the end of the handshake.
    pub(crate) async fn open(&self, stream: TcpStream) -> io::Result<Opened> {
        let mut first = [0];
        let length = stream.peek(&mut first).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if first != [HANDSHAKE_RECORD] {
            return Ok(Opened::Plain(stream));
        }
        let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
        let limit = |session: &mut tokio_rustls::rustls::ServerConnection| {
            session.set_buffer_limit(Some(MOST_WRITE_BUFFER_IN_BYTES));
        };
        let stream = acceptor.accept_with(stream, limit).await?;
        Ok(Opened::Secure(Box::new(stream)))
    }
}

/// The certificate with which the next connection is answered.
#[derive(Debug)]
struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}
