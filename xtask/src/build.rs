//! The release build: server and page, compressed, with names that change with their content.

use std::fs;
use std::path::PathBuf;

use crate::failure::{Failure, Outcome};
use crate::gzip;
use crate::process;
use crate::setup::{self, Tools};
use crate::stamp::Stamp;
use crate::step::{remark, step};
use crate::wasm_opt;
use crate::workspace::Workspace;

/// A finished release build.
#[derive(Debug)]
pub(crate) struct Release {
    /// The server program. `hash.txt`, which it reads, is beside it.
    pub(crate) server: PathBuf,
    /// The files it serves.
    pub(crate) site: PathBuf,
}

/// The variables that the server needs to find a release build's files.
pub(crate) fn site_variables(release: &Release) -> [(&'static str, String); 3] {
    [
        ("LEPTOS_OUTPUT_NAME", "rollcall".to_owned()),
        ("LEPTOS_SITE_ROOT", release.site.display().to_string()),
        ("LEPTOS_HASH_FILES", "true".to_owned()),
    ]
}

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
    if Stamp::of(workspace, &release)?.is_on_file(workspace) {
        remark("nothing changed");
        return Ok(release);
    }
    Stamp::remove(workspace)?;
    compile(workspace, tools, &release)?;
    gzip::compress_again(&release.site)?;
    if !release.server.is_file() {
        return Err(Failure::new(format!(
            "The build made no {}: look at the names in [[workspace.metadata.leptos]].",
            release.server.display()
        )));
    }
    Stamp::of(workspace, &release)?.file(workspace)?;
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
        .envs(site_variables(release))
        // An address is for the server when it runs, and need not be one that cargo-leptos reads.
        .env_remove("LEPTOS_SITE_ADDR");
    if tools.wasm_opt {
        wasm_opt::stand_in(workspace, &mut command)?;
    }
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
