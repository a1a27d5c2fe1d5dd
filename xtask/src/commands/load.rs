//! The load generator, against the release build or a server that is already running.

use std::path::PathBuf;
use std::time::Instant;

use crate::commands::build;
use crate::output::failure::Outcome;
use crate::output::step::{self, step};
use crate::process;
use crate::tools::npm;
use crate::workspace::Workspace;

/// Arguments that are passed to the load generator.
#[derive(Debug, clap::Args)]
pub(crate) struct LoadOptions {
    /// Such as `--clients 5000 --scenario storm,return --rounds 3`, or `--url http://host:3000` for a
    /// server that is already running; `-- --help` lists all.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "LOAD GENERATOR ARGUMENTS"
    )]
    arguments: Vec<String>,
}

impl LoadOptions {
    /// The user's arguments, without the server's program.
    pub(crate) fn program_arguments(&self) -> &[String] {
        &self.arguments
    }
}

/// Builds for release, then runs the load generator in place of this process.
pub(crate) fn run(workspace: &Workspace, options: &LoadOptions, started_at: Instant) -> Outcome {
    let server = if names_a_server(options.program_arguments()) {
        None
    } else {
        Some(build::run(workspace)?.server)
    };
    let words = ["build", "--release", "--package", "load"];
    step("the load generator", || process::run(&mut workspace.cargo(&words)))?;
    let peer =
        compares_with_bun(options.program_arguments()).then(|| bun(workspace)).transpose()?;
    let mut load = workspace.command(workspace.release_program("load"));
    step::total(started_at);
    if let Some(bun) = peer {
        load.env("ROLLCALL_BUN", bun);
    }
    if let Some(server) = server {
        load.arg("--server-binary").arg(server);
    }
    load.args(options.program_arguments());
    process::exec(&mut load)
}

/// Installs Bun, which `--against bun` needs and nothing else, and returns its program.
fn bun(workspace: &Workspace) -> Outcome<PathBuf> {
    let folder = workspace.root.join("testing/load/peers/bun");
    step("Bun, to compare with", || npm::install_locked(workspace, &folder))?;
    Ok(folder.join("node_modules/.bin/bun"))
}

/// Whether the arguments compare with Bun.
fn compares_with_bun(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| argument == "--against=bun")
        || arguments.windows(2).any(|pair| pair == ["--against", "bun"])
}

/// Whether the arguments name a server, or need none.
fn names_a_server(arguments: &[String]) -> bool {
    const FLAGS: [&str; 4] = ["--url", "--server-binary", "--help", "--version"];
    arguments.iter().any(|argument| {
        FLAGS.iter().any(|name| {
            argument.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn bun_is_installed_only_to_compare_with_it() {
        let compares = |line: &str| {
            super::compares_with_bun(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
        };
        assert!(compares("--clients 10 --against bun"));
        assert!(compares("--against=bun --rounds 3"));
        assert!(!compares("--clients 10 --scenario fanout"));
    }

    #[test]
    fn named_servers_are_not_built() {
        let names_a_server = |line: &str| {
            super::names_a_server(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
        };
        assert!(names_a_server("--url http://127.0.0.1:3000 --clients 10"));
        assert!(names_a_server("--clients 10 --server-binary=rollcall"));
        assert!(names_a_server("--help"));
        assert!(!names_a_server("--clients 10 --scenario storm"));
    }
}
