//! The server under load: a process of its own, or one that runs elsewhere.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, ToSocketAddrs},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::error::LoadError;
use crate::measure::system::{CpuUsage, Memory, pin_thread};

/// Which cores the two sides run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores {
    /// Of the server.
    pub server: Vec<usize>,
    /// Of this program.
    pub generator: Vec<usize>,
}

/// A server that answers at an address.
#[derive(Debug)]
pub struct Server {
    /// Where it answers.
    pub address: SocketAddr,
    process: Option<ServerProcess>,
}

#[derive(Debug)]
struct ServerProcess {
    child: Child,
    directory: TempDir,
}

/// What the server has used and holds, where that can be seen.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// Of the processors.
    pub cpu: Option<CpuUsage>,
    /// Of the memory.
    pub memory: Option<Memory>,
}

impl Usage {
    /// What was used of the processors since `earlier`.
    pub fn cpu_since(&self, earlier: &Self) -> Option<Duration> {
        Some(self.cpu.as_ref()?.since(earlier.cpu.as_ref()?))
    }
}

/// Whom the server lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdmissionLimits {
    /// As many as come, all from one address.
    Off,
    /// Whom it lets in where nothing is set.
    Default,
}

impl AdmissionLimits {
    fn settings(self) -> &'static str {
        match self {
            Self::Off => NO_LIMITS,
            Self::Default => "",
        }
    }
}

/// The server's settings: all defaults, but a room for as many as wanted.
const SETTINGS: &str = "[[workspace.metadata.leptos]]\noutput-name = \"rollcall\"\nenv = \"PROD\"\n\
    [presence]\nmax-people-per-room = 200000\n";

/// Who come to an open door all come from one address.
const NO_LIMITS: &str = "[door]\nmax-connections-per-address = 0\nmax-sockets-per-address = 0\n\
    new-sockets-per-second-per-address = 0\nmax-sockets-per-room = 0\n";

impl Server {
    /// A server that was started by somebody else.
    pub fn elsewhere(url: &str) -> Result<Self, LoadError> {
        let authority = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
        let address = authority.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
        let address = address.ok_or_else(|| LoadError::Url(url.to_owned()))?;
        Ok(Self { address, process: None })
    }

    /// Starts this program on a free port, with a state directory of its own.
    pub fn start(
        program: &Path,
        cores: Option<&Cores>,
        limits: AdmissionLimits,
    ) -> Result<Self, LoadError> {
        let io_error = |what: &'static str| move |source| LoadError::Io { what, source };
        let directory =
            tempfile::tempdir().map_err(io_error("a temporary folder can't be made"))?;
        let settings = directory.path().join("Leptos.toml");
        fs::write(&settings, [SETTINGS, limits.settings()].concat())
            .map_err(io_error("the server's settings can't be written"))?;
        let log = fs::File::create(directory.path().join("log"));
        let log = log.map_err(io_error("the server's log can't be written"))?;
        // A child runs where its parent runs, and counts those cores before it starts its threads.
        if let Some(cores) = cores {
            pin_thread(&cores.server).map_err(io_error("the server can't be pinned"))?;
        }
        let child = Command::new(program)
            .current_dir(directory.path())
            .arg("--config")
            .arg(&settings)
            .arg("--state-dir")
            .arg(directory.path().join("state"))
            .args(["--addr", "127.0.0.1:0"])
            .env("ROLLCALL_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn();
        if let Some(cores) = cores {
            pin_thread(&cores.generator).map_err(io_error("the generator can't be pinned"))?;
        }
        let mut child = child.map_err(io_error("the server can't be started"))?;
        let mut line = String::new();
        let read = child.stdout.take().map(|output| BufReader::new(output).read_line(&mut line));
        let process = ServerProcess { child, directory };
        match (read, line.trim().strip_prefix("Listening on http://").map(str::parse)) {
            (Some(Ok(_)), Some(Ok(address))) => Ok(Self { address, process: Some(process) }),
            _ => Err(LoadError::Server(process.stderr_tail())),
        }
    }

    /// What it has used and holds.
    pub fn usage(&self) -> Usage {
        let Some(process) = &self.process else { return Usage::default() };
        let pid = process.child.id();
        Usage { cpu: CpuUsage::of(pid), memory: Memory::of(pid) }
    }

    /// Lets the peak of its memory begin anew, where that can be done.
    pub fn reset_peak(&self) {
        if let Some(process) = &self.process {
            // Without it the peak is that of the whole run, which is the same in a process that just began.
            drop(Memory::reset_peak(process.child.id()));
        }
    }

    /// What it wrote to its log, if it is this program's own.
    pub fn stderr_tail(&self) -> Option<String> {
        self.process.as_ref().map(ServerProcess::stderr_tail)
    }
}

impl ServerProcess {
    fn stderr_tail(&self) -> String {
        let log = fs::read(self.directory.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // One that ended already can't be killed again.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
