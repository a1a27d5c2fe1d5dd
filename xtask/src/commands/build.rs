//! The release build: server and page, compressed, with names that change with their content.

use std::fs;

use crate::checks::build_fingerprint::BuildFingerprint;
use crate::commands::release::{self, Release};
use crate::commands::setup::{self, Tools};
use crate::output::failure::{Failure, Outcome};
use crate::output::step::{note, step};
use crate::process;
use crate::tools::wasm_opt;
use crate::workspace::Workspace;

/// Sets up and builds for release; does nothing where nothing changed.
pub(crate) fn run(workspace: &Workspace) -> Outcome<Release> {
    let tools = setup::run(workspace)?;
    with_tools(workspace, &tools)
}

/// Builds for release after a set-up; does nothing where nothing changed.
pub(crate) fn with_tools(workspace: &Workspace, tools: &Tools) -> Outcome<Release> {
    step("the release build", || build(workspace, tools))
}

fn build(workspace: &Workspace, tools: &Tools) -> Outcome<Release> {
    let release = Release { server: workspace.server(), site: workspace.site() };
    // cargo-leptos empties the site and makes it anew each time, and optimising and compressing
    // take most of a build's time.
    if BuildFingerprint::of(workspace, &release)?.is_stored(workspace) {
        note("nothing changed");
        return Ok(release);
    }
    BuildFingerprint::remove(workspace)?;
    compile(workspace, tools, &release)?;
    if !release.server.is_file() {
        return Err(Failure::new(format!(
            "The build made no {}: look at the names in [[workspace.metadata.leptos]].",
            release.server.display()
        )));
    }
    BuildFingerprint::of(workspace, &release)?.store(workspace)?;
    Ok(release)
}

fn compile(workspace: &Workspace, tools: &Tools, release: &Release) -> Outcome {
    // Left from a build of other content, it would name files that are gone.
    drop(fs::remove_file(release.server.with_file_name("hash.txt")));
    let mut command = workspace.command(&tools.cargo_leptos);
    command
        .args(["leptos", "build", "--release", "--precompress"])
        // The way through cargo-leptos itself would hide what the compiler said.
        .env("RUST_LIB_BACKTRACE", "0")
        .envs(release::site_variables(release))
        // An address is for the server when it runs, and need not be one that cargo-leptos reads.
        .env_remove("LEPTOS_SITE_ADDR");
    process::run(&mut command).map_err(|failure| {
        if tools.wasm_opt {
            failure
        } else {
            Failure::new(format!(
                "{failure} If it missed wasm-opt: install Node with npm, or Binaryen {} or newer.",
                wasm_opt::OLDEST.major
            ))
        }
    })
}
