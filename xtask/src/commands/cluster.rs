//! A cluster on this machine: an engine, several servers, and one address for visitors.

mod process;
mod proxy;

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use self::process::{Process, RESTART_PAUSE};
use crate::commands::build;
use crate::commands::release::{self, Release};
use crate::output::failure::{Context, Outcome};
use crate::output::step::{self, step};
use crate::tools::engine::{self, Engine};
use crate::workspace::Workspace;

/// What an engine and a server write when they accept connections.
const ENGINE_READY: &str = "Ready to accept connections";
const SERVER_READY: &str = "Listening on ";

/// How many servers over which engine.
#[derive(Debug, clap::Args)]
pub(crate) struct ClusterOptions {
    /// How many servers
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=100))]
    servers: u8,
    /// The program of an engine [default: `ROLLCALL_ENGINE`, else Valkey or Redis as found or installed]
    #[arg(long, value_name = "FILE")]
    engine: Option<PathBuf>,
    /// The visitors' port. The servers have the ports after it, and their operators those after these;
    /// with 0 all ports are free ones
    #[arg(long, default_value_t = 3000)]
    port: u16,
}

/// Builds for release, starts a cluster, and ends it with Ctrl-C.
pub(crate) fn run(workspace: &Workspace, options: &ClusterOptions, started_at: Instant) -> Outcome {
    let engine = step("an engine", || match &options.engine {
        Some(program) => engine::named(program, "--engine"),
        None => engine::any(workspace),
    })?;
    let release = build::run(workspace)?;
    step::total(started_at);
    let runtime = Runtime::new().with_context(|| "Could not start".to_owned())?;
    runtime.block_on(async {
        let mut ending = Ending::new()?;
        let cluster = tokio::select! {
            cluster = Cluster::start(workspace, &release, &engine, options) => cluster?,
            // Dropping what was started kills it.
            () = ending.requested() => return Ok(()),
        };
        println!("\n{}", cluster.description);
        ending.requested().await;
        println!("ending all; Ctrl-C again kills them");
        tokio::select! {
            () = cluster.end() => {}
            () = ending.requested() => {}
        }
        Ok(())
    })
}

/// Where tests find a cluster.
#[derive(Debug)]
pub(crate) struct TestCluster {
    /// For visitors: `http://127.0.0.1:PORT`.
    pub(crate) address: String,
    /// The operator's address of one of the servers, and the file with its token.
    pub(crate) operator: (String, PathBuf),
}

/// Runs tests while there is a cluster on free ports.
pub(crate) fn during<T>(
    workspace: &Workspace,
    release: &Release,
    tests: impl FnOnce(&TestCluster) -> Outcome<T>,
) -> Outcome<T> {
    let engine = step("an engine", || engine::any(workspace))?;
    let options = ClusterOptions { servers: 3, engine: None, port: 0 };
    let runtime = Runtime::new().with_context(|| "Could not start".to_owned())?;
    // Ctrl-C ends the tests, and then the cluster, instead of this process alone.
    let _interrupt = runtime.block_on(async { Ending::new() })?;
    let cluster = runtime.block_on(Cluster::start(workspace, release, &engine, &options))?;
    let outcome = tests(&cluster.for_tests);
    runtime.block_on(cluster.end());
    outcome
}

/// Running servers over an engine. Dropping it kills all of them.
struct Cluster {
    /// What it consists of, and what to try.
    description: String,
    for_tests: TestCluster,
    /// Dropping it stops the supervised servers.
    stop: watch::Sender<()>,
    servers: JoinSet<()>,
    /// The same for the engine, which the servers need until they have ended.
    stop_engine: watch::Sender<()>,
    engine: JoinSet<()>,
    proxy: JoinHandle<()>,
    /// Keys, states and logs.
    _files: TempDir,
}

