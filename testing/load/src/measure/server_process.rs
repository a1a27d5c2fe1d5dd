//! The server under load: a child process, or a server that is already running.

use std::{
    fs,
    io::{self, BufRead, BufReader},
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    error::LoadError,
    measure::peer::Peer,
    measure::system::{CpuUsage, Memory, ProcessSignal, pin_thread, send_signal},
};

/// The cores of the two sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores {
    /// Cores of the server.
    pub server: Vec<usize>,
    /// Cores of this program.
    pub generator: Vec<usize>,
}

/// A server under load.
#[derive(Debug)]
pub struct Server {
    /// Its address.
    pub address: SocketAddr,
    process: Option<ServerProcess>,
}

#[derive(Debug)]
struct ServerProcess {
    child: Child,
    directory: TempDir,
    /// `None` for a peer, which is not started again.
    rollcall: Option<Rollcall>,
    cores: Option<Cores>,
}

/// What Rollcall is started with, and started with again.
#[derive(Debug)]
struct Rollcall {
    program: PathBuf,
    operator: SocketAddr,
    open_files: Option<u32>,
}

/// The server's use of CPU and memory, where it can be read.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// CPU time by thread.
    pub cpu: Option<CpuUsage>,
    /// Memory.
    pub memory: Option<Memory>,
}

impl Usage {
    /// The CPU time since `earlier`.
    pub fn cpu_since(&self, earlier: &Self) -> Option<Duration> {
        Some(self.cpu.as_ref()?.since(earlier.cpu.as_ref()?))
    }

    /// The use of two processes; unknown where one of them is.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.zip(other.cpu).map(|(one, other)| one.and(other)),
            memory: self.memory.zip(other.memory).map(|(one, other)| one.and(other)),
        }
    }
}

/// The server's limits for connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdmissionLimits {
    /// No limits, because all clients have the same address.
    Off,
    /// The server's defaults.
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

/// The server's settings: defaults, except the number of people in a room.
const SETTINGS: &str = "[[workspace.metadata.leptos]]\noutput-name = \"rollcall\"\nenv = \"PROD\"\n\
    [presence]\nmax-people-per-room = 200000\n";

/// The settings without limits. Nor is there a rate of what a room sends: the baseline has none.
const NO_LIMITS: &str = "[limits]\nmax-connections-per-address = 0\nmax-sockets-per-address = 0\n\
    socket-rate-per-address = 0\nprocessor-rate-per-address = 0\nmax-sockets-per-room = 0\n\
    max-room-bytes-per-second = 0\nmax-bytes-in-flight-per-address = 0\n";

/// What a server under load is started with, besides the defaults.
#[derive(Clone, Copy, Debug)]
pub struct ServerSettings<'lines> {
    /// The limits of connections.
    pub limits: AdmissionLimits,
    /// Lines for the table `[presence]`.
    pub presence: &'lines str,
    /// How many files it may have open; none is the limit of this program.
    pub open_files: Option<u32>,
}

impl From<AdmissionLimits> for ServerSettings<'_> {
    fn from(limits: AdmissionLimits) -> Self {
        Self { limits, presence: "", open_files: None }
    }
}

/// A free port of loopback.
const ANY_PORT: &str = "127.0.0.1:0";

impl Server {
    /// A server that is already running at this URL.
    pub fn running(url: &str) -> Result<Self, LoadError> {
        let authority = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
        let address = authority.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
        let address = address.ok_or_else(|| LoadError::Url(url.to_owned()))?;
        Ok(Self { address, process: None })
    }

