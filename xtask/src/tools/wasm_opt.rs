//! wasm-opt, which shrinks the WASM: the user's own, npm's, or cargo-leptos's download.

use std::fs;

use crate::output::step::note;
use crate::process;
use crate::tools::npm;
use crate::tools::version::Version;
use crate::workspace::Workspace;

/// Earlier versions, such as Debian's, refuse the WASM features that this Rust uses.
pub(crate) const MIN_VERSION: Version = Version::new(123, 0, 0);

/// The npm package of wasm-opt, which runs on every system that has Node.
const PACKAGE: &str = "binaryen@132.0.0";

/// Finds or installs wasm-opt. Returns false if neither works: cargo-leptos then downloads it.
pub(crate) fn ensure(workspace: &Workspace) -> bool {
    let installed = || {
        // The manifest is read, because starting npm's program takes a third of a second.
        let package = workspace.node().join("node_modules").join("binaryen");
        fs::read_to_string(package.join("package.json")).is_ok_and(|manifest| {
            let pinned = PACKAGE.trim_start_matches("binaryen@");
            manifest.contains(&format!("\"version\": \"{pinned}\""))
        }) && workspace.find_program("node").is_some()
    };
    if installed() || installed_is_new_enough(workspace) {
        note("already installed");
        return true;
    }
    if npm::install_package(workspace, &workspace.node(), PACKAGE) && installed() {
        note(&format!("{PACKAGE}, from npm"));
        return true;
    }
    note("not installed: cargo-leptos downloads it");
    false
}

fn installed_is_new_enough(workspace: &Workspace) -> bool {
    process::find_program("wasm-opt", &workspace.user_path)
        .and_then(|program| process::capture(workspace.command(program).arg("--version")))
        .and_then(|output| Version::find_in(&output))
        .is_some_and(|version| version >= MIN_VERSION)
}
