//! Serving: the release build by itself, or a debug build that follows every edit.

use std::time::Instant;

use crate::build;
use crate::failure::Outcome;
use crate::process;
use crate::setup;
use crate::step;
use crate::workspace::Workspace;

/// How to serve.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The address to listen on, stronger than `LEPTOS_SITE_ADDR` and Leptos.toml; port 0 takes a
    /// free one.
    #[arg(long, value_name = "HOST:PORT")]
    addr: Option<String>,
    /// What the server is told besides; `-- --help` lists it.
    #[arg(last = true, value_name = "SERVER ARGUMENTS")]
    server_arguments: Vec<String>,
}

/// Builds for release, then becomes the server.
pub(crate) fn run(workspace: &Workspace, options: &Options, begun: Instant) -> Outcome {
    let release = build::run(workspace)?;
    step::total(begun);
    // In the repository, where the server reads Leptos.toml.
    let mut server = workspace.command(&release.server);
    server.envs(build::site_variables(&release)).args(server_arguments(options));
    process::become_command(&mut server)
}

/// Becomes `cargo leptos watch`.
pub(crate) fn watch(workspace: &Workspace, begun: Instant) -> Outcome {
    let tools = setup::run(workspace)?;
    step::total(begun);
    let mut command = workspace.command(&tools.cargo_leptos);
    process::become_command(command.args(["leptos", "watch"]))
}

fn server_arguments(options: &Options) -> Vec<String> {
    let address = options.addr.iter().flat_map(|address| ["--addr".to_owned(), address.clone()]);
    address.chain(options.server_arguments.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn the_address_and_the_rest_reach_the_server() {
        let cases: [(&[&str], &[&str]); 3] = [
            (&["serve"], &[]),
            (&["serve", "--addr", "[::1]:0"], &["--addr", "[::1]:0"]),
            (
                &["serve", "--addr=0.0.0.0:80", "--", "--log", "json"],
                &["--addr", "0.0.0.0:80", "--log", "json"],
            ),
        ];
        for (typed, passed) in cases {
            let line = Line::try_parse_from(typed).unwrap();
            assert_eq!(server_arguments(&line.options), passed);
        }
    }
}
