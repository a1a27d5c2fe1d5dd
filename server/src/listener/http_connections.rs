//! The accept loop: from a listening socket to requests.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, header},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    select,
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{
    Acceptor, WriteTimeout,
    https_redirect::https_redirect,
    tls::{Opened, Tls},
};
use crate::{
    admission::{Admission, ConnectionPermit, PeerAddr, Rejection},
    telemetry::metrics::METRICS,
};

/// The most that is kept of a request's head; by default it is 400 KiB.
const LONGEST_HEAD_IN_BYTES: usize = 16 * 1024;

/// How many at a time are told that there is no room; who comes besides is not even told.
const MAX_REJECTIONS_AT_ONCE: usize = 64;

/// How long telling them may take, and whoever is to come another way.
const REJECTION_TIMEOUT: Duration = Duration::from_secs(2);

/// Accepts connections and answers what they ask until the server goes down,
/// and then waits for those that are being answered.
///
/// axum's own loop waits for ever for a request that never comes (hyper's time limit needs a timer that it
/// does not set), and counts nobody.
pub(crate) async fn serve_connections(
    mut acceptor: Acceptor,
    tls: Option<Tls>,
    admission: Arc<Admission>,
    router: Router,
    closing: CancellationToken,
) {
    let connections = TaskTracker::new();
    let handler = Arc::new(Handler::new(tls, admission, router, closing.clone()));
    loop {
        let (stream, peer) = select! {
            biased;
            () = closing.cancelled() => break,
            accepted = acceptor.accept() => accepted,
        };
        handler.accept_connection(stream, peer.ip(), &connections);
    }
    drop(acceptor);
    connections.close();
    connections.wait().await;
}

/// What every connection is received with.
struct Handler {
    /// What is spoken below HTTP; without it, nothing.
    tls: Option<Tls>,
    admission: Arc<Admission>,
    router: Router,
    http: http1::Builder,
    closing: CancellationToken,
    rejecting: Arc<Semaphore>,
}

impl Handler {
    fn new(
        tls: Option<Tls>,
        admission: Arc<Admission>,
        router: Router,
        closing: CancellationToken,
    ) -> Self {
        let http = http(admission.config().timeouts.request_within);
        let rejecting = Arc::new(Semaphore::new(MAX_REJECTIONS_AT_ONCE));
        Self { tls, admission, router, http, closing, rejecting }
    }

    fn accept_connection(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: IpAddr,
        connections: &TaskTracker,
    ) {
        match (self.admission.connection(peer), &self.tls) {
            (Ok(permit), None) => {
                connections.spawn(self.serve(stream, peer, permit));
            }
            (Ok(permit), Some(tls)) => {
                connections.spawn(Arc::clone(self).open(tls.clone(), stream, peer, permit));
            }
            (Err(rejection), tls) => {
                METRICS.rejected(rejection.reason());
                // Nobody may make the server busy by being turned away.
                if let Ok(permit) = Arc::clone(&self.rejecting).try_acquire_owned() {
                    let tls = tls.clone();
                    tokio::spawn(async move {
                        let _ =
                            timeout(REJECTION_TIMEOUT, respond_overloaded(tls, stream, rejection))
                                .await;
                        drop(permit);
                    });
                }
            }
        }
    }

    /// Speaks TLS first. The handshake has the time of a request, and the connection counts meanwhile.
    async fn open(
        self: Arc<Self>,
        tls: Tls,
        stream: TcpStream,
        peer: IpAddr,
        permit: ConnectionPermit,
    ) {
        let opening = async {
            match self.admission.config().timeouts.request_within {
                Some(within) => timeout(within, tls.open(stream)).await?,
                None => tls.open(stream).await,
            }
        };
        match self.closing.run_until_cancelled(opening).await {
            Some(Ok(Opened::Secure(stream))) => self.serve(*stream, peer, permit).await,
            Some(Ok(Opened::Plain(stream))) => {
                let _ = timeout(REJECTION_TIMEOUT, answer(stream, https_redirect)).await;
                drop(permit);
            }
            Some(Err(error)) => tracing::debug!(%error, "a connection does not speak TLS"),
            None => {}
        }
    }

    fn serve<S>(
        &self,
        stream: S,
        peer: IpAddr,
        permit: ConnectionPermit,
    ) -> impl Future<Output = ()> + use<S>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let router = self.router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(PeerAddr(peer));
            router.clone().oneshot(request)
        });
        let stream = WriteTimeout::new(stream, self.admission.config().timeouts.write_within);
        let mut connection =
            Box::pin(self.http.serve_connection(TokioIo::new(stream), service).with_upgrades());
        let closing = self.closing.clone();
        async move {
            let ended = select! {
                ended = connection.as_mut() => ended,
                () = closing.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ends");
            }
            drop(permit);
        }
    }
}

fn http(request_within: Option<Duration>) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(request_within)
        .max_buf_size(LONGEST_HEAD_IN_BYTES);
    http
}

/// Says that there is no room, below TLS where that is spoken.
async fn respond_overloaded(tls: Option<Tls>, stream: TcpStream, rejection: Rejection) {
    let room_not_found = move |_: &Request<Incoming>| rejection.answer();
    match tls {
        None => answer(stream, room_not_found).await,
        Some(tls) => match tls.open(stream).await {
            Ok(Opened::Secure(stream)) => answer(stream, room_not_found).await,
            Ok(Opened::Plain(stream)) => answer(stream, room_not_found).await,
            Err(error) => tracing::debug!(%error, "a connection does not speak TLS"),
        },
    }
}

/// Hears one question, since an answer before it may be thrown away, answers it, and ends.
async fn answer<S>(stream: S, with: impl Fn(&Request<Incoming>) -> Response)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(async |request: Request<Incoming>| {
        let mut response = with(&request);
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        Ok::<_, std::convert::Infallible>(response)
    });
    if let Err(error) = http(None).serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "somebody was not told");
    }
}