    /// Starts the program on a free port, with a state directory of its own.
    pub fn start<'lines>(
        program: &Path,
        cores: Option<&Cores>,
        settings: impl Into<ServerSettings<'lines>>,
    ) -> Result<Self, LoadError> {
        let ServerSettings { limits, presence, open_files } = settings.into();
        let io_error = |what: &'static str| move |source| LoadError::Io { what, source };
        let directory =
            tempfile::tempdir().map_err(io_error("could not create a temporary folder"))?;
        let settings = [SETTINGS, presence, "\n", limits.settings()].concat();
        fs::write(directory.path().join("Leptos.toml"), settings)
            .map_err(io_error("could not write the server's settings"))?;
        let operator = free_port().map_err(io_error("could not find a free port"))?;
        let rollcall = Rollcall { program: program.to_owned(), operator, open_files };
        let command = rollcall.command(directory.path(), ANY_PORT);
        let (child, address) = spawn(command, cores, directory.path())?;
        let (rollcall, cores) = (Some(rollcall), cores.cloned());
        let process = ServerProcess { child, directory, rollcall, cores };
        Ok(Self { address, process: Some(process) })
    }

    /// Starts another program for comparison.
    pub fn start_peer(peer: Peer, cores: Option<&Cores>) -> Result<Self, LoadError> {
        let io_error = |what: &'static str| move |source| LoadError::Io { what, source };
        let directory =
            tempfile::tempdir().map_err(io_error("could not create a temporary folder"))?;
        let command = peer.command(directory.path());
        let command = command.map_err(io_error("could not write the peer's program"))?;
        let (child, address) = spawn(command, cores, directory.path())?;
        let process = ServerProcess { child, directory, rollcall: None, cores: cores.cloned() };
        Ok(Self { address, process: Some(process) })
    }

    /// Starts the program again at its address, after its process has ended.
    pub fn restart(&mut self) -> Result<(), LoadError> {
        let address = self.address.to_string();
        let Some(process) = &mut self.process else { return Ok(()) };
        let Some(rollcall) = &process.rollcall else { return Ok(()) };
        let (cores, directory) = (process.cores.as_ref(), process.directory.path());
        (process.child, _) = spawn(rollcall.command(directory, &address), cores, directory)?;
        Ok(())
    }

    /// Sends a signal to its process.
    pub fn signal(&self, signal: ProcessSignal) -> Result<(), LoadError> {
        let Some(process) = &self.process else { return Ok(()) };
        send_signal(process.child.id(), signal)
            .map_err(|source| LoadError::Io { what: "could not send a signal", source })
    }

    /// Whether its process has ended.
    pub fn has_ended(&mut self) -> bool {
        let process = self.process.as_mut();
        process.is_none_or(|process| !matches!(process.child.try_wait(), Ok(None)))
    }

    /// The server's use of CPU and memory until now.
    pub fn usage(&self) -> Usage {
        let Some(process) = &self.process else { return Usage::default() };
        let pid = process.child.id();
        Usage { cpu: CpuUsage::of(pid), memory: Memory::of(pid) }
    }

    /// Resets the peak of its memory, where that is supported.
    pub fn reset_peak(&self) {
        if let Some(process) = &self.process {
            // If this fails, the peak includes the time before, in which a new process has not used more.
            drop(Memory::reset_peak(process.child.id()));
        }
    }

    /// The last lines of its log, if it is a child process.
    pub fn stderr_tail(&self) -> Option<String> {
        self.process.as_ref().map(|process| log_tail(process.directory.path()))
    }

    /// Where its operator asks, if it is a child process.
    pub fn operator(&self) -> Option<SocketAddr> {
        Some(self.process.as_ref()?.rollcall.as_ref()?.operator)
    }

    /// What it says that it can hold, if it is a child process.
    pub fn capacity(&self) -> Option<String> {
        let log = fs::read(self.process.as_ref()?.directory.path().join("log")).ok()?;
        let log = String::from_utf8_lossy(&log);
        log.lines().find(|line| line.contains("what this server can hold")).map(str::to_owned)
    }
}

/// Another program may take it before the server does; then the server says so and has no operator's listener.
fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind(ANY_PORT)?.local_addr()
}

fn log_tail(directory: &Path) -> String {
    let log = fs::read(directory.join("log")).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

impl Rollcall {
    /// What starts it with the settings of this directory.
    fn command(&self, directory: &Path, address: &str) -> Command {
        let mut command = self.with_open_files();
        command
            .arg("--config")
            .arg(directory.join("Leptos.toml"))
            .arg("--state-dir")
            .arg(directory.join("state"))
            .args(["--addr", address, "--operator-addr", &self.operator.to_string()])
            // The line that says what the server can hold.
            .env("ROLLCALL_LOG", "warn,server::serve=info")
            // They name other programs for this one, and are no settings of the server.
            .env_remove("ROLLCALL_ENGINE")
            .env_remove(Peer::Bun.variable());
        command
    }

    fn with_open_files(&self) -> Command {
        let Some(number) = self.open_files else { return Command::new(&self.program) };
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {number}; exec \"$0\" \"$@\"")]).arg(&self.program);
        shell
    }
}

/// Starts a program in this directory, and waits for its address.
fn spawn(
    mut command: Command,
    cores: Option<&Cores>,
    directory: &Path,
) -> Result<(Child, SocketAddr), LoadError> {
    let io_error = |what: &'static str| move |source| LoadError::Io { what, source };
    let log = fs::File::options().create(true).append(true).open(directory.join("log"));
    let log = log.map_err(io_error("could not create the server's log"))?;
    // A child inherits the cores of its parent, and Tokio counts them to choose the number of threads.
    if let Some(cores) = cores {
        pin_thread(&cores.server).map_err(io_error("could not pin the server"))?;
    }
    let child = command
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn();
    if let Some(cores) = cores {
        pin_thread(&cores.generator).map_err(io_error("could not pin the generator"))?;
    }
    let mut child = child.map_err(io_error("could not start the server"))?;
    let mut line = String::new();
    let read = child.stdout.take().map(|output| BufReader::new(output).read_line(&mut line));
    let address = line.trim().strip_prefix("Listening on http://").map(str::parse);
    if let (Some(Ok(_)), Some(Ok(address))) = (read, address) {
        return Ok((child, address));
    }
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    Err(LoadError::Server(log_tail(directory)))
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Killing a process that has already exited fails, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
