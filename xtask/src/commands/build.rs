//! The release build: the server, and the compressed site with hashed file names.

use std::fs;

use crate::checks::build_fingerprint::{BuildFingerprint, Inputs};
use crate::commands::release::{self, Release};
use crate::commands::setup::{self, Tools};
use crate::output::failure::{Failure, Outcome};
use crate::output::step::{note, step};
use crate::process;
use crate::tools::{gzip, wasm_opt};
use crate::workspace::Workspace;

/// Sets up and builds for release, unless the last build is up to date.
pub(crate) fn run(workspace: &Workspace) -> Outcome<Release> {
    let tools = setup::run(workspace)?;
    with_tools(workspace, &tools)
}

/// Builds for release after a set-up, unless the last build is up to date.
pub(crate) fn with_tools(workspace: &Workspace, tools: &Tools) -> Outcome<Release> {
    step("the release build", || build(workspace, tools))
}

fn build(workspace: &Workspace, tools: &Tools) -> Outcome<Release> {
    let release = Release { server: workspace.server(), site: workspace.site() };
    // cargo-leptos always rebuilds the whole site, and optimising and compressing it take most of
    // a build's time.
    let inputs = Inputs::of(workspace)?;
    if BuildFingerprint::of(inputs, &release)?.is_stored(workspace) {
        note("up to date");
        return Ok(release);
    }
    BuildFingerprint::remove(workspace)?;
    compile(workspace, tools, &release)?;
    gzip::compress_again(&release.site)?;
    if !release.server.is_file() {
        return Err(Failure::new(format!(
            "The build did not create {}: check the names in [[workspace.metadata.leptos]].",
            release.server.display()
        )));
    }
    BuildFingerprint::of(inputs, &release)?.store(workspace)?;
    Ok(release)
}

fn compile(workspace: &Workspace, tools: &Tools, release: &Release) -> Outcome {
    // One from an earlier build would name files that no longer exist.
    drop(fs::remove_file(release.server.with_file_name("hash.txt")));
    let mut command = workspace.command(&tools.cargo_leptos);
    command
        .args(["leptos", "build", "--release", "--precompress"])
        // cargo-leptos' own backtrace would hide the compiler's errors.
        .env("RUST_LIB_BACKTRACE", "0")
        .envs(release::site_variables(release))
        // The address is for the running server, and cargo-leptos may not be able to parse it.
        .env_remove("LEPTOS_SITE_ADDR");
    if tools.wasm_opt {
        wasm_opt::stand_in(workspace, &mut command)?;
    }
    process::run(&mut command).map_err(|failure| {
        if tools.wasm_opt {
            failure
        } else {
            Failure::new(format!(
                "{failure} If wasm-opt is missing, install Node with npm, or Binaryen {} or newer.",
                wasm_opt::MIN_VERSION.major
            ))
        }
    })
}
