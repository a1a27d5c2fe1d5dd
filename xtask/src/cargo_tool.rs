//! A tool that cargo can build: found, fetched, or compiled, and then reachable by its name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::failure::{Failure, OrSay, Outcome};
use crate::prebuilt;
use crate::process;
use crate::step::remark;
use crate::version::Version;
use crate::workspace::Workspace;

/// A command line tool that is a cargo package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CargoTool {
    /// The program.
    pub(crate) name: &'static str,
    /// The package that it comes with.
    pub(crate) package: &'static str,
    /// What `cargo install` is told besides.
    pub(crate) flags: &'static [&'static str],
}

/// Which versions will do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// This one only.
    Exactly(Version),
    /// This one and later ones of the same `0.x`.
    Compatible(Version),
}

impl Wanted {
    fn version(self) -> Version {
        match self {
            Self::Exactly(version) | Self::Compatible(version) => version,
        }
    }

    fn accepts(self, found: Version) -> bool {
        match self {
            Self::Exactly(version) => found == version,
            Self::Compatible(version) => {
                found >= version && (found.major, found.minor) == (version.major, version.minor)
            }
        }
    }
}

impl CargoTool {
    /// Finds the tool or installs it, by the fastest way that works here, and makes it reachable
    /// for commands that the user types. Gives the program's path.
    pub(crate) fn ensure(self, workspace: &Workspace, wanted: Wanted) -> Outcome<PathBuf> {
        let name = self.name;
        let fits = |program: &Path| version_of(program).is_some_and(|found| wanted.accepts(found));
        let program = match workspace.find_program(name) {
            Some(program) if fits(&program) => {
                remark("there");
                program
            }
            _ => self.install(workspace, wanted.version(), fits)?,
        };
        self.make_reachable(workspace, &program, wanted.version(), fits)?;
        Ok(program)
    }

    fn install(
        self,
        workspace: &Workspace,
        version: Version,
        fits: impl Fn(&Path) -> bool,
    ) -> Outcome<PathBuf> {
        let program = workspace.tools().join("bin").join(process::program_file(self.name));
        let prebuilt = (prebuilt::binstall(workspace, &self, version) && fits(&program))
            || (prebuilt::download(workspace, &self, version) && fits(&program));
        if prebuilt {
            remark(&format!("{version}, built by its authors"));
            return Ok(program);
        }
        remark(&format!("{version} is compiled: this takes minutes, and only once"));
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
            // A tool's own release profile takes far longer to compile than it saves here.
            .arg("--debug")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_CODEGEN_UNITS", "16")
            // Checks for the tools' own authors cost time, now and in every build.
            .env("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false")
            .env("CARGO_PROFILE_DEV_OVERFLOW_CHECKS", "false")
            .env("CARGO_INCREMENTAL", "0")
            // One directory, so that the tools share what they both depend on.
            .env("CARGO_TARGET_DIR", workspace.tools().join("target"))
            .arg("--root")
            .arg(workspace.tools())
            .arg("--version")
            .arg(version.to_string())
            .args(self.flags)
            .arg(self.package);
        if self.name == "cargo-leptos" && has_openssl(workspace) {
            // Else it compiles an OpenSSL of its own.
            command.env("OPENSSL_NO_VENDOR", "1");
        }
        process::run(&mut command).map_err(|failure| {
            Failure::new(format!(
                "{failure} Where nothing can be downloaded, install {} {version} by hand.",
                self.name
            ))
        })
    }

    /// `cargo leptos watch` must work when typed by itself: what is not on the user's own search
    /// path is linked into the folder where cargo looks for its programs.
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
                .or_say(|| format!("Could not link {name} to {}", link.display()))?;
            remark(&format!("linked to {}", link.display()));
        }
        if let Some(other) = users_own().filter(|own| !fits(own)) {
            remark(&format!(
                "{} is another version: `cargo xtask dev` works, but `cargo leptos watch` typed by \
                 itself needs {name} {version} in its place",
                other.display()
            ));
        }
        Ok(())
    }
}

fn version_of(program: &Path) -> Option<Version> {
    Version::find_in(&process::answer_of(Command::new(program).arg("--version"))?)
}

/// Whether cargo-leptos can be linked with the system's OpenSSL, which saves compiling one.
/// Where compiling one is impossible too, Debian's is installed.
fn has_openssl(workspace: &Workspace) -> bool {
    let found = || process::succeeds(workspace.command("pkg-config").args(["--exists", "openssl"]));
    let can_compile = ["make", "perl"].iter().all(|name| workspace.find_program(name).is_some());
    if !found() && !can_compile && debian::can_install(workspace) {
        // If this fails, so does the compilation, which then says what it misses.
        drop(debian::install(workspace, &["libssl-dev", "pkg-config"]));
    }
    found()
}

/// A path with nothing there, or with a link that set-up made: a file of the user's own stays.
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
    fn later_patches_are_compatible_other_minors_are_not() {
        let wanted = Wanted::Compatible(Version::new(0, 3, 10));
        for (found, accepted) in [
            (Version::new(0, 3, 10), true),
            (Version::new(0, 3, 11), true),
            (Version::new(0, 3, 9), false),
            (Version::new(0, 4, 0), false),
            (Version::new(1, 3, 10), false),
        ] {
            assert_eq!(wanted.accepts(found), accepted, "{found}");
        }
        assert!(!Wanted::Exactly(Version::new(0, 2, 129)).accepts(Version::new(0, 2, 130)));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_the_users_own_is_never_replaced() {
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
