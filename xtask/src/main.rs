//! Rollcall's only entry points: `cargo xtask <command>`, for people and for CI alike.
//!
//! Every command sets up what it needs, says what it does, and says how long each step took.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks on its standard output"
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

use crate::commands::{bench, build, check, dist, lighthouse, load, serve, setup, soak, test};
use crate::output::failure::Outcome;
use crate::output::step;
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
    Serve(serve::Options),
    /// Make one executable with everything inside, its checksum, and the list of what it is made of.
    Dist,
    /// Serve a debug build and rebuild on every edit (`cargo leptos watch`).
    Dev,
    /// Find out what a server costs and holds, and whether every list is right under load.
    Load(load::Options),
    /// Run every test: Rust, real sockets, browser.
    Test(test::Options),
    /// Measure what a change and a whole list cost, by the size of the room.
    Bench,
    /// Play whole rooms on simulated time, with everything that can fail, and fuzz for a short while.
    Soak(soak::Options),
    /// Ask Lighthouse what it thinks of the page, with 200 people in the room.
    Lighthouse,
    /// Check format, lints, docs, layers and the size budget.
    Check,
}

fn main() -> ExitCode {
    let started_at = Instant::now();
    match run(&Arguments::parse().command, started_at) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Says whether all is well; where tests failed, their summary has said why.
fn run(task: &Task, started_at: Instant) -> Outcome<bool> {
    let workspace = Workspace::find()?;
    match task {
        Task::Setup => setup::run(&workspace).map(|_tools| step::total(started_at))?,
        Task::Build => build::run(&workspace).map(|_release| step::total(started_at))?,
        Task::Dist => dist::run(&workspace, started_at)?,
        Task::Serve(options) => serve::run(&workspace, options, started_at)?,
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

    /// What the program is told that a command becomes.
    fn program_arguments(line: &str) -> String {
        let words = std::iter::once("xtask").chain(line.split(' '));
        match Arguments::try_parse_from(words).unwrap().command {
            Task::Serve(options) => options.program_arguments().join(" "),
            Task::Load(options) => options.program_arguments().join(" "),
            Task::Soak(options) => options.program_arguments().join(" "),
            other => panic!("{other:?} becomes no program"),
        }
    }

    #[test]
    fn what_is_given_reaches_the_program() {
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
