//! A tool that is a cargo package: it is found, downloaded or compiled, and put on the search path.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::output::failure::{Context, Failure, Outcome};
use crate::output::step::note;
use crate::process;
use crate::tools::apt;
use crate::tools::prebuilt;
use crate::tools::version::Version;
use crate::workspace::Workspace;

/// A command line tool that is a cargo package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CargoTool {
    /// The program's name.
    pub(crate) name: &'static str,
    /// The package that contains the program.
    pub(crate) package: &'static str,
    /// Additional arguments of `cargo install`.
    pub(crate) flags: &'static [&'static str],
}

/// Which versions are accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum VersionRequirement {
    /// This version only.
    Exactly(Version),
    /// This version and later ones of the same `0.x`.
    Compatible(Version),
}

impl VersionRequirement {
    fn version(self) -> Version {
        match self {
            Self::Exactly(version) | Self::Compatible(version) => version,
        }
    }

    fn matches(self, found: Version) -> bool {
        match self {
            Self::Exactly(version) => found == version,
            Self::Compatible(version) => {
                found >= version && (found.major, found.minor) == (version.major, version.minor)
            }
        }
    }
}

impl CargoTool {
    /// Finds the tool or installs it by the fastest way that works here, and makes it available
    /// to commands that the user types. Returns the program's path.
    pub(crate) fn ensure(
        self,
        workspace: &Workspace,
        requirement: VersionRequirement,
    ) -> Outcome<PathBuf> {
        let name = self.name;
        let fits =
            |program: &Path| version_of(program).is_some_and(|found| requirement.matches(found));
        let program = match workspace.find_program(name) {
            Some(program) if fits(&program) => {
                note("already installed");
                program
            }
            _ => self.install(workspace, requirement.version(), fits)?,
        };
        self.make_reachable(workspace, &program, requirement.version(), fits)?;
        Ok(program)
    }

    fn install(
        self,
        workspace: &Workspace,
        version: Version,
        fits: impl Fn(&Path) -> bool,
    ) -> Outcome<PathBuf> {
        let program = workspace.tools().join("bin").join(process::program_file(self.name));
        let prebuilt = (prebuilt::binstall(workspace, self.package, version) && fits(&program))
            || (prebuilt::download(workspace, self.name, version) && fits(&program));
        if prebuilt {
            note(&format!("{version}, downloaded from its authors"));
            return Ok(program);
        }
        note(&format!("compiling {version}: this takes minutes, but only once"));
        self.compile(workspace, version)?;
        if fits(&program) {
            Ok(program)
        } else {
            Err(Failure::new(format!(
                "{} {version} was compiled but does not start: run `{}` to see why.",
                self.name,
                program.display()
            )))
        }
    }

    fn compile(self, workspace: &Workspace, version: Version) -> Outcome {
        let mut command = workspace.cargo(&["install", "--locked", "--force"]);
        command
            // A tool's release profile costs more compile time than it saves here.
            .arg("--debug")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_CODEGEN_UNITS", "16")
            // Assertions for the tools' authors cost time, now and in every build.
            .env("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false")
            .env("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", "false")
            .env("CARGO_INCREMENTAL", "0")
            // One directory, so that the tools share their common dependencies.
            .env("CARGO_TARGET_DIR", workspace.tools().join("target"))
            .arg("--root")
            .arg(workspace.tools())
            .arg("--version")
            .arg(version.to_string())
            .args(self.flags)
            .arg(self.package);
        if self.name == "cargo-leptos" && has_openssl(workspace) {
            // Otherwise it compiles OpenSSL from source.
            command.env("OPENSSL_NO_VENDOR", "1");
        }
        process::run(&mut command).map_err(|failure| {
            Failure::new(format!(
                "{failure} Without access to the network, install {} {version} by hand.",
                self.name
            ))
        })
    }

