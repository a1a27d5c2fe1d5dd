//! All tests: of the Rust crates, and of the page in a browser.

use std::env;
use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;

use crate::commands::build;
#[cfg(unix)]
use crate::commands::cluster;
use crate::commands::release::Release;
use crate::output::failure::Outcome;
use crate::output::step::{self, step};
use crate::output::test_summary::{Runner, TestSummary};
use crate::process;
use crate::tools::chromium::{self, Chromium};
use crate::tools::engine::{self, Engine};
use crate::tools::firefox;
use crate::tools::npm;
use crate::workspace::Workspace;

/// One run for each set of features: in a common run cargo would unify them, and `app` and `registry`
/// would never be tested without Leptos.
const RUST_TESTS: [&[&str]; 4] = [
    &["-p", "app"],
    &["-p", "app", "--features", "ssr"],
    &["-p", "registry"],
    &["-p", "server", "-p", "load", "-p", "simulation", "-p", "xtask"],
];

/// The tests that need an engine. They run once with each.
const CLUSTER_TESTS: &[&str] = &["-p", "server", "--test", "cluster"];

/// The crates with examples in their documentation, which only `cargo test` runs.
const DOC_TESTS: [&[&str]; 2] = [&["-p", "app"], &["-p", "registry"]];

/// What to test.
#[derive(Debug, clap::Args)]
pub(crate) struct TestOptions {
    /// Run only this suite.
    suite: Option<Suite>,
    /// Run the browser tests through three servers and a proxy that passes each connection to the next.
    #[cfg(unix)]
    #[arg(long)]
    cluster: bool,
    /// Further arguments of Playwright, such as the name of a test file.
    #[arg(last = true, value_name = "PLAYWRIGHT ARGUMENTS")]
    playwright_arguments: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// The tests of `cargo test`.
    Rust,
    /// The part of the Rust tests that needs Valkey or Redis: once with each.
    Cluster,
    /// The tests of the JavaScript client.
    Client,
    /// The tests of Playwright.
    Browser,
}

/// Runs all tests, also after one has failed, and returns whether all passed.
///
/// Nothing may be printed after the summary: CI reads it from the end of the output.
pub(crate) fn run(
    workspace: &Workspace,
    options: &TestOptions,
    started_at: Instant,
) -> Outcome<bool> {
    // First, so that a missing tool is reported before minutes of tests.
    let browsers = match options.suite {
        Some(Suite::Rust | Suite::Cluster | Suite::Client) => None,
        _ => Some(set_up(workspace)?),
    };
    let engines = match options.suite {
        Some(Suite::Browser | Suite::Client) => None,
        _ => Some(step("engines for the tests of a cluster", || engine::all(workspace))?),
    };
    let mut summary = TestSummary::default();
    if let Some(engines) = engines {
        let has_nextest = workspace.find_program("cargo-nextest").is_some();
        let is_whole = options.suite != Some(Suite::Cluster);
        for packages in RUST_TESTS.iter().filter(|_| is_whole) {
            summary.add(rust(workspace, packages, has_nextest, None)?);
        }
        for engine in &engines {
            summary.add(rust(workspace, CLUSTER_TESTS, has_nextest, Some(engine))?);
        }
        if engines.is_empty() {
            let why = "neither Valkey nor Redis is installed, and neither could be installed";
            let failure = env::var_os("CI").is_some();
            summary.add(Runner::not_started("the tests of a cluster", why, failure));
        }
        if has_nextest && is_whole {
            for packages in DOC_TESTS {
                let words = [&["test", "--doc"], packages].concat();
                summary.add(cargo(workspace, &words, None, Runner::observe_cargo)?);
            }
        }
    }
    if matches!(options.suite, None | Some(Suite::Client)) {
        summary.add(client(workspace)?);
    }
    if let Some(browsers) = browsers {
        let runner = match build::run(workspace) {
            #[cfg(unix)]
            Ok(release) if options.cluster => cluster::during(workspace, &release, |cluster| {
                let (operator, token_file) = &cluster.operator;
                let variables = [
                    ("BASE_URL", cluster.address.as_ref()),
                    ("OPERATOR_URL", operator.as_ref()),
                    ("OPERATOR_TOKEN_FILE", token_file.as_os_str()),
                ];
                playwright(workspace, &release, &browsers, options, &variables)
            })?,
            Ok(release) => playwright(workspace, &release, &browsers, options, &[])?,
            Err(failure) => {
                step::note(&failure.to_string());
                Runner::new("the release build, which the browser tests need").end(false)
            }
        };
        summary.add(runner);
    }
    step::total(started_at);
    println!("\n== summary\n{summary}");
    Ok(summary.is_good())
}

