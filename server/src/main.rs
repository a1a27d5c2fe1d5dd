//! The server's program: arguments, settings, logs, the listening socket, the signal.

use std::{error::Error, net::SocketAddr, path::Path, process::ExitCode};

use clap::Parser;
use server::{
    config::{Config, Flags},
    connection::ConnectionConfig,
    operator::OperatorToken,
    person::Persons,
    serve::{self, Listeners},
    shutdown, tcp,
};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: Flags) -> Result<(), Box<dyn Error>> {
    let config = Config::load(flags)?;
    if let Some(open_files) = tcp::raise_open_files_limit() {
        tracing::debug!(open_files, "as many files may be open");
    }
    let persons = Persons::from_state_directory(&config.state_directory)?;
    let address = config.leptos.site_addr;
    let listener = tcp::listen(address).map_err(|error| {
        format!("Can't listen on {address}: {error}. Is another Rollcall running? Choose another with --addr.")
    })?;
    if !Path::new(&*config.leptos.site_root).join(&*config.leptos.site_pkg_dir).is_dir() {
        tracing::warn!(
            "The page's files are not in {}: build them with `cargo xtask build`.",
            config.leptos.site_root
        );
    }
    // Before anybody knows the address: a signal that comes right after ends the server in order.
    let signal = shutdown::listen_for_signals()?;
    announce(&format!("Listening on http://{}", listener.local_addr()?));
    let operator = match config.operator_address {
        Some(address) => Some(listen_to_the_operator(address, &config.state_directory)?),
        None => None,
    };
    let listeners = Listeners { public: listener, operator };
    serve::serve(listeners, config, persons, ConnectionConfig::default(), signal).await?;
    Ok(())
}

fn listen_to_the_operator(
    address: SocketAddr,
    state_directory: &Path,
) -> Result<(TcpListener, OperatorToken), Box<dyn Error>> {
    let token = OperatorToken::from_state_directory(state_directory)?;
    let listener = tcp::listen(address).map_err(|error| {
        format!("Can't listen to the operator on {address}: {error}. Choose another with --operator-addr.")
    })?;
    tracing::info!("listening to the operator on http://{}", listener.local_addr()?);
    Ok((listener, token))
}

/// The one line on standard output: people click it, and programs read the port from it.
#[expect(clippy::print_stdout, reason = "the address is what this program prints")]
fn announce(line: &str) {
    println!("{line}");
}
