//! Prebuilt tools, downloaded from their authors.
//!
//! Nothing here reports a failure: a download is tried once, briefly, and if it fails the tool is
//! compiled instead.

use std::fs;
use std::path::Path;

use crate::process;
use crate::tools::version::Version;
use crate::workspace::Workspace;

/// Installs a package by `cargo binstall`, where the user has it. Returns whether that worked.
pub(crate) fn binstall(workspace: &Workspace, package: &str, version: Version) -> bool {
    workspace.find_program("cargo-binstall").is_some()
        && process::succeeds(
            workspace
                .cargo(&["binstall", "--no-confirm", "--force"])
                // If there is no binary, `CargoTool` compiles, without the tool's release profile.
                .args(["--disable-strategies", "compile"])
                .arg("--root")
                .arg(workspace.tools())
                .arg(format!("{package}@{version}")),
        )
}

/// Downloads a program from its release page. Returns whether that worked.
pub(crate) fn download(workspace: &Workspace, name: &str, version: Version) -> bool {
    let Some(archive) = Archive::of(name, version, std::env::consts::OS, std::env::consts::ARCH)
    else {
        return false;
    };
    let folder = workspace.tools().join("download");
    let bin = workspace.tools().join("bin");
    let fetched = fs::create_dir_all(&folder).is_ok()
        && fs::create_dir_all(&bin).is_ok()
        && fetch(workspace, &archive, &folder)
        && replace(&folder.join(&archive.folder).join(name), &bin.join(name));
    // A folder that stays does no harm.
    drop(fs::remove_dir_all(&folder));
    fetched
}

/// An archive on a release page, and the folder in it that holds the program.
#[derive(Debug, PartialEq, Eq)]
struct Archive {
    address: String,
    folder: String,
}

impl Archive {
    fn of(tool: &str, version: Version, system: &str, processor: &str) -> Option<Self> {
        let platform = match (system, processor) {
            // Statically linked, so that it does not depend on the system's libraries.
            ("linux", "x86_64") if tool == "wasm-bindgen" => "x86_64-unknown-linux-musl",
            ("linux", "x86_64") => "x86_64-unknown-linux-gnu",
            ("linux", "aarch64") => "aarch64-unknown-linux-gnu",
            ("macos", "x86_64") => "x86_64-apple-darwin",
            ("macos", "aarch64") => "aarch64-apple-darwin",
            _ => return None,
        };
        let (project, tag, folder) = match tool {
            "cargo-leptos" => (
                "leptos-rs/cargo-leptos",
                format!("v{version}"),
                format!("cargo-leptos-{platform}"),
            ),
            "wasm-bindgen" => (
                "wasm-bindgen/wasm-bindgen",
                version.to_string(),
                format!("wasm-bindgen-{version}-{platform}"),
            ),
            _ => return None,
        };
        let address =
            format!("https://github.com/{project}/releases/download/{tag}/{folder}.tar.gz");
        Some(Self { address, folder })
    }
}

fn fetch(workspace: &Workspace, archive: &Archive, folder: &Path) -> bool {
    let file = folder.join("archive.tar.gz");
    process::succeeds(
        workspace
            .command("curl")
            .args(["--fail", "--silent", "--location", "--proto", "=https"])
            // Two seconds suffice to find out whether there is a network.
            .args(["--connect-timeout", "2", "--max-time", "120"])
            .arg("--output")
            .arg(&file)
            .arg(&archive.address),
    ) && process::succeeds(workspace.command("tar").arg("-xzf").arg(&file).arg("-C").arg(folder))
}

/// Replaces a program atomically.
fn replace(from: &Path, to: &Path) -> bool {
    fs::rename(from, to).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_addresses_match_the_release_pages() {
        let leptos = Archive::of("cargo-leptos", Version::new(0, 3, 10), "linux", "x86_64");
        assert_eq!(
            leptos.map(|archive| archive.address).as_deref(),
            Some(
                "https://github.com/leptos-rs/cargo-leptos/releases/download/v0.3.10/\
                 cargo-leptos-x86_64-unknown-linux-gnu.tar.gz"
            )
        );
        let bindgen = Archive::of("wasm-bindgen", Version::new(0, 2, 129), "linux", "x86_64");
        assert_eq!(
            bindgen.map(|archive| archive.folder).as_deref(),
            Some("wasm-bindgen-0.2.129-x86_64-unknown-linux-musl")
        );
    }

    #[test]
    fn unknown_systems_have_no_archive() {
        let version = Version::new(0, 3, 10);
        assert_eq!(Archive::of("cargo-leptos", version, "freebsd", "x86_64"), None);
        assert_eq!(Archive::of("wasm-opt", version, "linux", "x86_64"), None);
    }
}
