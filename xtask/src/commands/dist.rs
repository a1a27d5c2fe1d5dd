//! The distribution: one executable that contains the site, its checksum, its bill of materials.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::checks::sbom;
use crate::checks::smoke_test;
use crate::commands::build;
use crate::output::failure::{Context, Failure, Outcome};
use crate::output::step::{self, note, step};
use crate::process;
use crate::tools::apt;
use crate::workspace::Workspace;

/// The target for programs that run on every Linux of this architecture, because they are static.
const STATIC_TARGET: &str = if cfg!(target_arch = "aarch64") {
    "aarch64-unknown-linux-musl"
} else {
    "x86_64-unknown-linux-musl"
};

/// Builds the site and the executable that contains it, and smoke-tests it in an empty folder.
pub(crate) fn run(workspace: &Workspace, started_at: Instant) -> Outcome {
    let release = build::run(workspace)?;
    let target = static_target(workspace);
    let built = step("the executable that contains the site", || {
        compile(workspace, &release.site, target)
    })?;
    let folder = workspace.target.join("dist");
    let program = folder.join(process::program_file("rollcall"));
    let written = || format!("Could not write to {}", folder.display());
    fs::create_dir_all(&folder).with_context(written)?;
    fs::copy(&built, &program).with_context(written)?;
    let content = fs::read(&program).with_context(written)?;
    if target.is_some() && is_dynamically_linked(&content) {
        return Err(Failure::new(format!("{} is not static.", program.display())));
    }
    fs::write(folder.join("rollcall.sha256"), checksum_line(&content)).with_context(written)?;
    let parts = sbom::for_server(workspace, target)?;
    fs::write(folder.join("rollcall.cdx.json"), parts).with_context(written)?;
    step("smoke test in an empty folder", || smoke_test::run(&program))?;
    step::total(started_at);
    println!(
        "{} ({:.1} MB), with rollcall.sha256 and rollcall.cdx.json in the same folder",
        program.display(),
        megabytes(content.len())
    );
    Ok(())
}

/// The target for a static executable, if this machine can build for it.
fn static_target(workspace: &Workspace) -> Option<&'static str> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    if !process::succeeds(workspace.command("rustup").args(["target", "add", STATIC_TARGET])) {
        note("not static: rustup can't add the target");
        return None;
    }
    if !has_c_compiler(workspace) {
        note("not static: there is no musl-gcc (on Debian: apt-get install musl-tools)");
        return None;
    }
    Some(STATIC_TARGET)
}

/// Whether there is a C compiler for the static target, which the ciphers of TLS need.
fn has_c_compiler(workspace: &Workspace) -> bool {
    let is_there = || workspace.find_program("musl-gcc").is_some();
    is_there()
        || apt::can_install(workspace)
            && apt::install(workspace, &["musl-tools"]).is_ok()
            && is_there()
}

fn compile(workspace: &Workspace, site: &Path, target: Option<&str>) -> Outcome<PathBuf> {
    let mut command = workspace.cargo(&["build", "--package", "server", "--bin", "rollcall"]);
    command.args(["--release", "--locked"]);
    // In a folder of its own, because the release build's executable does not contain the site.
    let folder = workspace.target.join("dist-build");
    command.env("CARGO_TARGET_DIR", &folder).env("ROLLCALL_EMBED", site);
    command.args(target.iter().flat_map(|target| ["--target", target]));
    process::run(&mut command)?;
    let folder = target.map_or(folder.clone(), |target| folder.join(target));
    let built = folder.join("release").join(process::program_file("rollcall"));
    if built.is_file() {
        Ok(built)
    } else {
        Err(Failure::new(format!("The build did not create {}.", built.display())))
    }
}

/// Whether an ELF executable needs a dynamic loader: it then has a program header of type 3,
/// `PT_INTERP` (System V ABI, chapter 5).
fn is_dynamically_linked(program: &[u8]) -> bool {
    const INTERPRETER: [u8; 4] = 3_u32.to_le_bytes();
    const HEADER_IN_BYTES: usize = 56;
    let number = |at: usize, length: usize| {
        let bytes = program.get(at..at + length).unwrap_or_default();
        bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let (table, count) = (number(32, 8), number(56, 2));
    let headers = program.get(table..).unwrap_or_default().chunks_exact(HEADER_IN_BYTES);
    headers.take(count).any(|header| header.starts_with(&INTERPRETER))
}

/// A line for `sha256sum --check`.
fn checksum_line(content: &[u8]) -> String {
    format!("{:x}  rollcall\n", Sha256::digest(content))
}

fn megabytes(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This test's own executable is dynamically linked; without its program headers it is not.
    #[cfg(all(target_os = "linux", target_pointer_width = "64", target_endian = "little"))]
    #[test]
    fn dynamically_linked_executables_are_recognised() {
        let mut program = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(is_dynamically_linked(&program));
        program[56..58].fill(0);
        assert!(!is_dynamically_linked(&program));
        assert!(!is_dynamically_linked(b"#!/bin/sh"));
    }

    #[test]
    fn checksum_line_has_the_format_of_sha256sum() {
        let line = checksum_line(b"abc");
        let expected =
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  rollcall\n";
        assert_eq!(line, expected);
    }
}
