//! Rollcall's only entry points: `cargo xtask <command>`, for people and for CI alike.
//!
//! Every command sets up what it needs, says what it does, and says how long each step took.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks on its standard output"
)]

mod bench;
mod browser;
mod budget;
mod build;
mod cargo_tool;
mod check;
mod debian;
mod deploy;
mod dist;
mod failure;
mod fuzz;
mod gzip;
mod lighthouse;
mod load;
mod npm;
mod prebuilt;
mod process;
mod recap;
mod sbom;
mod serve;
mod setup;
mod smoke;
mod soak;
mod stamp;
mod step;
mod test;
mod version;
mod wasm_opt;
mod workspace;

use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};

use crate::failure::Outcome;
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
    let begun = Instant::now();
    let outcome = if wasm_opt::is_called() {
        wasm_opt::become_real().map(|()| true)
    } else {
        perform(&Arguments::parse().command, begun)
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

/// Says whether all is well; where tests failed, their summary has said why.
fn perform(task: &Task, begun: Instant) -> Outcome<bool> {
    let workspace = Workspace::find()?;
    match task {
        Task::Setup => setup::run(&workspace).map(|_tools| step::total(begun))?,
        Task::Build => build::run(&workspace).map(|_release| step::total(begun))?,
        Task::Dist => dist::run(&workspace, begun)?,
        Task::Serve(options) => serve::run(&workspace, options, begun)?,
        Task::Dev => serve::watch(&workspace, begun)?,
        Task::Load(options) => load::run(&workspace, options, begun)?,
        Task::Test(options) => return test::run(&workspace, options, begun),
        Task::Bench => bench::run(&workspace, begun)?,
        Task::Soak(options) => soak::run(&workspace, options)?,
        Task::Lighthouse => lighthouse::run(&workspace, begun)?,
        Task::Check => check::run(&workspace, begun)?,
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the program is told that a command becomes.
    fn passed_on(line: &str) -> String {
        let words = std::iter::once("xtask").chain(line.split(' '));
        match Arguments::try_parse_from(words).unwrap().command {
            Task::Serve(options) => options.passed_on().join(" "),
            Task::Load(options) => options.passed_on().join(" "),
            Task::Soak(options) => options.passed_on().join(" "),
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
            assert_eq!(passed_on(typed), passed, "{typed}");
        }
    }
}
