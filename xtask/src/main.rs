//! Rollcall's only entry points: `cargo xtask <command>`, for people and for CI alike.
//!
//! Every command sets up what it needs, and prints each step with the time that it took.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool prints to its standard output"
)]

mod checks;
mod commands;
mod output;
mod process;
mod tools;
mod workspace;

use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};

#[cfg(unix)]
use crate::commands::cluster;
use crate::commands::{bench, build, check, dist, lighthouse, load, serve, setup, soak, test};
use crate::output::failure::Outcome;
use crate::output::step;
use crate::tools::wasm_opt;
use crate::workspace::Workspace;

/// Sets up, builds, serves, tests and checks Rollcall.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check or install what a build needs: WASM target, cargo-leptos, wasm-bindgen, wasm-opt.
    Setup,
    /// Build server and page for release.
    Build,
    /// Build for release and serve until Ctrl-C.
    Serve(serve::ServeOptions),
    /// Build for release, and run several servers over an engine until Ctrl-C.
    #[cfg(unix)]
    Cluster(cluster::ClusterOptions),
    /// Build one executable that contains the site, with its checksum and its bill of materials.
    Dist,
    /// Serve a debug build and rebuild on every edit (`cargo leptos watch`).
    Dev,
    /// Measure the cost of a server under load, and check every client's list.
    Load(load::LoadOptions),
    /// Run every test: Rust, real sockets, browser.
    Test(test::TestOptions),
    /// Measure the cost of a change and of a whole list, by the size of the room.
    Bench,
    /// Fuzz briefly, then simulate whole rooms with network and server failures.
    Soak(soak::SoakOptions),
    /// Run Lighthouse on the page, with 200 people in the room.
    Lighthouse,
    /// Check format, lints, docs, layers and the size budget.
    Check,
}

fn main() -> ExitCode {
    let started_at = Instant::now();
    let outcome = if wasm_opt::is_called() {
        wasm_opt::call_real().map(|()| true)
    } else {
        run(&Arguments::parse().command, started_at)
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Returns false where tests failed: their summary has been printed.
fn run(task: &Task, started_at: Instant) -> Outcome<bool> {
    let workspace = Workspace::find()?;
    match task {
        Task::Setup => setup::run(&workspace).map(|_tools| step::total(started_at))?,
        Task::Build => build::run(&workspace).map(|_release| step::total(started_at))?,
        Task::Dist => dist::run(&workspace, started_at)?,
        Task::Serve(options) => serve::run(&workspace, options, started_at)?,
        #[cfg(unix)]
        Task::Cluster(options) => cluster::run(&workspace, options, started_at)?,
        Task::Dev => serve::watch(&workspace, started_at)?,
        Task::Load(options) => load::run(&workspace, options, started_at)?,
        Task::Test(options) => return test::run(&workspace, options, started_at),
        Task::Bench => bench::run(&workspace, started_at)?,
        Task::Soak(options) => soak::run(&workspace, options)?,
        Task::Lighthouse => lighthouse::run(&workspace, started_at)?,
        Task::Check => check::run(&workspace, started_at)?,
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The arguments for the program that replaces xtask.
    fn program_arguments(line: &str) -> String {
        let words = std::iter::once("xtask").chain(line.split(' '));
        match Arguments::try_parse_from(words).unwrap().command {
            Task::Serve(options) => options.program_arguments().join(" "),
            Task::Load(options) => options.program_arguments().join(" "),
            Task::Soak(options) => options.program_arguments().join(" "),
            other => panic!("{other:?} does not run another program"),
        }
    }

    #[test]
    fn arguments_are_passed_to_the_program() {
        for (typed, passed) in [
            ("serve", ""),
            ("serve --addr [::1]:0", "--addr [::1]:0"),
            ("serve --addr=0.0.0.0:80 -- --log json", "--addr 0.0.0.0:80 --log json"),
            ("load", ""),
            ("load --clients 5000 --scenario storm", "--clients 5000 --scenario storm"),
            ("load -- --help", "--help"),
            ("soak", ""),
            ("soak --seed 7", "--seed 7"),
            (
                "soak --minutes=5 --schedules 9 -- --threads 1",
                "--minutes 5 --schedules 9 --threads 1",
            ),
        ] {
            assert_eq!(program_arguments(typed), passed, "{typed}");
        }
    }
}
