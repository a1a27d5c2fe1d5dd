//! HTTP connections: from an accepted stream to requests.

use std::{future::poll_fn, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Request, Uri, header},
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
    Acceptor, BareLineFeed, HeadLimit, InFlight, PlainStream, WriteTimeout,
    head_limit::LONGEST_HEAD_IN_BYTES,
    https_redirect::https_redirect,
    in_flight::SystemBuffer,
    tls::{Accepted, Tls},
};
use crate::{
    admission::{Account, Admission, Bill, ConnectionPermit, PeerAddr, Rejection},
    telemetry::metrics::METRICS,
};

/// The maximum size of hyper's buffers: longer than any head that reaches it.
const MAX_BUFFER_IN_BYTES: usize = LONGEST_HEAD_IN_BYTES + 16 * 1024;

/// Time limit for answering a rejected or redirected connection.
const SHORT_ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// What answers a request whose connection was rejected.
type AnswerRejected = fn(Rejection, &Uri, &HeaderMap) -> Response;

/// Serves connections until the server shuts down, and then waits for requests in progress.
///
/// `axum::serve` does not suffice: it waits forever for a request that never comes (hyper's time limit needs
/// a timer, which it does not set), and it does not count connections.
pub(crate) async fn serve_connections(
    mut acceptor: Acceptor,
    tls: Option<Tls>,
    admission: Arc<Admission>,
    router: Router,
    answer_rejected: AnswerRejected,
    closing: CancellationToken,
) {
    let connections = TaskTracker::new();
    let handler = Arc::new(Handler::new(tls, admission, router, answer_rejected, closing.clone()));
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

/// What is needed to serve a connection.
struct Handler {
    /// None where plain HTTP is spoken.
    tls: Option<Tls>,
    admission: Arc<Admission>,
    router: Router,
    answer_rejected: AnswerRejected,
    http: http1::Builder,
    closing: CancellationToken,
    /// For the rejected connections that are answered at a time; further ones are dropped unanswered.
    rejection_slots: Arc<Semaphore>,
}

impl Handler {
    fn new(
        tls: Option<Tls>,
        admission: Arc<Admission>,
        router: Router,
        answer_rejected: AnswerRejected,
        closing: CancellationToken,
    ) -> Self {
        let http = http(admission.policy().timeouts.request_timeout);
        let rejection_slots = Arc::new(Semaphore::new(admission.policy().files.rejected));
        Self { tls, admission, router, answer_rejected, http, closing, rejection_slots }
    }

    fn accept_connection(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: IpAddr,
        connections: &TaskTracker,
    ) {
        match (self.admission.connection(peer), &self.tls) {
            (Ok(permit), None) => {
                connections.spawn(self.serve(PlainStream::new(stream), peer, permit));
            }
            (Ok(permit), Some(tls)) => {
                let account = permit.account();
                // A handshake costs more than many answers, so over its budget an address gets none, not even to be
                // told so. Its open connections get 429.
                if let Err(rejection) = account.as_ref().map_or(Ok(()), Account::check) {
                    METRICS.rejected(rejection.limit());
                    return;
                }
                let served = Arc::clone(self).serve_tls(tls.clone(), stream, peer, permit, account);
                connections.spawn(served);
            }
            (Err(rejection), tls) => {
                METRICS.rejected(rejection.limit());
                // A flood of rejected connections must not keep the server busy.
                if let Ok(slot) = Arc::clone(&self.rejection_slots).try_acquire_owned() {
                    let tls = tls.clone();
                    let answer_rejected = self.answer_rejected;
                    let respond = move |request: &Request<Incoming>| {
                        answer_rejected(rejection, request.uri(), request.headers())
                    };
                    tokio::spawn(async move {
                        let _ =
                            timeout(SHORT_ANSWER_TIMEOUT, respond_rejected(tls, stream, respond))
                                .await;
                        drop(slot);
                    });
                }
            }
        }
    }

    /// Does the TLS handshake first. The request timeout applies to it, the connection counts meanwhile, and the account
    /// pays for it.
    async fn serve_tls(
        self: Arc<Self>,
        tls: Tls,
        stream: TcpStream,
        peer: IpAddr,
        permit: ConnectionPermit,
        account: Option<Account>,
    ) {
        let mut bill = account.map(Bill::new);
        let handshake = async {
            let mut accepted = pin!(tls.accept(stream));
            let accepted = poll_fn(|context| match &mut bill {
                Some(bill) => bill.measure(|| accepted.as_mut().poll(context)),
                None => accepted.as_mut().poll(context),
            });
            match self.admission.policy().timeouts.request_timeout {
                Some(limit) => timeout(limit, accepted).await?,
                None => accepted.await,
            }
        };
        let accepted = self.closing.run_until_cancelled(handshake).await;
        drop(bill);
        match accepted {
            Some(Ok(Accepted::Tls(stream))) => self.serve(*stream, peer, permit).await,
            Some(Ok(Accepted::Plain(stream))) => {
                let _ = timeout(SHORT_ANSWER_TIMEOUT, answer(stream, https_redirect)).await;
                drop(permit);
            }
            Some(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
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
        S: SystemBuffer + AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let router = self.router.clone();
        let stream = HeadLimit::new(InFlight::new(stream, permit.flight()));
        let bare_line_feeds = stream.bare_line_feeds();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(PeerAddr(peer));
            if bare_line_feeds.were_read() {
                request.extensions_mut().insert(BareLineFeed);
            }
            router.clone().oneshot(request)
        });
        let stream = WriteTimeout::new(stream, self.admission.policy().timeouts.write_timeout);
        let mut connection =
            Box::pin(self.http.serve_connection(TokioIo::new(stream), service).with_upgrades());
        let closing = self.closing.clone();
        async move {
            let outcome = select! {
                outcome = connection.as_mut() => outcome,
                () = closing.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = outcome {
                tracing::debug!(%error, "connection failed");
            }
            drop(permit);
        }
    }
}

fn http(request_timeout: Option<Duration>) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(request_timeout)
        .max_buf_size(MAX_BUFFER_IN_BYTES);
    http
}

/// Answers a rejected connection, over TLS where that is spoken.
async fn respond_rejected(
    tls: Option<Tls>,
    stream: TcpStream,
    respond: impl Fn(&Request<Incoming>) -> Response,
) {
    match tls {
        None => answer(stream, respond).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(Accepted::Tls(stream)) => answer(stream, respond).await,
            Ok(Accepted::Plain(stream)) => answer(stream, respond).await,
            Err(error) => tracing::debug!(%error, "TLS handshake failed"),
        },
    }
}

/// Reads one request, as a response before it could be discarded, answers it and closes the connection.
async fn answer<S>(stream: S, respond: impl Fn(&Request<Incoming>) -> Response)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(async |request: Request<Incoming>| {
        let mut response = respond(&request);
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        Ok::<_, std::convert::Infallible>(response)
    });
    if let Err(error) = http(None).serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "could not answer a rejected connection");
    }
}
