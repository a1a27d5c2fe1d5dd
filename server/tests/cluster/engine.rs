//! An engine of its own for a test: on a free port of loopback, without persistence.

use std::{
    env,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Mutex, mpsc},
    thread,
    time::Duration,
};

use redis::{Client, FromRedisValue};
use server::cluster_redis::{EngineAddress, EngineConfig, RedisEngine};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::TIMEOUT;

/// An engine, which ends with the test.
#[derive(Debug)]
pub(crate) struct EngineProcess {
    port: u16,
    options: Vec<String>,
    directory: TempDir,
    child: Mutex<Child>,
}

impl EngineProcess {
    /// With no more than these options.
    pub(crate) fn start(options: &[&str]) -> Self {
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let directory = tempfile::tempdir().unwrap();
        // Another program may take a free port before the engine has it.
        for _ in 0..10 {
            let port = free_port();
            if let Some(child) = spawn(port, &options, &directory) {
                return Self { port, options, directory, child: Mutex::new(child) };
            }
        }
        panic!("the engine does not start");
    }

    pub(crate) fn address(&self) -> EngineAddress {
        address(self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn config(&self) -> EngineConfig {
        EngineConfig {
            addresses: vec![self.address()],
            sentinel: None,
            user: None,
            password_file: None,
            sentinel_password_file: None,
            authority_file: None,
            certificate_files: None,
            prefix: "rollcall".to_owned(),
        }
    }

    pub(crate) fn client(&self) -> RedisEngine {
        RedisEngine::new(&self.config()).unwrap()
    }

    /// Ends it at once, and starts it again without its data.
    pub(crate) fn restart(&self) {
        self.kill();
        // The port is free as soon as the process has ended.
        let child = spawn(self.port, &self.options, &self.directory);
        *self.child.lock().unwrap() = child.expect("the engine starts again");
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.lock().unwrap().id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Ends it at once.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it something as an operator would.
    pub(crate) async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        ask(self.port, words).await
    }
}

/// A Sentinel, which ends with the test.
#[derive(Debug)]
pub(crate) struct Sentinel {
    port: u16,
    child: Child,
    _directory: TempDir,
}

impl Sentinel {
    /// One that watches this primary, and decides alone.
    pub(crate) fn of(name: &str, primary: &EngineProcess) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("sentinel.conf");
        for _ in 0..10 {
            let port = free_port();
            let settings = format!(
                "port {port}\nbind 127.0.0.1\nsentinel monitor {name} 127.0.0.1 {} 1\n\
                 sentinel down-after-milliseconds {name} 500\nsentinel failover-timeout {name} 5000\n",
                primary.port
            );
            std::fs::write(&file, settings).unwrap();
            let mut command = Command::new(program());
            command.arg(&file).arg("--sentinel");
            if let Some(child) = started(command, "Sentinel ID is") {
                return Self { port, child, _directory: directory };
            }
        }
        panic!("the Sentinel does not start");
    }

    pub(crate) fn address(&self) -> EngineAddress {
        address(self.port)
    }

    pub(crate) async fn wait_until_it_knows_a_replica(&self, name: &str) {
        let waiting = async {
            loop {
                let replicas: Vec<redis::Value> =
                    ask(self.port, &["SENTINEL", "REPLICAS", name]).await;
                if !replicas.is_empty() {
                    return;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(TIMEOUT, waiting).await.expect("the Sentinel finds the replica");
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(port: u16) -> EngineAddress {
    format!("redis://127.0.0.1:{port}").parse().unwrap()
}

async fn ask<T: FromRedisValue>(port: u16, words: &[&str]) -> T {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    let client = Client::open(("127.0.0.1", port)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    command.query_async(&mut connection).await.unwrap()
}

impl Drop for EngineProcess {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        // It may have ended already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Starts the engine, and waits until it accepts connections; `None` if it ended.
fn spawn(port: u16, options: &[String], directory: &TempDir) -> Option<Child> {
    let mut command = Command::new(program());
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(["--appendonly", "no", "--dir"])
        .arg(directory.path())
        .args(options);
    started(command, "Ready to accept connections")
}

/// Starts a program, and waits until it prints a text; `None` if it ended.
fn started(mut command: Command, text: &'static str) -> Option<Child> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .expect("the engine is installed");
    let output = BufReader::new(child.stdout.take().unwrap());
    let (ready, is_ready) = mpsc::channel();
    // To the end, or the engine would wait for a reader.
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if line.contains(text) {
                let _ = ready.send(());
            }
        }
    });
    if is_ready.recv_timeout(TIMEOUT).is_ok() {
        return Some(child);
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn program() -> PathBuf {
    if let Some(program) = env::var_os("ROLLCALL_ENGINE") {
        return program.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = ["valkey-server", "redis-server"].iter().find_map(|name| {
        env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    });
    found.expect("valkey-server or redis-server on PATH, or ROLLCALL_ENGINE")
}