impl Cluster {
    async fn start(
        workspace: &Workspace,
        release: &Release,
        engine: &Engine,
        options: &ClusterOptions,
    ) -> Outcome<Self> {
        let files = tempfile::Builder::new().prefix("rollcall-cluster-").tempdir();
        let files = files.with_context(|| "Could not create a temporary folder".to_owned())?;
        let folder = files.path();
        let key_file = folder.join("person.key");
        let mut key = [0; 64];
        getrandom::fill(&mut key).with_context(|| "Could not make a key".to_owned())?;
        write_key(&key_file, key).with_context(|| "Could not write a key".to_owned())?;

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await;
        let listener = listener.with_context(|| {
            format!("Could not listen on port {}; choose another with --port", options.port)
        })?;
        let visitors = listener.local_addr().with_context(|| "Could not listen".to_owned())?;

        let engine_address = free_address()?;
        let command = engine_command(engine, engine_address, folder);
        let engine_process = Process::start("engine", command, ENGINE_READY, folder).await?;
        let mut members = Vec::new();
        let (stop, _) = watch::channel(());
        let mut servers = JoinSet::new();
        let mut addresses = Vec::new();
        for number in 1..=u16::from(options.servers) {
            let after = |offset| match options.port {
                0 => free_address(),
                port => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port.saturating_add(offset)))),
            };
            let (address, operator) = (after(number)?, after(u16::from(options.servers) + number)?);
            let mut server = workspace.command(&release.server);
            server
                .envs(release::site_variables(release))
                .env_remove(engine::VARIABLE)
                .args(["--addr", &address.to_string()])
                .args(["--operator-addr", &operator.to_string()])
                .args(["--public-url", &format!("http://{visitors}")])
                // Whoever opens a server's own address may join there as well.
                .args(["--allowed-origins", &format!("http://{address}")])
                .args(["--cluster-engine", &format!("redis://{engine_address}")])
                // The engine may just be starting again, too.
                .args(["--cluster-wait", "30s"])
                .arg("--person-key-file")
                .arg(&key_file)
                .arg("--state-dir")
                .arg(folder.join(format!("server-{number}")));
            let name = format!("server {number}");
            let server = Process::start(&name, server, SERVER_READY, folder).await?;
            members.push(Member { address, operator, pid: server.id() });
            addresses.push(address);
            servers.spawn(server.supervise(stop.subscribe()));
        }
        let description = Description {
            engine: &engine.name,
            engine_address,
            engine_pid: engine_process.id(),
            visitors,
            servers: &members,
            files: folder,
        };
        let description = description.to_string();
        let operator = members.first().map(|server| format!("http://{}", server.operator));
        let for_tests = TestCluster {
            address: format!("http://{visitors}"),
            operator: (operator.unwrap_or_default(), folder.join("server-1/operator.token")),
        };
        let (stop_engine, _) = watch::channel(());
        let mut engine = JoinSet::new();
        engine.spawn(engine_process.supervise(stop_engine.subscribe()));
        let proxy = tokio::spawn(proxy::serve(listener, addresses));
        Ok(Self {
            description,
            for_tests,
            stop,
            servers,
            stop_engine,
            engine,
            proxy,
            _files: files,
        })
    }

    /// Ends the servers, and then their engine.
    async fn end(self) {
        // The servers say goodbye to their visitors through the proxy.
        drop(self.stop);
        self.servers.join_all().await;
        drop(self.stop_engine);
        self.engine.join_all().await;
        self.proxy.abort();
    }
}

/// A server when it was started.
struct Member {
    address: SocketAddr,
    operator: SocketAddr,
    pid: u32,
}

/// What a cluster consists of, and what to try with it.
struct Description<'a> {
    engine: &'a str,
    engine_address: SocketAddr,
    engine_pid: u32,
    visitors: SocketAddr,
    servers: &'a [Member],
    files: &'a Path,
}

impl fmt::Display for Description<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { engine, engine_address, engine_pid, visitors, servers, files } = self;
        writeln!(
            formatter,
            "http://{visitors}  for visitors: each connection goes to the next server"
        )?;
        for (number, Member { address, operator, pid }) in (1..).zip(*servers) {
            writeln!(
                formatter,
                "http://{address}  server {number}, pid {pid}, operator's address http://{operator}"
            )?;
        }
        writeln!(formatter, "redis://{engine_address}  {engine}, pid {engine_pid}")?;
        writeln!(formatter, "{}  logs, and the states of the servers", files.display())?;
        let pid = servers.first().map(|server| server.pid).unwrap_or_default();
        write!(
            formatter,
            "
Open the page in two browsers, and try:
  kill -9 {pid}       a server dies: its people are dimmed until they are back on another one
  kill -TERM {pid}    a server restarts: nobody is seen to leave
  kill -STOP {pid}    a server hangs: the others go on without it; kill -CONT wakes it
  kill -STOP {engine_pid}    the engine hangs: lists stand still; after kill -CONT they are right again
  kill -9 {engine_pid}       the engine comes back empty: no list changes
What ends is started again after {} s. Ctrl-C ends everything.",
            RESTART_PAUSE.as_secs()
        )
    }
}

/// The signals that end a command on a terminal or a service.
struct Ending([Signal; 3]);

impl Ending {
    fn new() -> Outcome<Self> {
        let listen = |kind| signal(kind).with_context(|| "Could not wait for Ctrl-C".to_owned());
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(listen);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn requested(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Without persistence: what the servers know is enough to start it again empty.
fn engine_command(engine: &Engine, address: SocketAddr, folder: &Path) -> Command {
    let mut command = Command::new(&engine.program);
    command
        .args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string()])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(folder);
    command
}

/// The servers refuse a key that others can read.
fn write_key(path: &Path, key: [u8; 64]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&key)
}

/// Another program may take it before it is used; then the start fails with a sentence.
fn free_address() -> Outcome<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .with_context(|| "Could not find a free port".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_names_every_address_and_process() {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let server = |address, operator, pid| Member { address, operator, pid };
        let text = Description {
            engine: "Valkey 9.1.2",
            engine_address: at(6000),
            engine_pid: 10,
            visitors: at(3000),
            servers: &[server(at(3001), at(3003), 11), server(at(3002), at(3004), 12)],
            files: Path::new("/files"),
        }
        .to_string();
        for line in [
            "http://127.0.0.1:3000  for visitors: each connection goes to the next server",
            "http://127.0.0.1:3002  server 2, pid 12, operator's address http://127.0.0.1:3004",
            "redis://127.0.0.1:6000  Valkey 9.1.2, pid 10",
            "/files  logs, and the states of the servers",
        ] {
            assert!(text.lines().any(|found| found == line), "{text}");
        }
        assert!(text.contains("kill -9 11 ") && text.contains("kill -STOP 10 "), "{text}");
    }
}
