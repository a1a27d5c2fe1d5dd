//! The accept loop: from a listening socket to requests.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, header},
    response::IntoResponse,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, select, sync::Semaphore, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{Acceptor, ConnectionPass, Door, Patient, TurnedAway};

/// The most that is kept of a request's head; by default it is 400 KiB.
const LONGEST_HEAD_IN_BYTES: usize = 16 * 1024;

/// How many at a time are told that there is no room; who comes besides is not even told.
const MOST_TURNED_AWAY_AT_ONCE: usize = 64;

/// How long telling them may take.
const TURNED_AWAY_WITHIN: Duration = Duration::from_secs(2);

/// The other end of a request's connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Accepts connections and answers what they ask until the server goes down,
/// and then waits for those that are being answered.
///
/// axum's own loop waits for ever for a request that never comes (hyper's time limit needs a timer that it
/// does not set), and counts nobody.
pub(crate) async fn let_in(
    mut acceptor: Acceptor,
    door: Arc<Door>,
    router: Router,
    closing: CancellationToken,
) {
    let connections = TaskTracker::new();
    let reception = Reception::new(door, router, closing.clone());
    loop {
        let (stream, peer) = select! {
            biased;
            () = closing.cancelled() => break,
            accepted = acceptor.accept() => accepted,
        };
        reception.receive(stream, peer.ip(), &connections);
    }
    drop(acceptor);
    connections.close();
    connections.wait().await;
}

/// What every connection is received with.
struct Reception {
    door: Arc<Door>,
    router: Router,
    http: http1::Builder,
    closing: CancellationToken,
    turning_away: Arc<Semaphore>,
}

impl Reception {
    fn new(door: Arc<Door>, router: Router, closing: CancellationToken) -> Self {
        let http = http(door.config().patience.request_within);
        let turning_away = Arc::new(Semaphore::new(MOST_TURNED_AWAY_AT_ONCE));
        Self { door, router, http, closing, turning_away }
    }

    fn receive(&self, stream: TcpStream, peer: IpAddr, connections: &TaskTracker) {
        match self.door.connection(peer) {
            Ok(pass) => {
                connections.spawn(self.serve(stream, peer, pass));
            }
            Err(turned_away) => {
                // Nobody may make the server busy by being turned away.
                if let Ok(permit) = Arc::clone(&self.turning_away).try_acquire_owned() {
                    tokio::spawn(async move {
                        turn_away(stream, turned_away).await;
                        drop(permit);
                    });
                }
            }
        }
    }

    fn serve(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        pass: ConnectionPass,
    ) -> impl Future<Output = ()> + use<> {
        let router = self.router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            router.clone().oneshot(request)
        });
        let stream = Patient::new(stream, self.door.config().patience.write_within);
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
            drop(pass);
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

/// Hears what is asked, since an answer before the question may be thrown away, and answers that there
/// is no room.
async fn turn_away(stream: TcpStream, turned_away: TurnedAway) {
    let service = service_fn(async |_: Request<Incoming>| {
        let mut response = turned_away.into_response();
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        Ok::<_, std::convert::Infallible>(response)
    });
    let told = http(None).serve_connection(TokioIo::new(stream), service);
    let _ = timeout(TURNED_AWAY_WITHIN, told).await;
}
