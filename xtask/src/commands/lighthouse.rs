//! A Lighthouse report of the release build, with 200 people in the room.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use crate::commands::build;
use crate::commands::release::Release;
use crate::output::failure::{Context, Failure, Outcome};
use crate::output::step::{self, note, step};
use crate::process;
use crate::tools::chromium::{self, Chromium};
use crate::tools::npm;
use crate::workspace::Workspace;

/// The last version that supports every version of Node that the browser tests support.
const LIGHTHOUSE: &str = "lighthouse@12.8.2";

/// Builds, installs what is missing, and runs Lighthouse three times. Its reports are kept.
pub(crate) fn run(workspace: &Workspace, started_at: Instant) -> Outcome {
    step("the browser tests' packages", || npm::install_locked(workspace, &workspace.end2end()))?;
    let chromium = step("Chromium", || chromium::ensure(workspace))?;
    let lighthouse = step(LIGHTHOUSE, || install(workspace))?;
    let release = build::run(workspace)?;
    let reports = workspace.target.join("lighthouse");
    fs::create_dir_all(&reports)
        .with_context(|| format!("Could not create {}", reports.display()))?;
    let outcome = measure(workspace, &release, &chromium, &Paths { lighthouse, reports });
    step::total(started_at);
    outcome
}

/// The program of Lighthouse, and the folder for its reports.
struct Paths {
    lighthouse: PathBuf,
    reports: PathBuf,
}

/// Installs into a folder of its own, because Lighthouse is large and no test needs it.
fn install(workspace: &Workspace) -> Outcome<PathBuf> {
    let folder = workspace.cache.join(LIGHTHOUSE.replace('@', "-"));
    let program = folder.join("node_modules").join("lighthouse").join("cli").join("index.js");
    if program.is_file() {
        note("already installed");
    } else if !npm::install_package(workspace, &folder, LIGHTHOUSE) || !program.is_file() {
        return Err(Failure::new(format!("npm could not install {LIGHTHOUSE}.")));
    }
    Ok(program)
}

/// A Playwright test, which no other test run includes, fills the room and evaluates the reports.
fn measure(
    workspace: &Workspace,
    release: &Release,
    chromium: &Chromium,
    paths: &Paths,
) -> Outcome {
    let mut command = npm::program(workspace, "npx")?;
    command
        .args(["playwright", "test", "--config", "lighthouse.config.ts"])
        .current_dir(workspace.end2end())
        .env("ROLLCALL_BINARY", &release.server)
        .env("ROLLCALL_SITE", &release.site)
        .env("LIGHTHOUSE_PROGRAM", &paths.lighthouse)
        .env("LIGHTHOUSE_REPORTS", &paths.reports);
    if let Chromium::Installed(program) = chromium {
        command.env("ROLLCALL_CHROMIUM", program);
    }
    step(&process::command_line(&command), || process::run(&mut command))
}
