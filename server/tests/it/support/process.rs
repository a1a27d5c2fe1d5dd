//! The real program in a child process.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    ops::Deref,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, mpsc},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::{Site, TIMEOUT, create_files};

/// How often something is looked at that can't be waited for.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A child process, which is killed when it is dropped.
pub struct Process(pub Child);

impl Process {
    /// Waits for the exit. Not in a thread: one that waits for a process that does not end would keep the
    /// test's runtime from ending.
    pub async fn ended(&mut self) -> ExitStatus {
        let waiting = async {
            loop {
                if let Some(status) = self.0.try_wait().unwrap() {
                    return status;
                }
                sleep(POLL_INTERVAL).await;
            }
        };
        timeout(TIMEOUT, waiting).await.expect("the program did not end in time")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Killing a process that has already exited fails, which is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running server. Dropping it kills the process.
pub struct ServerProcess {
    site: Site,
    process: Process,
    directory: Arc<TempDir>,
}

/// A program that ended without serving.
pub struct FailedStart {
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub output: String,
    /// What it wrote to its standard error.
    pub log: String,
}

impl FailedStart {
    /// With lines for the settings' `[presence]` table.
    pub async fn of(presence: &str) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let program = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        let (output, log) = (directory.path().join("output"), directory.path().join("log"));
        let file = |path| std::fs::File::create(path).unwrap();
        let child = arguments(program, &directory, address, presence)
            .stdout(file(&output))
            .stderr(file(&log))
            .spawn()
            .unwrap();
        let status = Process(child).ended().await;
        let text = |path| std::fs::read_to_string(path).unwrap();
        Self { status, output: text(output), log: text(log) }
    }
}

/// The address and the state directory of a server that has ended.
pub struct StoppedServer {
    address: SocketAddr,
    directory: Arc<TempDir>,
}

impl Deref for ServerProcess {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl ServerProcess {
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// With lines for the settings' `[presence]` table.
    pub fn start_with(presence: &str) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let directory = Arc::new(tempfile::tempdir().unwrap());
        StoppedServer { address, directory }.start_with(presence)
    }

    /// With a limit of open files.
    pub fn start_with_open_files(number: u32) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {number}; exec \"$0\" \"$@\"")]);
        Self::start_by(shell, "")
    }

    /// With its standard error connected to this.
    pub fn start_with_stderr(stderr: impl Into<Stdio>) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let program = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        StoppedServer { address, directory }.start_as(program, "log = \"trace\"", stderr)
    }

    /// By this program, which gets the server's program and flags as its own flags.
    pub fn start_by(program: Command, presence: &str) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let directory = Arc::new(tempfile::tempdir().unwrap());
        StoppedServer { address, directory }.start_by(program, presence)
    }

    /// The file of saved rooms.
    pub fn rooms_file(&self) -> PathBuf {
        self.directory.path().join("state/rooms.json")
    }

    /// A file of the state directory.
    pub fn state_file(&self, name: &str) -> PathBuf {
        self.directory.path().join("state").join(name)
    }

    /// Takes the state directory away, at one moment: while its files are removed, the server may write one more.
    pub fn remove_state_directory(&self) {
        let directory = self.directory.path().join("state");
        std::fs::rename(&directory, directory.with_extension("removed")).unwrap();
    }

    /// The operator's listener, of which the log says the address.
    pub async fn operator(&self) -> Site {
        let before = "for the operator on http://";
        self.wait_until_logged(before).await;
        let log = self.log();
        let (_, rest) = log.split_once(before).unwrap();
        let address: String =
            rest.chars().take_while(|letter| "0123456789.:".contains(*letter)).collect();
        Site { address: address.parse().unwrap() }
    }

    /// Sends SIGTERM, and waits for the exit.
    pub async fn terminate(self) -> (StoppedServer, ExitStatus) {
        self.signal("TERM");
        self.ended().await
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.process.0.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Changes the soft limit of open files of the running program.
    pub fn limit_open_files(&self, number: u32) {
        let id = self.process.0.id();
        let prlimit = format!("prlimit --pid {id} --nofile={number}:");
        assert!(Command::new("sh").args(["-c", &prlimit]).status().unwrap().success());
    }

    /// The log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Waits until the log contains this text.
    pub async fn wait_until_logged(&self, what: &str) {
        let waiting = async {
            while !self.log().contains(what) {
                sleep(POLL_INTERVAL).await;
            }
        };
        let is_logged = timeout(TIMEOUT, waiting).await.is_ok();
        assert!(is_logged, "{what:?} was not logged in time:\n{}", self.log());
    }

    /// Waits for the exit.
    pub async fn ended(mut self) -> (StoppedServer, ExitStatus) {
        let status = self.process.ended().await;
        (self.stopped(), status)
    }

    /// Sends SIGKILL, and waits for the exit.
    pub fn kill(mut self) -> StoppedServer {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
        self.stopped()
    }

    fn stopped(&self) -> StoppedServer {
        StoppedServer { address: self.address, directory: Arc::clone(&self.directory) }
    }
}

