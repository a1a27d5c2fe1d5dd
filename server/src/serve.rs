//! From a listening socket to a served page, until a signal comes.

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
    admission::{Admission, Origin},
    config::Config,
    http::{app_state::AppState, assets::Site, router, security_headers::HeaderPolicy},
    identity::person_cookie::PersonCookies,
    lifecycle::{drain::Drain, systemd::Systemd},
    listener::{Acceptor, serve_connections, tcp, tls::Tls},
    storage::rooms_file::RoomsFile,
    telemetry::metrics::METRICS,
    url::Scheme,
    websocket::connection::ConnectionConfig,
};
use registry::hub::{Hub, SavedRooms};

/// How often rooms that are over are forgotten, and the others are kept for the process after this one.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(5);

/// Where the server listens.
#[derive(Debug)]
pub struct Listeners {
    /// For everybody.
    pub public: TcpListener,
    /// What is spoken there below HTTP; none where a proxy speaks it, or nobody.
    pub tls: Option<Tls>,
    /// For the operator, with what proves them; none where nobody is to be one.
    pub operator: Option<(TcpListener, AdminToken)>,
    /// Who waits to hear that they are listened to.
    pub systemd: Systemd,
}

impl From<TcpListener> for Listeners {
    fn from(public: TcpListener) -> Self {
        Self { public, tls: None, operator: None, systemd: Systemd::default() }
    }
}

/// Serves until `signal` is ready; then every socket is closed with 1012, and waited for within bounds.
///
/// The caller owns the listening sockets and the signal, so that a test can take a free port and stop it.
pub async fn serve(
    listeners: impl Into<Listeners>,
    config: Config,
    cookies: PersonCookies,
    connection: ConnectionConfig,
    signal: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let Listeners { public: listener, tls, operator, systemd } = listeners.into();
    // Leptos finds its executor by routes, and this page needs none.
    if any_spawner::Executor::init_tokio().is_err() {
        tracing::debug!("the executor was there already");
    }
    let rooms_file = RoomsFile::in_directory(&config.state_directory);
    // Taken away before anybody is served, so that no process takes them twice.
    let hub = match rooms_file.load_and_remove() {
        Some(saved) => Hub::restore(config.room_limits, saved),
        None => Hub::new(config.room_limits),
    };
    let site = Site::new(config.site_root.as_deref());
    site.asset_urls(&config.leptos).install();
    let spoken = if tls.is_some() { Scheme::Https } else { Scheme::Http };
    // Only where the operator says so: what browsers once know they do not forget for a year.
    let is_https = config.public_url.as_ref().is_some_and(Origin::is_https);
    let public_url = config.public_url.as_ref().map(|origin| origin.to_string().into());
    let connection = ConnectionConfig { frames: config.admission.frame_limits(), ..connection };
    let rules = config.admission.into_config(config.public_url, spoken);
    let admission = Admission::new(rules.respecting(tcp::open_files_limit()));
    let header_policy = HeaderPolicy {
        is_https,
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
        spoken,
        connection,
        drain: Drain::new(config.drain),
    };
    let drain = state.drain.clone();
    let closing = drain.closing();
    let ready = Arc::clone(&hub);
    // Until the very end: that the server goes down is told there too.
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
            tracing::info!(sockets = drain.sockets(), "going down");
            drain.begin_drain().await;
            let saved = hub.freeze();
            drain.close_all();
            // What was written on the way must not come after this.
            let _ = maintenance.await;
            write(rooms_file, saved).await;
        }
    });
    let acceptor = Acceptor::start(listener)?;
    let requests =
        serve_connections(acceptor, tls, admission, router::router(state), closing.clone());
    let all_ended = async {
        requests.await;
        drain.sockets_ended().await;
    };
    // A request that is never finished must not hold up the end.
    let overdue = async {
        closing.cancelled().await;
        sleep(drain.deadline()).await;
    };
    // All is there but the first visitor: from now on rows are held for those who come back.
    ready.start_clock();
    systemd.ready();
    tokio::select! {
        () = all_ended => {}
        () = overdue => tracing::warn!(sockets = drain.sockets(), "not everybody ended in time"),
    }
    shutdown_task.await.map_err(io::Error::other)?;
    tracing::info!("the rooms are kept for the next process");
    Ok(())
}

/// What has to be done now and then, until the server goes down.
async fn run_maintenance(
    hub: Arc<Hub>,
    admission: Arc<Admission>,
    rooms_file: RoomsFile,
    closing: CancellationToken,
) {
    let mut kept = None;
    while closing.run_until_cancelled(sleep(MAINTENANCE_INTERVAL)).await.is_some() {
        hub.sweep();
        admission.sweep();
        let saved = hub.save();
        if kept.as_ref() != Some(&saved) {
            kept = Some(saved.clone());
            write(rooms_file.clone(), saved).await;
        }
    }
}

async fn write(rooms_file: RoomsFile, saved: SavedRooms) {
    let written = spawn_blocking(move || rooms_file.write(&saved)).await;
    METRICS.state_writes.count();
    if let Err(error) = written.map_err(io::Error::other).and_then(|written| written) {
        METRICS.state_write_failures.count();
        tracing::warn!(%error, "the rooms can't be kept for a restart");
    }
}
