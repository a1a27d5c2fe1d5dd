//! The operator's connections: few, with time limits of their own, in files that visitors can't take.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
    time::sleep,
};
use tower::ServiceExt;

use crate::admission::Pace;
use crate::listener::{BareLineFeeds, HeadLimit, WriteTimeout, bound_send_buffers};

/// For a request to arrive, for a connection to be idle, and for the operator to read some of an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Pause after the system could not accept a connection.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// What a request's handler knows of its connection.
#[derive(Clone, Debug)]
pub(crate) struct OperatorConnection {
    pub(super) peer: IpAddr,
    pub(super) bare_line_feeds: BareLineFeeds,
}

/// Answers the operator, over at most so many connections. It never ends.
pub(crate) async fn serve_operator(listener: TcpListener, routes: Router, most: usize) {
    bound_send_buffers(&listener);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(TIMEOUT);
    let (mut tasks, mut open) = (JoinSet::new(), OpenConnections::new(most));
    // One for all addresses: whoever asks here is the operator, or should not.
    let pace = Arc::new(Pace::default());
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection of the operator can't be accepted");
                sleep(PAUSE_AFTER_ERROR).await;
                continue;
            }
        };
        while tasks.try_join_next().is_some() {}
        // Else a thousand connections that ask for nothing would lock the operator out.
        if !open.make_room() {
            continue;
        }
        let is_answering = Arc::new(AtomicBool::new(false));
        let answering = (Arc::clone(&is_answering), Arc::clone(&pace));
        let served = serve(http.clone(), stream, peer, routes.clone(), answering);
        open.add(Open { task: tasks.spawn(served), is_answering });
    }
}

/// The open connections, the oldest first.
#[derive(Debug)]
struct OpenConnections {
    open: VecDeque<Open>,
    most: usize,
}

#[derive(Debug)]
struct Open {
    task: AbortHandle,
    is_answering: Arc<AtomicBool>,
}

impl OpenConnections {
    fn new(most: usize) -> Self {
        Self { open: VecDeque::new(), most: most.max(1) }
    }

    /// Ends the oldest connection that waits for a request, if there are as many as may be. None is ended while a
    /// request is answered: then there is no room.
    fn make_room(&mut self) -> bool {
        self.open.retain(|open| !open.task.is_finished());
        if self.open.len() < self.most {
            return true;
        }
        let idle = self.open.iter().position(|open| !open.is_answering.load(Ordering::Relaxed));
        let oldest = idle.and_then(|place| self.open.remove(place));
        if let Some(oldest) = &oldest {
            oldest.task.abort();
        }
        oldest.is_some()
    }

    fn add(&mut self, open: Open) {
        self.open.push_back(open);
    }
}

async fn serve(
    http: http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    (is_answering, pace): (Arc<AtomicBool>, Arc<Pace>),
) {
    let stream = HeadLimit::new(stream);
    let connection =
        OperatorConnection { peer: peer.ip(), bare_line_feeds: stream.bare_line_feeds() };
    let service = service_fn(async |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(connection.clone()));
        // Before it counts as answering: those that wait here give way to a new connection.
        pace.begin().await;
        is_answering.store(true, Ordering::Relaxed);
        let response = routes.clone().oneshot(request).await;
        is_answering.store(false, Ordering::Relaxed);
        response
    });
    let stream = WriteTimeout::new(stream, Some(TIMEOUT));
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection of the operator failed");
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, sync::atomic::AtomicUsize};

    use axum::routing::get;
    use tokio::{task::yield_now, time::timeout};

    use super::*;
    use crate::processor_time::cores;

    /// Else a page's every step would wait for an answer to each connection of somebody who asks without a token.
    #[tokio::test]
    async fn tasks_of_visitors_run_between_requests_to_the_operator() {
        const REQUESTS: usize = 50;
        let begun = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&begun);
        let routes = Router::new().route(
            "/",
            get(async move || {
                count.fetch_add(1, Ordering::Relaxed);
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clients: Vec<_> = (0..REQUESTS)
            .map(|_| {
                let mut client = std::net::TcpStream::connect(address).unwrap();
                client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
                client
            })
            .collect();
        let serving = tokio::spawn(serve_operator(listener, routes, REQUESTS));
        let (mut before, mut most) = (0, 0);
        let all_begin = async {
            while before < REQUESTS {
                yield_now().await;
                let now = begun.load(Ordering::Relaxed);
                (before, most) = (now, most.max(now - before));
            }
        };
        timeout(Duration::from_mins(1), all_begin).await.unwrap();
        assert!(most <= 2 * cores(), "{most} began");
        serving.abort();
        drop(clients);
    }

    fn add(open: &mut OpenConnections, tasks: &mut JoinSet<()>, is_answering: bool) -> AbortHandle {
        let task = tasks.spawn(std::future::pending());
        let is_answering = Arc::new(AtomicBool::new(is_answering));
        open.add(Open { task: task.clone(), is_answering });
        task
    }

    #[tokio::test]
    async fn oldest_idle_connection_makes_room() {
        let (mut tasks, mut open) = (JoinSet::new(), OpenConnections::new(3));
        let _answering = add(&mut open, &mut tasks, true);
        let idle = add(&mut open, &mut tasks, false);
        let _newer = add(&mut open, &mut tasks, false);
        assert!(open.make_room());
        assert!(tasks.join_next().await.unwrap().unwrap_err().is_cancelled());
        assert!(idle.is_finished());
        // One that has ended by itself is as good.
        assert!(open.make_room());
        assert_eq!(open.open.len(), 2);
    }

    #[tokio::test]
    async fn no_connection_is_ended_while_it_is_answered() {
        let (mut tasks, mut open) = (JoinSet::new(), OpenConnections::new(2));
        for _ in 0..2 {
            add(&mut open, &mut tasks, true);
        }
        assert!(!open.make_room());
    }
}
