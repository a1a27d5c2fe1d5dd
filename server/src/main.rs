//! The server's program: arguments, settings, logs, the listening socket, the signal.

use std::{env, io, net::SocketAddr, path::Path, process::ExitCode};

use server::{
    admin::{AdminAddr, AdminToken, TokenError},
    config::{
        Config, ConfigError,
        cli::{CommandLine, Task},
        docs,
        environment::Environment,
    },
    http::assets::Site,
    identity::person_cookie::{KeyError, PersonCookies},
    lifecycle::{
        signals::ShutdownSignals,
        systemd::{Systemd, inherited_listener},
    },
    listener::{
        lan_url, tcp,
        tls::{Renewal, Tls, TlsError},
    },
    serve::{self, Listeners},
    storage::dir_lock::{AlreadyLocked, StateDirectory},
    telemetry::logging,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let environment = Environment::of_this_process();
    let CommandLine { task, sources } = match CommandLine::parse(env::args_os(), environment) {
        Ok(line) => line,
        // Also where help was asked for: it prints that, and ends well.
        Err(error) => error.exit(),
    };
    let outcome = match (Config::load(sources), task) {
        (Err(fault), _) => Err(fault.into()),
        (Ok(config), Task::CheckConfig) => {
            // Also in its files: the old process goes on where a new one would not begin.
            config
                .tls
                .files()
                .map(Tls::load)
                .transpose()
                .map(drop)
                .map_err(Fault::from)
                .inspect(|()| print_line("The settings are in order."))
        }
        (Ok(mut config), Task::PrintConfig) => {
            print_line(docs::file(&mut config).trim_end());
            Ok(())
        }
        (Ok(config), Task::Serve) => {
            logging::init(&config.logs);
            logging::install_panic_hook();
            run(config).await
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            print_error(&fault);
            if let Fault::EndedAtOnce = fault {
                // Without waiting for what is being written: that is whole or not there.
                std::process::exit(1);
            }
            fault.exit_code()
        }
    }
}

/// Why the server does not run, or no longer.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    StateDirectory(#[from] AlreadyLocked),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(
        "Can't listen on {address}: {source}. Is another Rollcall running? Choose another with --{flag}."
    )]
    Listening { address: SocketAddr, flag: &'static str, source: io::Error },
    #[error("A second signal came: ended at once.")]
    EndedAtOnce,
    #[error(transparent)]
    Running(#[from] io::Error),
}

impl Fault {
    /// As sysexits.h has them, so that a supervisor knows when it is of no use to try again.
    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Config(fault) if fault.is_usage_error() => 2,
            Self::Config(_) | Self::Key(_) | Self::Token(_) | Self::Tls(_) => 78,
            Self::Listening { .. } | Self::StateDirectory(_) => 69,
            Self::EndedAtOnce | Self::Running(_) => 1,
        })
    }
}

async fn run(config: Config) -> Result<(), Fault> {
    if let Some(open_files) = tcp::raise_open_files_limit() {
        tracing::debug!(open_files, "as many files may be open");
    }
    // Before anything is read from it, and until all is written.
    let _state_directory = StateDirectory::lock(&config.state_directory).await?;
    let transport = config.scheme();
    let cookies = match &config.person_key_file {
        Some(path) => PersonCookies::from_key_file(path, transport)?,
        None => PersonCookies::from_state_directory(&config.state_directory, transport)?,
    };
    let tls = config.tls.files().map(Tls::load).transpose()?;
    let listener = match inherited_listener()? {
        Some(listener) => listener,
        None => listen(config.leptos.site_addr, "addr")?,
    };
    if let Site::Folder(folder) = Site::new(config.site_root.as_deref())
        && !folder.join(&*config.leptos.site_pkg_dir).is_dir()
    {
        let folder = folder.display();
        tracing::warn!(
            "The page's files are not in {folder}: build them with `cargo xtask build`."
        );
    }
    // Before anybody knows the address: a signal that comes right after ends the server in order.
    let (mut first, mut both) = (ShutdownSignals::listen()?, ShutdownSignals::listen()?);
    if let Some(tls) = &tls {
        tokio::spawn(Renewal::listen(tls.clone())?.go_on());
    }
    let address = listener.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    print_line(&format!("Listening on {scheme}://{address}"));
    if let Some(url) = lan_url::url_for_others(scheme, address) {
        print_line(&format!("Others on your network can open {url}"));
    }
    let operator = listen_to_the_operator(config.operator_address, &config.state_directory)?;
    let systemd = Systemd::of_this_process();
    let listeners = Listeners { public: listener, tls, operator, systemd };
    let signal = async move { first.next().await };
    let connection = config.connection();
    let served = serve::serve(listeners, config, cookies, connection, signal);
    tokio::select! {
        served = served => Ok(served?),
        () = async { both.next().await; both.next().await } => Err(Fault::EndedAtOnce),
    }
}

fn listen_to_the_operator(
    at: AdminAddr,
    state_directory: &Path,
) -> Result<Option<(TcpListener, AdminToken)>, Fault> {
    let Some(address) = at.address() else { return Ok(None) };
    let listener = match (listen(address, "operator-addr"), at) {
        (Ok(listener), _) => listener,
        // Nobody asked for it: a second server on this machine runs without.
        (Err(fault), AdminAddr::Default) => {
            tracing::warn!("{fault} The operator is not listened to.");
            return Ok(None);
        }
        (Err(fault), _) => return Err(fault),
    };
    let token = AdminToken::from_state_directory(state_directory)?;
    tracing::info!("listening to the operator on http://{}", listener.local_addr()?);
    Ok(Some((listener, token)))
}

fn listen(address: SocketAddr, flag: &'static str) -> Result<TcpListener, Fault> {
    tcp::listen(address).map_err(|source| Fault::Listening { address, flag, source })
}

/// What is asked for goes to standard output: people click the address, and programs read the port from it.
#[expect(clippy::print_stdout, reason = "the address is what this program prints")]
fn print_line(text: &str) {
    println!("{text}");
}

/// In a sentence, since whoever started it reads it: also before there are logs.
#[expect(clippy::print_stderr, reason = "a program that can't start says so where it was started")]
fn print_error(fault: &Fault) {
    eprintln!("rollcall: {fault}");
}
