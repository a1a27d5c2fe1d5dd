//! Set-up: what a build needs and a fresh machine lacks. A second run only looks.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::output::failure::{Context, Failure, Outcome};
use crate::output::step::{note, step};
use crate::process;
use crate::tools::cargo_tool::{CargoTool, VersionRequirement};
use crate::tools::version::Version;
use crate::tools::wasm_opt;
use crate::workspace::Workspace;

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The newest release that the pinned toolchain compiles by its lock file.
const CARGO_LEPTOS: Version = Version::new(0, 3, 10);

/// What a build works with.
#[derive(Debug)]
pub(crate) struct Tools {
    /// The cargo-leptos program.
    ///
    /// It is started by its path: by way of `cargo leptos`, the folder of cargo's own programs
    /// may come first on PATH again, and another wasm-bindgen with it.
    pub(crate) cargo_leptos: PathBuf,
    /// Whether wasm-opt is there; if not, cargo-leptos downloads it when it needs it.
    pub(crate) wasm_opt: bool,
}

/// Checks or installs everything a build needs.
pub(crate) fn run(workspace: &Workspace) -> Outcome<Tools> {
    step("the WASM target of the toolchain", || wasm_target(workspace))?;
    let cargo_leptos = step("cargo-leptos", || {
        CargoTool { name: "cargo-leptos", package: "cargo-leptos", flags: &[] }
            .ensure(workspace, VersionRequirement::Compatible(CARGO_LEPTOS))
    })?;
    step("wasm-bindgen, of the version in Cargo.lock", || {
        CargoTool {
            name: "wasm-bindgen",
            package: "wasm-bindgen-cli",
            // TLS, for a test runner that is not used here.
            flags: &["--no-default-features"],
        }
        .ensure(workspace, VersionRequirement::Exactly(locked_wasm_bindgen(workspace)?))
    })?;
    let wasm_opt = step("wasm-opt", || Ok(wasm_opt::ensure(workspace)))?;
    remove_intermediate_files(workspace)?;
    Ok(Tools { cargo_leptos, wasm_opt })
}

/// The toolchain's own file lists the target, but rustup only obeys where it may install by itself.
fn wasm_target(workspace: &Workspace) -> Outcome {
    let is_there = || {
        process::capture(workspace.command("rustc").args(["--print", "sysroot"])).is_some_and(
            |sysroot| {
                PathBuf::from(sysroot.trim())
                    .join("lib/rustlib")
                    .join(WASM_TARGET)
                    .join("lib")
                    .is_dir()
            },
        )
    };
    if is_there() {
        note("there");
        return Ok(());
    }
    if workspace.find_program("rustup").is_some() {
        let mut command: Command = workspace.command("rustup");
        process::run(command.args(["target", "add", WASM_TARGET]))?;
    }
    if is_there() {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "The toolchain cannot compile for the browser: install Rust's standard library for \
             {WASM_TARGET} (with rustup: `rustup target add {WASM_TARGET}`)."
        )))
    }
}

fn locked_wasm_bindgen(workspace: &Workspace) -> Outcome<Version> {
    let path = workspace.root.join("Cargo.lock");
    let lock =
        fs::read_to_string(&path).with_context(|| format!("Could not read {}", path.display()))?;
    Version::locked(&lock, "wasm-bindgen").ok_or_else(|| {
        Failure::new("Cargo.lock names no wasm-bindgen: restore the file from the repository.")
    })
}

/// What compiling the tools left behind is of gigabytes and of no further use.
fn remove_intermediate_files(workspace: &Workspace) -> Outcome {
    let left = workspace.tools().join("target");
    if left.is_dir() {
        fs::remove_dir_all(&left)
            .with_context(|| format!("Could not remove {}", left.display()))?;
    }
    Ok(())
}
