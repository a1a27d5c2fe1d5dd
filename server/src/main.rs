//! The program: command line, settings, log, listening sockets, signals.

use std::{
    env,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use registry::replication::engine::SharedConfig;
use server::{
    admin::{AdminAddr, AdminToken, TokenError},
    api::{
        commands::{self, KeyOutput},
        key_file::{self, KeyFileError},
    },
    cluster::{ClusterMember, ClusterStartError},
    cluster_redis::RedisEngine,
    config::{
        Config, ConfigError,
        cli::{CommandLine, Task},
        docs,
        environment::Environment,
    },
    identity::{
        host_link::{HostLinkError, host_link},
        person_cookie::{KeyError, PersonCookies},
    },
    lifecycle::{
        machine::this_machine,
        signals::{self, Hangup, Hangups, ShutdownSignals},
        systemd::{Systemd, inherited_listener},
    },
    listener::{
        lan_url, tcp,
        tls::{Tls, TlsError, reload_certificate},
    },
    serve::{self, Resources},
    storage::{
        dir_lock::{AlreadyLocked, StateDirectory},
        secret_file::{ExposedError, check_directory},
    },
    telemetry::{background_writer::BackgroundWriter, logging, metrics::METRICS},
    tokens::reload_token_keys,
};
use tokio::{net::TcpListener, sync::oneshot};

/// How long the end waits for the last lines to be written: nobody may read them.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// So many tasks run on a thread before it looks for news of the network and of other threads, while some are always
/// ready. With the default of 61, each step of a page would wait for 61 steps of what others ask for.
const TASKS_BETWEEN_LOOKS: u32 = 16;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .event_interval(TASKS_BETWEEN_LOOKS)
        .global_queue_interval(TASKS_BETWEEN_LOOKS)
        .build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    let status = runtime.block_on(run_task());
    // Without waiting for blocking tasks: a disk may block for ever, and files are written atomically.
    runtime.shutdown_background();
    status
}

/// Does what the program was started for.
async fn run_task() -> ExitCode {
    // Without a thread there can be no server, and nothing can be printed in a way that never waits.
    let Ok(errors) = BackgroundWriter::start(io::stderr(), &METRICS.log_lines_dropped) else {
        return ExitCode::FAILURE;
    };
    let environment = Environment::of_this_process();
    let CommandLine { task, sources } = match CommandLine::parse(env::args_os(), environment) {
        Ok(command_line) => command_line,
        // A request for help is one of these: it prints the help and exits with 0.
        Err(error) => error.exit(),
    };
    let outcome = match (Config::load(sources), task) {
        (Err(error), _) => Err(error.into()),
        (Ok(config), Task::CheckConfig) => {
            for warning in config.warnings() {
                print_line(&errors, &format!("rollcall: warning: {warning}"));
            }
            check(&config).and_then(|()| print_result("The settings are valid."))
        }
        (Ok(mut config), Task::PrintConfig) => print_result(docs::file(&mut config).trim_end()),
        (Ok(config), Task::HostLink(room)) => {
            host_link(&config, &room).map_err(Error::from).and_then(|link| print_result(&link))
        }
        (Ok(config), Task::Key(command)) => commands::run(&config, command)
            .map_err(Error::from)
            .and_then(|KeyOutput { result, note }| {
                if let Some(note) = note {
                    print_line(&errors, note);
                }
                if result.is_empty() { Ok(()) } else { print_result(&result) }
            }),
        (Ok(config), Task::Serve) => {
            logging::init(&config.logs, errors.clone());
            logging::install_panic_hook();
            run(config).await
        }
    };
    if let Err(error) = &outcome {
        // As a sentence: errors can occur before the log is set up.
        print_line(&errors, &format!("rollcall: {error}"));
    }
    errors.flush_within(FLUSH_TIMEOUT);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.exit_code(),
    }
}

