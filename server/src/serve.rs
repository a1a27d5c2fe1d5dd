//! Running the server, from listening sockets to its shutdown.

use std::{env, future::Future, io, sync::Arc};

use tokio::{net::TcpListener, time::sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    admin::{self, AdminState, AdminToken, serve_operator},
    admission::{Admission, HostName, Origin, SiteNames, pools::Capacity},
    api::authorization::ApiAccess,
    cluster::ClusterMember,
    config::Config,
    http::{
        app_state::AppState, assets::Site, documents::Documents, first_rows::FirstRowsCache,
        name_check::NameCheck, offload::Offload, rejected_request, router,
        security_headers::HeaderPolicy,
    },
    identity::person_cookie::PersonCookies,
    lifecycle::{graceful_shutdown::Drain, machine::this_machine, systemd::Systemd},
    listener::{Acceptor, machine_name, serve_connections, tls::Tls},
    room_access::RoomAccess,
    rooms_backend::{RoomsBackend, run_maintenance},
    url::Scheme,
    webhooks,
    websocket::connection::ConnectionConfig,
};
use registry::encoding::server_build::announce_build;

/// What the process has before it serves: the listening sockets, and what belongs to them.
#[derive(Debug)]
pub struct Resources {
    /// For visitors.
    pub public: TcpListener,
    /// TLS for visitors; none where a proxy does it, or plain HTTP is spoken.
    pub tls: Option<Tls>,
    /// For the operator, with the token; none where the admin interface is disabled.
    pub operator: Option<(TcpListener, AdminToken)>,
    /// The service manager to notify.
    pub systemd: Systemd,
    /// The cluster that this server takes part in, which keeps the rooms; none for a server alone.
    pub cluster: Option<ClusterMember>,
}

impl From<TcpListener> for Resources {
    fn from(public: TcpListener) -> Self {
        Self { public, tls: None, operator: None, systemd: Systemd::default(), cluster: None }
    }
}

/// Serves until `signal` is ready; then closes every socket with 1012, and waits for them up to a deadline.
///
/// The caller provides sockets and signal, so that a test can use a free port and stop the server.
pub async fn serve(
    resources: impl Into<Resources>,
    config: Config,
    cookies: PersonCookies,
    connection: ConnectionConfig,
    signal: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let Resources { public: listener, tls, operator, systemd, cluster } = resources.into();
    // Leptos would set its executor up when it generates routes, which this server does not use.
    if any_spawner::Executor::init_tokio().is_err() {
        tracing::debug!("Leptos' executor was set up already");
    }
    let machine = this_machine();
    let hub_limits = config.hub_limits(machine);
    let site = Site::new(config.site_root.as_deref());
    let asset_urls = site.asset_urls(&config.leptos);
    announce_build(&asset_urls.build);
    asset_urls.install();
    let spoken = if tls.is_some() { Scheme::Https } else { Scheme::Http };
    let header_policy = header_policy(&config);
    let public_url = config.public_url;
    let connection = ConnectionConfig { frames: config.admission.frame_limits(), ..connection };
    let public_origin = public_url.as_ref().map(|url| url.origin.clone());
    let name_check = Arc::new(name_check(config.hosts, public_origin.as_ref()));
    let policy = config.admission.into_policy(public_origin, spoken).capped_by(machine);
    let (backend, hub) = RoomsBackend::start(cluster, &config.state_directory, hub_limits);
    let capacity = Capacity { policy: &policy, hub: hub.limits() };
    tracing::info!(%capacity, "what this server can hold");
    let readiness = backend.readiness();
    let admission = Admission::new(policy);
    // The address is known already: what takes files comes as early as it can.
    let acceptor = Acceptor::start(listener, admission.policy().files.waiting)?;
    let offload = Offload::start()?;
    let webhooks: Vec<_> = config.webhooks.into_iter().map(|settings| settings.webhook).collect();
    let cookies = Arc::new(cookies);
    let state = AppState {
        first_rows: FirstRowsCache::new(offload.clone()),
        documents: Documents::new(offload.clone()),
        offload,
        hub: Arc::clone(&hub),
        access: Arc::new(RoomAccess::new(config.rooms, config.token_keys, Arc::clone(&cookies))),
        cookies,
        names_passed_on: webhooks::names_passed_on(&webhooks),
        api: Arc::new(ApiAccess::of_state_directory(&config.state_directory)),
        leptos: config.leptos,
        site,
        header_policy,
        admission: Arc::clone(&admission),
        public_url,
        name_check: Arc::clone(&name_check),
        origin_warning: Arc::default(),
        secret_warning: Arc::default(),
        spoken,
        connection: Arc::new(connection),
        socketio: config.socketio.transports(),
        drain: Drain::new(config.drain),
    };
    let drain = state.drain.clone();
    let closing = drain.closing();
    webhooks::start(&webhooks, &hub, closing.clone());
    let started_hub = Arc::clone(&hub);
    // It is served to the very end, as `/readyz` reports the shutdown.
    let _operator = operator.map(|(listener, token)| {
        let (hub, drain) = (Arc::clone(&hub), drain.clone());
        let admission = Arc::clone(&admission);
        let most = admission.policy().files.operator;
        let state = AdminState { hub, drain, admission, readiness };
        let routes = admin::router(state, token, name_check);
        AbortOnDropHandle::new(tokio::spawn(serve_operator(listener, routes, most)))
    });
    tokio::spawn(run_maintenance(Arc::clone(&hub), Arc::clone(&admission), closing.clone()));
    let saving = tokio::spawn(backend.saving(Arc::clone(&hub), closing.clone()));
    let systemd = Arc::new(systemd);
    let shutdown_task = tokio::spawn({
        let systemd = Arc::clone(&systemd);
        let drain = drain.clone();
        async move {
            let mut backend = backend;
            let ended = backend.until_it_ends(signal).await;
            systemd.stopping();
            tracing::info!(sockets = drain.sockets(), "shutting down");
            drain.begin_drain().await;
            backend.close(&hub, &drain, saving).await;
            ended
        }
    });
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
    match shutdown_task.await.map_err(io::Error::other)? {
        None => Ok(()),
        Some(error) => Err(io::Error::other(error)),
    }
}

/// The names of the site: those that the operator gave, that of `public-url`, and the machine's own.
fn name_check(hosts: Vec<HostName>, public_origin: Option<&Origin>) -> NameCheck {
    let public_name = public_origin.and_then(Origin::host_name);
    NameCheck::new(SiteNames::new(hosts.into_iter().chain(public_name).chain(machine_name())))
}

fn header_policy(config: &Config) -> HeaderPolicy {
    let public_url = config.public_url.as_ref();
    HeaderPolicy {
        // Browsers remember it for a year and for the whole host: only if the operator says that the site has HTTPS
        // and the host.
        sends_hsts: public_url
            .is_some_and(|url| url.origin.is_https() && url.base_path.as_str().is_empty()),
        // Set by cargo-leptos, and read by Leptos when it renders the page.
        reload_port: env::var_os("LEPTOS_WATCH").map(|_| config.leptos.reload_port),
    }
}
