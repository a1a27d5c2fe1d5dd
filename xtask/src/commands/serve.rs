//! Serving: the release build, or a debug build that is rebuilt on every edit.

use std::time::Instant;

use crate::commands::build;
use crate::commands::release;
use crate::commands::setup;
use crate::output::failure::Outcome;
use crate::output::step;
use crate::process;
use crate::workspace::Workspace;

/// How to serve.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeOptions {
    /// The address to listen on. Overrides `LEPTOS_SITE_ADDR` and Leptos.toml; port 0 takes a free
    /// port.
    #[arg(long, value_name = "HOST:PORT")]
    addr: Option<String>,
    /// Further arguments of the server; `-- --help` lists them.
    #[arg(last = true, value_name = "SERVER ARGUMENTS")]
    server_arguments: Vec<String>,
}

impl ServeOptions {
    /// The arguments of the server.
    pub(crate) fn program_arguments(&self) -> Vec<String> {
        let address = self.addr.iter().flat_map(|address| ["--addr".to_owned(), address.clone()]);
        address.chain(self.server_arguments.clone()).collect()
    }
}

/// Builds for release, then runs the server in place of this process.
pub(crate) fn run(workspace: &Workspace, options: &ServeOptions, started_at: Instant) -> Outcome {
    let release = build::run(workspace)?;
    step::total(started_at);
    // The command runs in the repository, where the server finds Leptos.toml.
    let mut server = workspace.command(&release.server);
    server.envs(release::site_variables(&release)).args(options.program_arguments());
    process::exec(&mut server)
}

/// Runs `cargo leptos watch` in place of this process.
pub(crate) fn watch(workspace: &Workspace, started_at: Instant) -> Outcome {
    let tools = setup::run(workspace)?;
    step::total(started_at);
    let mut command = workspace.command(&tools.cargo_leptos);
    process::exec(command.args(["leptos", "watch"]))
}