impl StoppedServer {
    /// A server that has not run yet. Its files are in memory, on systems that have a RAM disk.
    pub fn in_memory() -> Self {
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let address = "127.0.0.1:0".parse().unwrap();
        Self { address, directory: Arc::new(directory.unwrap()) }
    }

    /// The whole log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Starts another server with the same address and state.
    pub fn start(self) -> ServerProcess {
        self.start_with("")
    }

    /// With lines for the settings' `[presence]` table.
    pub fn start_with(self, presence: &str) -> ServerProcess {
        let program = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        let log = self.log_file();
        self.start_as(program, presence, log)
    }

    fn start_by(self, mut program: Command, presence: &str) -> ServerProcess {
        program.arg(env!("CARGO_BIN_EXE_rollcall"));
        let log = self.log_file();
        self.start_as(program, presence, log)
    }

    /// Starts another server whose standard output and standard error are these, and waits until it accepts
    /// connections.
    pub async fn start_with_outputs(
        self,
        stdout: impl Into<Stdio>,
        stderr: impl Into<Stdio>,
    ) -> ServerProcess {
        let program = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        self.start_silently(program, stdout, stderr).await
    }

    /// Starts another server without standard output and standard error, and waits until it accepts connections.
    pub async fn start_with_closed_outputs(self) -> ServerProcess {
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" >&- 2>&-", env!("CARGO_BIN_EXE_rollcall")]);
        self.start_silently(shell, Stdio::null(), Stdio::null()).await
    }

    async fn start_silently(
        self,
        program: Command,
        stdout: impl Into<Stdio>,
        stderr: impl Into<Stdio>,
    ) -> ServerProcess {
        let Self { address, directory } = self;
        let child = arguments(program, &directory, address, "")
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap();
        let server = ServerProcess { site: Site { address }, process: Process(child), directory };
        let connecting = async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                sleep(POLL_INTERVAL).await;
            }
        };
        timeout(TIMEOUT, connecting).await.expect("the server did not listen in time");
        server
    }

    /// The same state at any free address: the former one may be somebody else's by now.
    pub fn anywhere(self) -> Self {
        Self { address: "127.0.0.1:0".parse().unwrap(), directory: self.directory }
    }

    /// Starts another server, and kills it after so long, whether or not it serves by then.
    pub async fn start_and_kill_after(self, delay: Duration) -> Self {
        let Self { address, directory } = self;
        let child =
            arguments(Command::new(env!("CARGO_BIN_EXE_rollcall")), &directory, address, "")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
        let process = Process(child);
        sleep(delay).await;
        drop(process);
        Self { address, directory }
    }

    fn log_file(&self) -> std::fs::File {
        std::fs::File::create(self.directory.path().join("log")).unwrap()
    }

    fn start_as(self, program: Command, presence: &str, stderr: impl Into<Stdio>) -> ServerProcess {
        let Self { address, directory } = self;
        let child = arguments(program, &directory, address, presence)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut process = Process(child);
        let line = first_line(process.0.stdout.take().unwrap());
        let line = line.expect("the server printed no address in time");
        let log = || std::fs::read_to_string(directory.path().join("log")).unwrap_or_default();
        let address = line.trim().split_once("://").map(|(_, address)| address);
        let address = address.unwrap_or_else(|| panic!("{line:?} is no address: {}", log()));
        ServerProcess { site: Site { address: address.parse().unwrap() }, process, directory }
    }
}

/// The first line that a program prints, if it comes in time: a thread reads it, as reading has no time limit.
pub fn first_line(output: impl Read + Send + 'static) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        // Nobody receives it after the time limit.
        let _ = sender.send(line);
    });
    receiver.recv_timeout(TIMEOUT).ok()
}

/// The flags of a server whose files are in this directory.
fn arguments(
    mut program: Command,
    directory: &TempDir,
    address: SocketAddr,
    presence: &str,
) -> Command {
    program
        .arg("--config")
        .arg(create_files(directory.path(), presence))
        .arg("--site-root")
        .arg(directory.path().join("site"))
        .arg("--state-dir")
        .arg(directory.path().join("state"))
        .args(["--addr", &address.to_string()]);
    program
}
