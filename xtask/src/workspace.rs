//! Paths: the repository, the target directory, the cache of tools, the search path.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::output::failure::{Context, Failure, Outcome};
use crate::process;

/// The paths that every command uses. All are absolute.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, as configured by the user or the CI.
    pub(crate) target: PathBuf,
    /// The tools that set-up shares between runs and between clones.
    pub(crate) cache: PathBuf,
    /// The user's own search path.
    pub(crate) user_path: OsString,
    /// The search path of every child process: the cached tools, then the user's own.
    pub(crate) search_path: OsString,
    cargo_home: PathBuf,
}

impl Workspace {
    /// Finds everything from the environment and from cargo.
    pub(crate) fn find() -> Outcome<Self> {
        let root = repository();
        let home = std::env::home_dir();
        let cache = cache_directory(
            variable("ROLLCALL_CACHE"),
            variable("XDG_CACHE_HOME"),
            home.as_deref(),
        )
        .ok_or_else(|| {
            Failure::new("There is no home directory: set ROLLCALL_CACHE to a directory for tools.")
        })?;
        let cache = std::path::absolute(&cache)
            .with_context(|| format!("Could not use the cache directory {}", cache.display()))?;
        let cargo_home = variable("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| home.map(|home| home.join(".cargo")))
            .ok_or_else(|| Failure::new("There is no home directory: set CARGO_HOME."))?;
        let user_path = std::env::var_os("PATH").unwrap_or_default();
        let search_path = search_path(&cache, &user_path)?;
        let target = target_directory(&root)?;
        Ok(Self { root, target, cache, user_path, search_path, cargo_home })
    }

    /// A command that runs in the repository, with the cached tools and the same target directory.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env("PATH", &self.search_path)
            .env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// A cargo command with these arguments.
    pub(crate) fn cargo(&self, words: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(words);
        command
    }

    /// The first program of this name: cached tools come before the user's own.
    pub(crate) fn find_program(&self, name: &str) -> Option<PathBuf> {
        process::find_program(name, &self.search_path)
    }

    /// Where set-up installs tools that are cargo packages; the programs are in `bin` below it.
    pub(crate) fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// Where set-up installs npm packages that a build needs.
    pub(crate) fn node(&self) -> PathBuf {
        self.cache.join("node")
    }

    /// Where cargo looks for its own subcommands.
    pub(crate) fn cargo_bin(&self) -> PathBuf {
        self.cargo_home.join("bin")
    }

    /// The release build's server program.
    pub(crate) fn server(&self) -> PathBuf {
        self.release_program("rollcall")
    }

    /// A program of the release build.
    pub(crate) fn release_program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(process::program_file(name))
    }

    /// The release build's site: the static files that the server serves.
    pub(crate) fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// The package of the JavaScript client.
    pub(crate) fn client(&self) -> PathBuf {
        self.root.join("client")
    }

    /// The package of the linters of the descriptions.
    pub(crate) fn descriptions(&self) -> PathBuf {
        self.root.join("testing/descriptions")
    }

    /// The package of the browser tests.
    pub(crate) fn end2end(&self) -> PathBuf {
        self.root.join("end2end")
    }
}

/// The repository: the folder above this package. Cargo's variable comes first, because a binary
/// in a shared target directory may have been built from another clone.
fn repository() -> PathBuf {
    let package = variable("CARGO_MANIFEST_DIR")
        .unwrap_or_else(|| OsString::from(env!("CARGO_MANIFEST_DIR")));
    let package = PathBuf::from(package);
    package.parent().map_or(package.clone(), Path::to_path_buf)
}

/// The value of a variable that is set and not empty.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn cache_directory(
    own: Option<OsString>,
    xdg: Option<OsString>,
    home: Option<&Path>,
) -> Option<PathBuf> {
    own.map(PathBuf::from)
        .or_else(|| xdg.map(|xdg| PathBuf::from(xdg).join("rollcall")))
        .or_else(|| home.map(|home| home.join(".cache").join("rollcall")))
}

fn search_path(cache: &Path, user_path: &OsStr) -> Outcome<OsString> {
    let own =
        [cache.join("tools").join("bin"), cache.join("node").join("node_modules").join(".bin")];
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(user_path)))
        .with_context(|| "Could not put the tools first on PATH".to_owned())
}

/// Cargo is asked, because it reads the environment and every configuration file.
fn target_directory(root: &Path) -> Outcome<PathBuf> {
    // In the current directory, to which a relative CARGO_TARGET_DIR refers.
    let answer = process::capture(
        Command::new("cargo")
            .args(["metadata", "--no-deps", "--format-version=1"])
            .arg("--manifest-path")
            .arg(root.join("Cargo.toml")),
    );
    answer
        .as_deref()
        .and_then(|metadata| json_text(metadata, "target_directory"))
        .map(PathBuf::from)
        .ok_or_else(|| Failure::new("`cargo metadata` failed: run it to see its error."))
}

/// The value of the first `"key":"value"` in compact JSON, with escapes (of Windows paths) removed.
fn json_text(json: &str, key: &str) -> Option<String> {
    let start = format!("\"{key}\":\"");
    let (_before, rest) = json.split_once(&start)?;
    let mut text = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => text.push(characters.next()?),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_directory_prefers_its_own_variable_then_xdg_then_home() {
        let some = |text: &str| Some(OsString::from(text));
        let home = Some(Path::new("home"));
        let cases = [
            (some("own"), some("xdg"), home, Some("own")),
            (None, some("xdg"), home, Some("xdg/rollcall")),
            (None, None, home, Some("home/.cache/rollcall")),
            (None, None, None, None),
        ];
        for (own, xdg, home, expected) in cases {
            assert_eq!(cache_directory(own, xdg, home), expected.map(PathBuf::from));
        }
    }

    #[test]
    fn cached_tools_come_first_in_the_search_path() {
        let user = std::env::join_paths(["a", "b"]).unwrap();
        let path = search_path(Path::new("cache"), &user).unwrap();
        let directories = std::env::split_paths(&path).collect::<Vec<_>>();
        assert_eq!(
            directories,
            ["cache/tools/bin", "cache/node/node_modules/.bin", "a", "b"].map(PathBuf::from)
        );
    }

    #[test]
    fn json_text_reads_a_windows_path() {
        let json = r#"{"version":1,"target_directory":"C:\\a \"b\"","workspace_root":"x"}"#;
        assert_eq!(json_text(json, "target_directory").as_deref(), Some(r#"C:\a "b""#));
        assert_eq!(json_text(json, "build_directory"), None);
        assert_eq!(json_text(r#"{"a":"never ends"#, "a"), None);
    }

    #[test]
    fn repository_contains_the_toolchain_file() {
        assert!(repository().join("rust-toolchain.toml").is_file());
    }
}