/// The browsers that the tests control.
struct Browsers {
    chromium: Chromium,
    firefox: PathBuf,
}

fn set_up(workspace: &Workspace) -> Outcome<Browsers> {
    step("the browser tests' packages", || npm::install_locked(workspace, &workspace.end2end()))?;
    let chromium = step("Chromium", || chromium::ensure(workspace))?;
    let firefox = step("Firefox", || firefox::ensure(workspace))?;
    step("fonts for screenshots", || {
        chromium::ensure_fonts(workspace);
        Ok(())
    })?;
    Ok(Browsers { chromium, firefox })
}

/// Runs the tests of some crates: by nextest where it is installed, because it runs the tests of all
/// binaries side by side and says how long each took; otherwise by `cargo test`.
fn rust(
    workspace: &Workspace,
    packages: &[&str],
    has_nextest: bool,
    engine: Option<&Engine>,
) -> Outcome<Runner> {
    if has_nextest {
        let words = [&["nextest", "run", "--no-fail-fast"], packages].concat();
        cargo(workspace, &words, engine, Runner::observe_nextest)
    } else {
        let words = [&["test", "--no-fail-fast"], packages].concat();
        cargo(workspace, &words, engine, Runner::observe_cargo)
    }
}

fn cargo(
    workspace: &Workspace,
    words: &[&str],
    engine: Option<&Engine>,
    observe: fn(&mut Runner, &str),
) -> Outcome<Runner> {
    let mut command = workspace.cargo(words);
    let mut name = process::command_line(&command);
    if let Some(engine) = engine {
        command.env(engine::VARIABLE, &engine.program);
        name = format!("{name}, with {}", engine.name);
    }
    step(&name, || {
        let mut runner = Runner::new(&name);
        let succeeded = process::run_watched(&mut command, |line| observe(&mut runner, line))?;
        Ok(runner.end(succeeded))
    })
}

fn client(workspace: &Workspace) -> Outcome<Runner> {
    step("the JavaScript client's packages", || {
        npm::install_locked(workspace, &workspace.client())
    })?;
    let mut command = npm::script(workspace, &workspace.client(), "test")?;
    let name = "the JavaScript client";
    step(name, || {
        let mut runner = Runner::new(name);
        let succeeded = process::run_watched(&mut command, |line| runner.observe_node(line))?;
        Ok(runner.end(succeeded))
    })
}

fn playwright(
    workspace: &Workspace,
    release: &Release,
    browsers: &Browsers,
    options: &TestOptions,
    variables: &[(&str, &OsStr)],
) -> Outcome<Runner> {
    let mut command = npm::program(workspace, "npx")?;
    command
        .args(["playwright", "test"])
        .args(&options.playwright_arguments)
        .current_dir(workspace.end2end())
        .envs(variables.iter().copied())
        .env("ROLLCALL_BINARY", &release.server)
        .env("ROLLCALL_SITE", &release.site)
        .env("ROLLCALL_FIREFOX", &browsers.firefox)
        // By default Playwright serves the report of a failure and does not exit.
        .env("PLAYWRIGHT_HTML_OPEN", "never");
    if let Chromium::Installed(program) = &browsers.chromium {
        command.env("ROLLCALL_CHROMIUM", program);
    }
    if std::io::stdout().is_terminal() {
        command.env("FORCE_COLOR", "1");
    }
    let name = process::command_line(&command);
    step(&name, || {
        let mut runner = Runner::new(&name);
        let succeeded = process::run_watched(&mut command, |line| runner.observe_playwright(line))?;
        Ok(runner.end(succeeded))
    })
}