/// Why the program fails.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    HostLink(#[from] HostLinkError),
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    #[error(transparent)]
    StateDirectory(#[from] AlreadyLocked),
    #[error(transparent)]
    Exposed(#[from] ExposedError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("Can't listen on {address}: {source}. {}", what_helps(source, flag))]
    Listen { address: SocketAddr, flag: &'static str, source: io::Error },
    #[error(transparent)]
    Cluster(#[from] ClusterStartError),
    #[error("Second signal received: exiting immediately.")]
    Aborted,
    #[error("Can't write to standard output: {0}")]
    Output(io::Error),
    #[error(transparent)]
    Running(#[from] io::Error),
}

impl Error {
    /// As in sysexits.h, so that a service manager knows when a restart is pointless.
    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Config(error) if error.is_usage_error() => 2,
            Self::Keys(error) if error.is_about_the_command() => 1,
            Self::Cluster(error) if error.is_temporary() => 69,
            Self::Config(_)
            | Self::Key(_)
            | Self::HostLink(_)
            | Self::Keys(_)
            | Self::Exposed(_)
            | Self::Token(_)
            | Self::Tls(_)
            | Self::Cluster(_) => 78,
            Self::Listen { .. } | Self::StateDirectory(_) => 69,
            Self::Aborted | Self::Output(_) | Self::Running(_) => 1,
        })
    }
}

/// What to do about an address that can't be listened on.
fn what_helps(error: &io::Error, flag: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "Stop the program that uses it, perhaps another Rollcall, or choose another address with --{flag}."
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!("It is not an address of this machine: choose one that is with --{flag}.")
        }
        io::ErrorKind::PermissionDenied => format!(
            "A port below 1024 may need a privilege: choose another with --{flag}, or let systemd open it."
        ),
        _ => format!("Choose another address with --{flag}."),
    }
}

/// Whether a start would succeed, as far as can be known without one: a restart must not fail after a check.
fn check(config: &Config) -> Result<(), Error> {
    check_directory(&config.state_directory)?;
    match &config.person_key_file {
        Some(path) => drop(PersonCookies::from_key_file(path, config.cookie_scope())?),
        None => PersonCookies::check_state_directory(&config.state_directory)?,
    }
    if config.operator_address.address().is_some() {
        match AdminToken::check_state_directory(&config.state_directory) {
            Err(TokenError::File { .. }) if config.operator_address == AdminAddr::Default => {}
            checked => checked?,
        }
    }
    key_file::read(&config.state_directory)?;
    config.tls.files().map(Tls::load).transpose()?;
    if let Some(cluster) = config.cluster() {
        // Its files alone: nothing is connected to.
        RedisEngine::new(&cluster.engine).map_err(ClusterStartError::from)?;
    }
    let operator = config.operator_address.address().map(|address| (address, "operator-addr"));
    for (address, flag) in [(config.leptos.site_addr, "addr")].into_iter().chain(operator) {
        // On a free port, as a server that runs has the right one.
        match tcp::listen(SocketAddr::new(address.ip(), 0)) {
            Err(source) if source.kind() == io::ErrorKind::AddrNotAvailable => {
                return Err(Error::Listen { address, flag, source });
            }
            _ => {}
        }
    }
    Ok(())
}

