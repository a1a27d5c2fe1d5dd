//! Whether a release build is up to date: a fingerprint of its inputs and outputs.
//!
//! It covers contents, not dates: a fresh clone may use another clone's target directory.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use crate::commands::release::Release;
use crate::output::failure::{Context, Outcome};
use crate::process;
use crate::tools::{gzip, import_names, wasm_opt};
use crate::workspace::Workspace;

/// Entries at the top of the repository that no release build reads. All others are inputs.
const NOT_AN_INPUT: [&str; 10] = [
    ".git", ".ci", ".github", "client", "docs", "end2end", "examples", "target", "testing", "xtask",
];

/// A fingerprint of a release build. It changes with every input and every output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BuildFingerprint(u64);

/// A hash of what a build is made from. It is taken before the build: a file may change while the compiler runs.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Inputs(u64);

impl Inputs {
    /// The inputs as they are now.
    pub(crate) fn of(workspace: &Workspace) -> Outcome<Self> {
        let mut hasher = DefaultHasher::new();
        hash_compiler(workspace, &mut hasher);
        hash_repository(workspace, &mut hasher)
            .with_context(|| "Could not read the files of the repository".to_owned())?;
        Ok(Self(hasher.finish()))
    }
}

impl BuildFingerprint {
    /// The fingerprint of a build from these inputs, as its files are now.
    pub(crate) fn of(inputs: Inputs, release: &Release) -> Outcome<Self> {
        let mut hasher = DefaultHasher::new();
        inputs.hash(&mut hasher);
        hash_release(release, &mut hasher)
            .with_context(|| "Could not read the files of the last build".to_owned())?;
        Ok(Self(hasher.finish()))
    }

    /// Whether the last finished build has this fingerprint.
    pub(crate) fn is_stored(&self, workspace: &Workspace) -> bool {
        fs::read_to_string(path(workspace)).is_ok_and(|text| text == self.text())
    }

    /// Stores the fingerprint of a finished build.
    pub(crate) fn store(&self, workspace: &Workspace) -> Outcome {
        let path = path(workspace);
        fs::write(&path, self.text()).with_context(|| format!("Could not write {}", path.display()))
    }

    /// Removes the stored fingerprint before a build, which may not finish.
    pub(crate) fn remove(workspace: &Workspace) -> Outcome {
        let path = path(workspace);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("Could not remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    fn text(&self) -> String {
        format!("{:016x}\n", self.0)
    }
}

fn path(workspace: &Workspace) -> PathBuf {
    workspace.target.join("rollcall-release.fingerprint")
}

fn hash_compiler(workspace: &Workspace, hasher: &mut DefaultHasher) {
    process::capture(workspace.command("rustc").arg("-vV")).hash(hasher);
    // What this program does to a build by itself: the rest of its code is not looked at.
    (wasm_opt::ARGUMENTS, import_names::VERSION, gzip::LEVEL).hash(hasher);
    let mut variables = std::env::vars_os()
        .filter(|(name, _value)| name.to_str().is_some_and(affects_build))
        .collect::<Vec<_>>();
    variables.sort();
    variables.hash(hasher);
}

/// Whether the variable changes the result of a build.
fn affects_build(name: &str) -> bool {
    let runtime_only = ["LEPTOS_SITE_ADDR", "LEPTOS_SITE_ROOT", "LEPTOS_RELOAD_PORT"];
    let prefixes = ["LEPTOS_", "CARGO_PROFILE_", "CARGO_BUILD_", "CARGO_ENCODED_"];
    name == "RUSTFLAGS"
        || (prefixes.iter().any(|prefix| name.starts_with(prefix)) && !runtime_only.contains(&name))
}

fn hash_repository(workspace: &Workspace, hasher: &mut DefaultHasher) -> io::Result<()> {
    // Cargo identifies packages by path, so two clones with the same content are two builds.
    workspace.root.hash(hasher);
    for entry in sorted_entries(&workspace.root)? {
        let is_input =
            entry.file_name().is_some_and(|name| NOT_AN_INPUT.iter().all(|other| name != *other));
        if is_input && entry != workspace.target {
            hash_tree(&entry, hasher)?;
        }
    }
    Ok(())
}

fn hash_release(release: &Release, hasher: &mut DefaultHasher) -> io::Result<()> {
    // Length and date suffice for the server, which cargo writes in one piece.
    let server = release.server.metadata().ok();
    server.map(|server| (server.len(), server.modified().ok())).hash(hasher);
    fs::read(release.server.with_file_name("hash.txt")).ok().hash(hasher);
    if release.site.is_dir() {
        hash_tree(&release.site, hasher)?;
    }
    Ok(())
}

/// Hashes the names and contents of everything at and below a path.
fn hash_tree(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let kind = path.symlink_metadata()?.file_type();
    path.file_name().hash(hasher);
    if kind.is_dir() {
        for entry in sorted_entries(path)? {
            hash_tree(&entry, hasher)?;
        }
        // An end mark, so that a file does not hash like one of the folder above.
        hasher.write_u8(0);
    } else if kind.is_file() {
        fs::read(path)?.hash(hasher);
    } else if kind.is_symlink() {
        fs::read_link(path)?.hash(hasher);
    }
    Ok(())
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_affect_a_build_are_hashed() {
        for name in ["RUSTFLAGS", "LEPTOS_JS_MINIFY", "CARGO_PROFILE_RELEASE_LTO"] {
            assert!(affects_build(name), "{name}");
        }
        for name in ["LEPTOS_SITE_ADDR", "CARGO_PKG_NAME", "RUST_LOG", "PATH"] {
            assert!(!affects_build(name), "{name}");
        }
    }

    #[test]
    fn tree_hash_depends_on_names_contents_and_places() {
        let folder =
            std::env::temp_dir().join(format!("rollcall-fingerprint-{}", std::process::id()));
        let inner = folder.join("inner");
        fs::create_dir_all(&inner).unwrap();
        let fingerprint = || {
            let mut hasher = DefaultHasher::new();
            hash_tree(&folder, &mut hasher).unwrap();
            hasher.finish()
        };
        fs::write(inner.join("file"), "one").unwrap();
        let first = fingerprint();
        fs::write(inner.join("file"), "two").unwrap();
        let changed = fingerprint();
        fs::rename(inner.join("file"), folder.join("file")).unwrap();
        let moved = fingerprint();
        fs::rename(folder.join("file"), inner.join("file")).unwrap();
        fs::write(inner.join("file"), "one").unwrap();
        let restored = fingerprint();
        fs::remove_dir_all(&folder).unwrap();

        assert_ne!(first, changed);
        assert_ne!(changed, moved);
        assert_eq!(first, restored);
    }
}
