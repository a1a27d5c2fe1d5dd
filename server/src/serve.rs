//! From a listening socket to a served page, until a signal comes.

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use axum::serve::ListenerExt;
use tokio::{
    net::{TcpListener, TcpSocket},
    time::{sleep, timeout},
};

use crate::{
    app_state::AppState, config::Config, connection::ConnectionConfig, hub::Hub, person::Persons,
    routes, shutdown,
};

/// How many connections may wait to be accepted: by default it is 128,
/// and then a thousand who come back at once wait for seconds.
const BACKLOG: u32 = 4096;

/// Listens on an address; port 0 takes a free one.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the old connections to time out.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `signal` is ready; then every socket is closed with 1012, and waited for within bounds.
///
/// The caller owns the listening socket and the signal, so that a test can take a free port and stop it.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    persons: Persons,
    connection: ConnectionConfig,
    signal: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // Leptos finds its executor by routes, and this page needs none.
    if any_spawner::Executor::init_tokio().is_err() {
        tracing::debug!("the executor was there already");
    }
    let state = AppState {
        hub: Hub::new(config.room_limits),
        persons: Arc::new(persons),
        leptos: config.leptos,
        connection,
        shutdown: shutdown::Shutdown::default(),
    };
    let shutdown = state.shutdown.clone();
    let hub = Arc::clone(&state.hub);
    let closing = shutdown.closing();
    tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            signal.await;
            hub.freeze();
            shutdown.begin();
        }
    });
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "nodelay could not be set");
        }
    });
    let requests = axum::serve(listener, routes::router(state))
        .with_graceful_shutdown(closing.clone().cancelled_owned());
    // A request that is never finished must not hold up the end.
    let overdue = async {
        closing.cancelled().await;
        sleep(shutdown::DEADLINE).await;
    };
    tokio::select! {
        served = requests => served?,
        () = overdue => tracing::warn!("some requests did not end in time"),
    }
    if timeout(shutdown::DEADLINE, shutdown.sockets_ended()).await.is_err() {
        tracing::warn!("some sockets did not say goodbye in time");
    }
    Ok(())
}