async fn run(config: Config) -> Result<(), Error> {
    let mut hangups = Hangups::listen()?;
    signals::ignore_others()?;
    if let Some(open_files) = tcp::raise_open_files_limit() {
        tracing::debug!(open_files, "limit of open files");
    }
    check_directory(&config.state_directory)?;
    // Held from before the first read to after the last write.
    let _state_directory = StateDirectory::lock(&config.state_directory).await?;
    let scope = config.cookie_scope();
    let cookies = match &config.person_key_file {
        Some(path) => PersonCookies::from_key_file(path, scope)?,
        None => PersonCookies::from_state_directory(&config.state_directory, scope)?,
    };
    // They are read anew while the server runs, but a wrong file is better found now.
    key_file::read(&config.state_directory)?;
    let tls = config.tls.files().map(Tls::load).transpose()?;
    let listener = match inherited_listener()? {
        Some(listener) => {
            let (set, default) = (config.leptos.site_addr, Config::default().leptos.site_addr);
            if set != default && listener.local_addr()? != set {
                tracing::warn!(
                    "systemd passed the listening socket, so --addr has no effect: change ListenStream in the socket's unit"
                );
            }
            listener
        }
        None => listen(config.leptos.site_addr, "addr")?,
    };
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let cluster = join_cluster(&config, &cookies).await?;
    // Before the address is printed, so that an immediate signal shuts the server down gracefully.
    let mut signals = ShutdownSignals::listen()?;
    let (begin, has_begun) = oneshot::channel();
    // One after the other: two that wait side by side could take two signals for one, if they arrive before the
    // second is looked at.
    let second_signal = async move {
        signals.next().await;
        // It fails where the shutdown has begun already.
        let _ = begin.send(());
        signals.next().await;
    };
    let (certificate, token_keys) = (tls.clone(), config.token_keys.clone());
    let signal = async move {
        let terminal_closed = async {
            while hangups.next().await == Hangup::Reload {
                reload_token_keys(&token_keys).await;
                // Without both it says that nothing happens.
                if certificate.is_some() || token_keys.is_empty() {
                    reload_certificate(certificate.as_ref()).await;
                }
            }
        };
        tokio::select! {
            _ = has_begun => {}
            () = terminal_closed => {}
        }
    };
    let address = listener.local_addr()?;
    // The last step that can fail: a server that has printed its address does not end because of its settings.
    let operator = listen_for_operator(&config, address)?;
    let output = BackgroundWriter::start(io::stdout(), &METRICS.log_lines_dropped)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    print_line(&output, &format!("Listening on {scheme}://{address}"));
    if let Some(url) = lan_url::url_for_others(scheme, address) {
        print_line(&output, &format!("Other devices on your network can open {url}"));
    }
    let systemd = Systemd::of_this_process();
    let resources = Resources { public: listener, tls, operator, systemd, cluster };
    let connection = config.connection();
    let served = serve::serve(resources, config, cookies, connection, signal);
    tokio::select! {
        served = served => Ok(served?),
        () = second_signal => Err(Error::Aborted),
    }
}

/// Nothing is listened on for visitors until the server has its first lease.
async fn join_cluster(
    config: &Config,
    cookies: &PersonCookies,
) -> Result<Option<ClusterMember>, ClusterStartError> {
    let Some(cluster) = config.cluster() else { return Ok(None) };
    let shared = SharedConfig {
        key: cookies.fingerprint().to_owned(),
        lease: cluster.lease,
        scheme: config.scheme().as_str().to_owned(),
    };
    ClusterMember::join(&cluster, config.hub_limits(this_machine()), shared).await.map(Some)
}

fn listen_for_operator(
    config: &Config,
    site: SocketAddr,
) -> Result<Option<(TcpListener, AdminToken)>, Error> {
    let admin_address = config.operator_address;
    let Some(address) = admin_address.address() else { return Ok(None) };
    if admin_address == AdminAddr::Default && admin_address.taken_by(site).is_some() {
        // One of the settings' warnings says so.
        return Ok(None);
    }
    let listener = match (listen(address, "operator-addr"), admin_address) {
        (Ok(listener), _) => listener,
        // It was not requested: a second server on this machine runs without it.
        (Err(error), AdminAddr::Default) => {
            tracing::warn!("{error} The operator's listener is disabled.");
            return Ok(None);
        }
        (Err(error), _) => return Err(error),
    };
    let token = match (AdminToken::from_state_directory(&config.state_directory), admin_address) {
        (Ok(token), _) => token,
        // Visitors need none: on a disk that is full or can only be read, they are served all the same.
        (Err(error @ TokenError::File { .. }), AdminAddr::Default) => {
            tracing::warn!("{error} The operator's listener is disabled.");
            return Ok(None);
        }
        (Err(error), _) => return Err(error.into()),
    };
    tracing::info!("listening for the operator on http://{}", listener.local_addr()?);
    Ok(Some((listener, token)))
}

fn listen(address: SocketAddr, flag: &'static str) -> Result<TcpListener, Error> {
    tcp::listen(address).map_err(|source| Error::Listen { address, flag, source })
}

/// The server's own lines: people click the address, and programs read the port from it.
fn print_line(mut output: &BackgroundWriter, text: &str) {
    // It never fails.
    let _ = output.write_all(format!("{text}\n").as_bytes());
}

/// What the program was started for. Unlike the server's lines it is waited for, and can fail.
fn print_result(text: &str) -> Result<(), Error> {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}").and_then(|()| output.flush()).map_err(Error::Output)
}
