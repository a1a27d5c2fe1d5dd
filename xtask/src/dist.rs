//! One executable with everything inside, its checksum, and what it is made of.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::build;
use crate::failure::{Failure, OrSay, Outcome};
use crate::process;
use crate::sbom;
use crate::smoke;
use crate::step::{self, remark, step};
use crate::workspace::Workspace;

/// What runs on any Linux of this processor, since nothing in it is linked to the system's libraries.
const STATIC_TARGET: &str = if cfg!(target_arch = "aarch64") {
    "aarch64-unknown-linux-musl"
} else {
    "x86_64-unknown-linux-musl"
};

/// Builds the page and the program that holds it, and tries it out in an empty folder.
pub(crate) fn run(workspace: &Workspace, begun: Instant) -> Outcome {
    let release = build::run(workspace)?;
    let target = static_target(workspace);
    let built =
        step("the program with everything inside", || compile(workspace, &release.site, target))?;
    let folder = workspace.target.join("dist");
    let program = folder.join(process::program_file("rollcall"));
    let written = || format!("Could not write to {}", folder.display());
    fs::create_dir_all(&folder).or_say(written)?;
    fs::copy(&built, &program).or_say(written)?;
    let content = fs::read(&program).or_say(written)?;
    fs::write(folder.join("rollcall.sha256"), checksum_line(&content)).or_say(written)?;
    let parts = sbom::of_the_server(workspace, target)?;
    fs::write(folder.join("rollcall.cdx.json"), parts).or_say(written)?;
    step("the program in an empty folder", || smoke::try_out(&program))?;
    step::total(begun);
    println!(
        "{} ({:.1} MB), with rollcall.sha256 and rollcall.cdx.json beside it",
        program.display(),
        megabytes(content.len())
    );
    Ok(())
}

/// The target for a static program, if this machine builds for it.
fn static_target(workspace: &Workspace) -> Option<&'static str> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let add = process::succeeds(workspace.command("rustup").args(["target", "add", STATIC_TARGET]));
    if !add {
        remark("not static: rustup can't add the target for it");
    }
    add.then_some(STATIC_TARGET)
}

fn compile(workspace: &Workspace, site: &Path, target: Option<&str>) -> Outcome<PathBuf> {
    let mut command = workspace.cargo(&["build", "--package", "server", "--bin", "rollcall"]);
    command.args(["--release", "--locked"]);
    // In a folder of its own: the release build's program has no files inside.
    let folder = workspace.target.join("dist-build");
    command.env("CARGO_TARGET_DIR", &folder).env("ROLLCALL_EMBED", site);
    command.args(target.iter().flat_map(|target| ["--target", target]));
    process::run(&mut command)?;
    let folder = target.map_or(folder.clone(), |target| folder.join(target));
    let built = folder.join("release").join(process::program_file("rollcall"));
    if built.is_file() {
        Ok(built)
    } else {
        Err(Failure::new(format!("The build made no {}.", built.display())))
    }
}

/// As `sha256sum --check` reads it.
fn checksum_line(content: &[u8]) -> String {
    format!("{:x}  rollcall\n", Sha256::digest(content))
}

fn megabytes(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_what_sha256sum_reads() {
        let line = checksum_line(b"abc");
        let expected =
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  rollcall\n";
        assert_eq!(line, expected);
    }
}
