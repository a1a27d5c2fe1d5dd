//! What Lighthouse says of the release build, with many people in the room.

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

/// The last one that runs on every Node that the browser tests run on.
const LIGHTHOUSE: &str = "lighthouse@12.8.2";

/// Builds, installs what is missing, and runs Lighthouse three times; its reports are kept.
pub(crate) fn run(workspace: &Workspace, started_at: Instant) -> Outcome {
    step("the browser tests' packages", || npm::install_locked(workspace))?;
    let chromium = step("Chromium", || chromium::ensure(workspace))?;
    let lighthouse = step(LIGHTHOUSE, || install(workspace))?;
    let release = build::run(workspace)?;
    let reports = workspace.target.join("lighthouse");
    fs::create_dir_all(&reports)
        .with_context(|| format!("Could not make {}", reports.display()))?;
    let asked = ask(workspace, &release, &chromium, &Places { lighthouse, reports });
    step::total(started_at);
    asked
}

/// Where Lighthouse is, and where its reports go.
struct Places {
    lighthouse: PathBuf,
    reports: PathBuf,
}

/// In a folder of its own: it is large, and no test needs it.
fn install(workspace: &Workspace) -> Outcome<PathBuf> {
    let folder = workspace.cache.join(LIGHTHOUSE.replace('@', "-"));
    let program = folder.join("node_modules").join("lighthouse").join("cli").join("index.js");
    if program.is_file() {
        note("there");
    } else if !npm::install_package(workspace, &folder, LIGHTHOUSE) || !program.is_file() {
        return Err(Failure::new(format!("npm could not install {LIGHTHOUSE}: see what it says.")));
    }
    Ok(program)
}

/// What fills the room and judges is one test of its own, which no other run of the tests includes.
fn ask(workspace: &Workspace, release: &Release, chromium: &Chromium, places: &Places) -> Outcome {
    let mut command = npm::program(workspace, "npx")?;
    command
        .args(["playwright", "test", "--config", "lighthouse.config.ts"])
        .current_dir(workspace.end2end())
        .env("ROLLCALL_BINARY", &release.server)
        .env("ROLLCALL_SITE", &release.site)
        .env("LIGHTHOUSE_PROGRAM", &places.lighthouse)
        .env("LIGHTHOUSE_REPORTS", &places.reports);
    if let Chromium::Installed(program) = chromium {
        command.env("ROLLCALL_CHROMIUM", program);
    }
    step(&process::command_line(&command), || process::run(&mut command))
}
