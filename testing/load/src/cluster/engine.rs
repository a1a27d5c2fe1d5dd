//! An engine of its own for a run: Valkey or Redis on a free port of loopback.

use std::{
    env,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use redis::{Connection, FromRedisValue};
use tempfile::TempDir;

use crate::{
    error::LoadError,
    measure::{server_process::Cores, system::pin_thread},
};

/// How long an operator's question may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Whether an engine keeps its data over a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It is empty after a restart.
    None,
    /// Every write is in its file before it is answered.
    EveryWrite,
}

/// An engine, which ends with the run.
#[derive(Debug)]
pub struct Engine {
    port: u16,
    persistence: Persistence,
    cores: Option<Cores>,
    directory: TempDir,
    child: Child,
}

/// The time that the engine has spent with scripts.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScriptTime {
    /// How many were executed.
    pub calls: u64,
    /// For how long.
    pub microseconds: u64,
}

impl Engine {
    /// Starts the program that `ROLLCALL_ENGINE` names, or the first one on PATH.
    pub fn start(persistence: Persistence, cores: Option<&Cores>) -> Result<Self, LoadError> {
        let directory = tempfile::tempdir().map_err(|source| LoadError::Io {
            what: "could not create a temporary folder",
            source,
        })?;
        let cores = cores.cloned();
        let mut last = LoadError::NoEngine;
        // Another program may take a free port before the engine has it.
        for _ in 0..10 {
            let port = free_port()?;
            match spawn(port, persistence, cores.as_ref(), &directory) {
                Ok(child) => return Ok(Self { port, persistence, cores, directory, child }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Where it listens on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again at its port, with what it has kept.
    pub fn restart(&mut self) -> Result<(), LoadError> {
        self.child = spawn(self.port, self.persistence, self.cores.as_ref(), &self.directory)?;
        Ok(())
    }

    /// Asks it something as an operator would.
    pub fn ask<T: FromRedisValue>(&self, words: &[&str]) -> Result<T, LoadError> {
        let mut command = redis::cmd(words.first().copied().unwrap_or_default());
        command.arg(words.get(1..).unwrap_or_default());
        Ok(command.query(&mut self.connection()?)?)
    }

    fn connection(&self) -> Result<Connection, LoadError> {
        let client = redis::Client::open((Ipv4Addr::LOCALHOST.to_string(), self.port))?;
        let connection = client.get_connection_with_timeout(TIMEOUT)?;
        connection.set_read_timeout(Some(TIMEOUT))?;
        Ok(connection)
    }

    /// The time that it has spent with scripts until now.
    pub fn script_time(&self) -> Result<ScriptTime, LoadError> {
        let text: String = self.ask(&["INFO", "commandstats"])?;
        Ok(text.lines().find_map(script_time).unwrap_or_default())
    }

    /// The median time of a script since the start, in microseconds.
    pub fn median_script_time(&self) -> Result<Option<f64>, LoadError> {
        let text: String = self.ask(&["INFO", "latencystats"])?;
        Ok(text.lines().find_map(median_script_time))
    }

    /// How many bytes it keeps of a room.
    pub fn memory_of(&self, room: &str) -> Result<u64, LoadError> {
        let mut bytes = 0;
        for part in ["head", "journal", "snapshot"] {
            let key = format!("rollcall:{{{room}}}:{part}");
            let found: Option<u64> = self.ask(&["MEMORY", "USAGE", &key, "SAMPLES", "0"])?;
            bytes += found.unwrap_or_default();
        }
        Ok(bytes)
    }

    /// The batches of a room's journal that are still kept, as text.
    pub fn journal(&self, room: &str) -> Result<Vec<String>, LoadError> {
        let key = format!("rollcall:{{{room}}}:journal");
        let entries: Vec<(String, Vec<String>)> = self.ask(&["XRANGE", &key, "-", "+"])?;
        Ok(entries.into_iter().map(|(_, fields)| fields.concat()).collect())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads `cmdstat_evalsha:calls=3,usec=40,…`.
fn script_time(line: &str) -> Option<ScriptTime> {
    let fields = line.trim().strip_prefix("cmdstat_evalsha:")?;
    let value = |name: &str| {
        fields
            .split(',')
            .find_map(|field| field.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    };
    Some(ScriptTime { calls: value("calls")?, microseconds: value("usec")? })
}

/// Reads `latency_percentiles_usec_evalsha:p50=12.031,…`.
fn median_script_time(line: &str) -> Option<f64> {
    let fields = line.trim().strip_prefix("latency_percentiles_usec_evalsha:")?;
    fields.split(',').find_map(|field| field.strip_prefix("p50=")?.parse().ok())
}

/// Starts the engine, and waits until it accepts connections.
fn spawn(
    port: u16,
    persistence: Persistence,
    cores: Option<&Cores>,
    directory: &TempDir,
) -> Result<Child, LoadError> {
    let io_error = |what: &'static str| move |source| LoadError::Io { what, source };
    let kept = match persistence {
        Persistence::None => ["--appendonly", "no", "--appendfsync", "no"],
        Persistence::EveryWrite => ["--appendonly", "yes", "--appendfsync", "always"],
    };
    let program = program().ok_or(LoadError::NoEngine)?;
    if let Some(cores) = cores {
        pin_thread(&cores.server).map_err(io_error("could not pin the engine"))?;
    }
    let child = Command::new(program)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(["--repl-diskless-sync-delay", "0"])
        .args(kept)
        .arg("--dir")
        .arg(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    if let Some(cores) = cores {
        pin_thread(&cores.generator).map_err(io_error("could not pin the generator"))?;
    }
    let mut child = child.map_err(io_error("could not start the engine"))?;
    let mut lines = child.stdout.take().map(|output| BufReader::new(output).lines());
    let is_ready = lines.as_mut().is_some_and(|lines| {
        let mut lines = lines.map_while(Result::ok);
        lines.any(|line| line.contains("Ready to accept connections"))
    });
    if !is_ready {
        let _ = child.kill();
        let _ = child.wait();
        return Err(LoadError::Server("the engine does not start".to_owned()));
    }
    // To the end, or the engine would wait for a reader.
    thread::spawn(move || lines.into_iter().flatten().map_while(Result::ok).for_each(drop));
    Ok(child)
}

fn free_port() -> Result<u16, LoadError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(|source| LoadError::Io { what: "could not find a free port", source })
}

fn program() -> Option<PathBuf> {
    if let Some(program) = env::var_os("ROLLCALL_ENGINE") {
        return Some(program.into());
    }
    let path = env::var_os("PATH")?;
    ["valkey-server", "redis-server"].iter().find_map(|name| {
        env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_scripts_is_read_from_the_engines_words() {
        let line =
            "cmdstat_evalsha:calls=3,usec=40,usec_per_call=13.33,rejected_calls=0,failed_calls=0\r";
        let time = script_time(line).unwrap();
        assert_eq!((time.calls, time.microseconds), (3, 40));
        assert!(script_time("cmdstat_eval:calls=3,usec=40").is_none());
        let line = "latency_percentiles_usec_evalsha:p50=12.031,p99=33.023,p99.9=40.191\r";
        assert_eq!(median_script_time(line), Some(12.031));
    }
}
