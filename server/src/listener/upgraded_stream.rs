//! The stream of a connection that has left HTTP.

use bytes::Bytes;
use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::{HeadLimit, InFlight, PlainStream, WriteTimeout};

/// The accepted stream itself, so that hyper's buffers are freed: without the limits of HTTP, but with that of bytes in
/// flight.
pub(crate) enum UpgradedStream {
    Plain(InFlight<PlainStream>),
    Tls(Box<InFlight<TlsStream<TcpStream>>>),
}

/// What [`serve_connections`](super::serve_connections) serves.
type Served<S> = TokioIo<WriteTimeout<HeadLimit<InFlight<S>>>>;

impl UpgradedStream {
    /// The stream, and what was read of it with the request; an error if the stream is of another type.
    pub(crate) fn of(upgraded: Upgraded) -> Result<(Self, Bytes), Upgraded> {
        let upgraded = match upgraded.downcast() {
            Ok(parts) => {
                let (stream, read) = without_http(parts);
                return Ok((Self::Plain(stream), read));
            }
            Err(upgraded) => upgraded,
        };
        let (stream, read) = without_http(upgraded.downcast()?);
        Ok((Self::Tls(Box::new(stream)), read))
    }
}

fn without_http<S>(Parts { io, read_buf, .. }: Parts<Served<S>>) -> (InFlight<S>, Bytes)
where
    S: super::SystemBuffer,
{
    (io.into_inner().into_inner().into_inner(), read_buf)
}
