//! npm: the packages of the browser tests, of the JavaScript client and of linters, and the programs in them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::output::failure::{Context, Failure, Outcome};
use crate::output::step;
use crate::process;
use crate::workspace::Workspace;

/// Installs a folder's packages from its lock file, unless they are installed.
pub(crate) fn install_locked(workspace: &Workspace, folder: &Path) -> Outcome {
    let lock = folder.join("package-lock.json");
    let locked = fs::read(&lock).with_context(|| format!("Could not read {}", lock.display()))?;
    // A copy of the lock file is compared, not its date, which a checkout changes.
    let installed = folder.join("node_modules").join(".rollcall-lock.json");
    if fs::read(&installed).is_ok_and(|installed| installed == locked) {
        step::note("already installed");
        return Ok(());
    }
    let mut command = program(workspace, "npm")?;
    command.args(["ci", "--no-audit", "--no-fund"]);
    process::run(command.current_dir(folder))?;
    fs::write(&installed, locked)
        .with_context(|| format!("Could not write {}", installed.display()))
}

/// A command that runs a script of the package in a folder.
pub(crate) fn script(workspace: &Workspace, folder: &Path, script: &str) -> Outcome<Command> {
    let mut command = program(workspace, "npm")?;
    command.args(["run", "--silent", script]).current_dir(folder);
    Ok(command)
}

/// Installs one version of one package into a folder and returns whether that worked.
pub(crate) fn install_package(workspace: &Workspace, folder: &Path, package: &str) -> bool {
    let Ok(mut command) = program(workspace, "npm") else {
        return false;
    };
    // Without a package.json npm would look for a project in the folders above.
    let manifest = folder.join("package.json");
    let prepared = fs::create_dir_all(folder).and_then(|()| {
        if manifest.exists() { Ok(()) } else { fs::write(&manifest, "{ \"private\": true }\n") }
    });
    prepared.is_ok()
        && process::succeeds(
            command
                .args(["install", "--no-audit", "--no-fund", "--prefix"])
                .arg(folder)
                .arg(package),
        )
}

/// A command that runs `node`, `npm` or `npx`.
pub(crate) fn program(workspace: &Workspace, name: &str) -> Outcome<Command> {
    // On Windows the latter two are scripts, whose suffix is part of the name.
    let suffix = if !cfg!(windows) {
        ""
    } else if name == "node" {
        ".exe"
    } else {
        ".cmd"
    };
    let file = format!("{name}{suffix}");
    std::env::split_paths(&workspace.search_path)
        .map(|directory| directory.join(&file))
        .find(|path| path.is_file())
        .map(|path| workspace.command(path))
        .ok_or_else(|| {
            Failure::new(
                "The checks and the browser tests need Node: install Node 20.19 or newer, with npm.",
            )
        })
}
