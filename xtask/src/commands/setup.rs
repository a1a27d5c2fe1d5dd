//! Set-up: installs the tools of a build that are missing.

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

/// The newest release that the pinned toolchain can compile with its lock file.
const CARGO_LEPTOS: Version = Version::new(0, 3, 10);

/// The tools of a build.
#[derive(Debug)]
pub(crate) struct Tools {
    /// The cargo-leptos program.
    ///
    /// It is started by its path: `cargo leptos` may put the folder of cargo's own programs first
    /// on PATH, and with it another wasm-bindgen.
    pub(crate) cargo_leptos: PathBuf,
    /// Whether wasm-opt is installed; if not, cargo-leptos downloads it.
    pub(crate) wasm_opt: bool,
}

/// Checks all tools, and installs those that are missing.
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
            // The default features are for its test runner, which is not used here.
            flags: &["--no-default-features"],
        }
        .ensure(workspace, VersionRequirement::Exactly(locked_wasm_bindgen(workspace)?))
    })?;
    let wasm_opt = step("wasm-opt", || Ok(wasm_opt::ensure(workspace)))?;
    remove_intermediate_files(workspace)?;
    Ok(Tools { cargo_leptos, wasm_opt })
}

/// rust-toolchain.toml lists the target, but rustup installs it only where automatic installs are
/// enabled.
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
        note("already installed");
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
        Failure::new("Cargo.lock has no wasm-bindgen: restore the file from the repository.")
    })
}

/// Compiling the tools leaves gigabytes of intermediate files.
fn remove_intermediate_files(workspace: &Workspace) -> Outcome {
    let left = workspace.tools().join("target");
    if left.is_dir() {
        fs::remove_dir_all(&left)
            .with_context(|| format!("Could not remove {}", left.display()))?;
    }
    Ok(())
}