    /// `cargo leptos watch` must work when the user types it, so a program that is not on the
    /// user's own search path is linked into the folder where cargo looks for subcommands.
    fn make_reachable(
        self,
        workspace: &Workspace,
        program: &Path,
        version: Version,
        fits: impl Fn(&Path) -> bool,
    ) -> Outcome {
        let users_own = || process::find_program(self.name, &workspace.user_path);
        if users_own().is_some_and(|own| fits(&own)) {
            return Ok(());
        }
        let link = workspace.cargo_bin().join(process::program_file(self.name));
        let name = self.name;
        if is_replaceable(&link) {
            link_or_copy(program, &link)
                .with_context(|| format!("Could not link {name} to {}", link.display()))?;
            note(&format!("linked to {}", link.display()));
        }
        if let Some(other) = users_own().filter(|own| !fits(own)) {
            note(&format!(
                "{} is another version: `cargo xtask dev` works, but `cargo leptos watch` needs \
                 {name} {version} in its place",
                other.display()
            ));
        }
        Ok(())
    }
}

fn version_of(program: &Path) -> Option<Version> {
    Version::find_in(&process::capture(Command::new(program).arg("--version"))?)
}

/// Whether cargo-leptos can be linked with the system's OpenSSL, which saves compiling it.
/// Debian's package is installed where OpenSSL could not be compiled either.
fn has_openssl(workspace: &Workspace) -> bool {
    let found = || process::succeeds(workspace.command("pkg-config").args(["--exists", "openssl"]));
    let can_compile = ["make", "perl"].iter().all(|name| workspace.find_program(name).is_some());
    if !found() && !can_compile && apt::can_install(workspace) {
        // If this fails, so does the compilation, whose error then names what is missing.
        drop(apt::install(workspace, &["libssl-dev", "pkg-config"]));
    }
    found()
}

/// Whether the path is free, or holds a link that set-up made: the user's own files are kept.
fn is_replaceable(link: &Path) -> bool {
    if link.symlink_metadata().is_err() {
        return true;
    }
    fs::read_link(link).is_ok_and(|program| {
        let is_ours = program.parent().is_some_and(|bin| bin.ends_with("tools/bin"));
        is_ours || !program.exists()
    })
}

/// Makes a program reachable under another path, over whatever was there.
#[cfg(unix)]
pub(crate) fn link_or_copy(program: &Path, link: &Path) -> std::io::Result<()> {
    if let Some(folder) = link.parent() {
        fs::create_dir_all(folder)?;
    }
    if link.symlink_metadata().is_ok() {
        fs::remove_file(link)?;
    }
    std::os::unix::fs::symlink(program, link)
}

/// Makes a program reachable under another path, over whatever was there.
#[cfg(not(unix))]
pub(crate) fn link_or_copy(program: &Path, link: &Path) -> std::io::Result<()> {
    if let Some(folder) = link.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(program, link).map(|_bytes| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compatible_requirement_accepts_later_patches_only() {
        let requirement = VersionRequirement::Compatible(Version::new(0, 3, 10));
        for (found, accepted) in [
            (Version::new(0, 3, 10), true),
            (Version::new(0, 3, 11), true),
            (Version::new(0, 3, 9), false),
            (Version::new(0, 4, 0), false),
            (Version::new(1, 3, 10), false),
        ] {
            assert_eq!(requirement.matches(found), accepted, "{found}");
        }
        assert!(
            !VersionRequirement::Exactly(Version::new(0, 2, 129)).matches(Version::new(0, 2, 130))
        );
    }

    #[cfg(unix)]
    #[test]
    fn users_own_files_are_never_replaced() {
        let folder = std::env::temp_dir().join(format!("rollcall-links-{}", std::process::id()));
        let tool = folder.join("tools/bin/tool");
        fs::create_dir_all(folder.join("tools/bin")).unwrap();
        fs::write(&tool, "").unwrap();
        fs::write(folder.join("own"), "").unwrap();
        link_or_copy(&tool, &folder.join("ours")).unwrap();
        link_or_copy(&folder.join("gone"), &folder.join("dangling")).unwrap();
        link_or_copy(&folder.join("own"), &folder.join("theirs")).unwrap();

        let replaceable = ["absent", "ours", "dangling", "own", "theirs"]
            .map(|name| is_replaceable(&folder.join(name)));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(replaceable, [true, true, true, false, false]);
    }
}
