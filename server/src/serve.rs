//! Running the server, from listening sockets to its shutdown.

use std::{
    env,
    future::{Future, IntoFuture},
    io,
    sync::Arc,
    time::Duration,
};

use tokio::{net::TcpListener, task::spawn_blocking, time::sleep};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    admin::{self, AdminState, AdminToken},
    admission::Admission,
    config::Config,
    http::{
        app_state::AppState, assets::Site, rejected_request, router, security_headers::HeaderPolicy,
    },
    identity::person_cookie::PersonCookies,
    lifecycle::{graceful_shutdown::Drain, systemd::Systemd},
    listener::{Acceptor, serve_connections, tcp, tls::Tls},
    storage::rooms_file::RoomsFile,
    telemetry::metrics::METRICS,
    url::Scheme,
    websocket::connection::ConnectionConfig,
};
use registry::{
    encoding::server_build::announce_build,
    hub::{Hub, SavedRooms},
};

/// How often memory of ended rooms and clients is freed, and the rooms file is written.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(5);

/// The listening sockets, and what belongs to them.
#[derive(Debug)]
pub struct Listeners {
    /// For visitors.
    pub public: TcpListener,
    /// TLS for visitors; none where a proxy does it, or plain HTTP is spoken.
    pub tls: Option<Tls>,
    /// For the operator, with the token; none where the admin interface is disabled.
    pub operator: Option<(TcpListener, AdminToken)>,
    /// The service manager to notify.
    pub systemd: Systemd,
}

impl From<TcpListener> for Listeners {
    fn from(public: TcpListener) -> Self {
        Self { public, tls: None, operator: None, systemd: Systemd::default() }
    }
}

/// Serves until `signal` is ready; then closes every socket with 1012, and waits for them up to a deadline.
///
/// The caller provides sockets and signal, so that a test can use a free port and stop the server.
pub async fn serve(
    listeners: impl Into<Listeners>,
    config: Config,
    cookies: PersonCookies,
    connection: ConnectionConfig,
    signal: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let Listeners { public: listener, tls, operator, systemd } = listeners.into();
    // Leptos would set its executor up when it generates routes, which this server does not use.
    if any_spawner::Executor::init_tokio().is_err() {
        tracing::debug!("Leptos' executor was set up already");
    }
    let rooms_file = RoomsFile::in_directory(&config.state_directory);
    // Removed before the first visitor is served, so that no process restores them twice.
    let hub = match rooms_file.load_and_remove() {
        Some(saved) => Hub::restore(config.room_limits, saved),
        None => Hub::new(config.room_limits),
    };
    let site = Site::new(config.site_root.as_deref());
    let asset_urls = site.asset_urls(&config.leptos);
    announce_build(&asset_urls.build);
    asset_urls.install();
    let spoken = if tls.is_some() { Scheme::Https } else { Scheme::Http };
    // Browsers remember it for a year and for the whole host: only if the operator says that the site has HTTPS and
    // the host.
    let sends_hsts = config
        .public_url
        .as_ref()
        .is_some_and(|url| url.origin.is_https() && url.base_path.as_str().is_empty());
    let public_url = config.public_url;
    let connection = ConnectionConfig { frames: config.admission.frame_limits(), ..connection };
    let public_origin = public_url.as_ref().map(|url| url.origin.clone());
    let policy = config.admission.into_policy(public_origin, spoken);
    let admission = Admission::new(policy.capped_by(tcp::open_files_limit()));
    let header_policy = HeaderPolicy {
        sends_hsts,
        // Set by cargo-leptos, and read by Leptos when it renders the page.
        reload_port: env::var_os("LEPTOS_WATCH").map(|_| config.leptos.reload_port),
    };
    let state = AppState {
        hub: Arc::clone(&hub),
        cookies: Arc::new(cookies),
        leptos: config.leptos,
        site,
        header_policy,
        admission: Arc::clone(&admission),
        public_url,
        origin_warning: Arc::default(),
        spoken,
        connection,
        drain: Drain::new(config.drain),
    };
    let drain = state.drain.clone();
    let closing = drain.closing();
    let started_hub = Arc::clone(&hub);
    // It is served to the very end, as `/readyz` reports the shutdown.
    let _operator = operator.map(|(listener, token)| {
        let state = AdminState { hub: Arc::clone(&hub), drain: drain.clone() };
        let served = axum::serve(listener, admin::router(state, token));
        AbortOnDropHandle::new(tokio::spawn(served.into_future()))
    });
    let maintenance = tokio::spawn(run_maintenance(
        Arc::clone(&hub),
        Arc::clone(&admission),
        rooms_file.clone(),
        closing.clone(),
    ));
    let systemd = Arc::new(systemd);
    let shutdown_task = tokio::spawn({
        let systemd = Arc::clone(&systemd);
        let drain = drain.clone();
        async move {
            signal.await;
            systemd.stopping();
            tracing::info!(sockets = drain.sockets(), "shutting down");
            drain.begin_drain().await;
            let saved = hub.freeze();
            drain.close_all();
            // An earlier state must not be written after this one.
            let _ = maintenance.await;
            write(rooms_file, saved).await
        }
    });
    let acceptor = Acceptor::start(listener)?;
    let routes = router::router(state);
    let rejected = rejected_request::answer;
    let requests = serve_connections(acceptor, tls, admission, routes, rejected, closing.clone());
    let all_ended = async {
        requests.await;
        drain.sockets_ended().await;
    };
    // A request that never finishes must not delay the exit.
    let overdue = async {
        closing.cancelled().await;
        sleep(drain.deadline()).await;
    };
    // From now on restored rows wait for their clients to reconnect.
    started_hub.start_clock();
    systemd.ready();
    tokio::select! {
        () = all_ended => {}
        () = overdue => tracing::warn!(sockets = drain.sockets(), "deadline passed with open sockets or requests"),
    }
    if shutdown_task.await.map_err(io::Error::other)? {
        tracing::info!("rooms saved for the next process");
    } else {
        tracing::error!(
            "the rooms were not saved: the next process starts with those of the last save, if there is one"
        );
    }
    Ok(())
}

/// Frees memory and saves the rooms at intervals, until the server shuts down.
async fn run_maintenance(
    hub: Arc<Hub>,
    admission: Arc<Admission>,
    rooms_file: RoomsFile,
    closing: CancellationToken,
) {
    let mut last_written = None;
    while closing.run_until_cancelled(sleep(MAINTENANCE_INTERVAL)).await.is_some() {
        hub.sweep();
        admission.sweep();
        let saved = hub.save();
        // What could not be written is tried again, as a disk may have room again.
        if last_written.as_ref() != Some(&saved) && write(rooms_file.clone(), saved.clone()).await {
            last_written = Some(saved);
        }
    }
}

/// Whether the rooms file was written.
async fn write(rooms_file: RoomsFile, saved: SavedRooms) -> bool {
    let outcome = spawn_blocking(move || rooms_file.write(&saved)).await;
    METRICS.state_writes.count();
    match outcome.map_err(io::Error::other).and_then(|written| written) {
        Ok(()) => true,
        Err(error) => {
            METRICS.state_write_failures.count();
            tracing::warn!(%error, "the rooms file can't be written: a restart would lose the rooms");
            false
        }
    }
}
