//! The servers of a run: one alone, or several over an engine.

pub mod engine;
pub mod proxy;

use std::{
    fs::OpenOptions,
    io::{self, Write},
    net::SocketAddr,
    path::Path,
};

use tempfile::TempDir;

use self::{engine::Engine, proxy::Proxy};
use crate::{
    error::LoadError,
    measure::server_process::{AdmissionLimits, Cores, Server, ServerSettings, Usage},
};

/// One server, or several over an engine.
#[derive(Debug)]
pub struct Servers {
    /// In the order in which clients are spread.
    pub each: Vec<Server>,
    /// What several servers have in common.
    pub shared: Option<Shared>,
}

/// What several servers have in common.
#[derive(Debug)]
pub struct Shared {
    /// The engine.
    pub engine: Engine,
    /// The way of each server to the engine, if faults are planned.
    pub proxies: Vec<Proxy>,
    _files: TempDir,
}

/// How servers reach their engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Directly.
    Direct,
    /// Each through a proxy of its own, which can be cut.
    Proxies,
}

impl From<Server> for Servers {
    fn from(server: Server) -> Self {
        Self { each: vec![server], shared: None }
    }
}

impl Servers {
    /// Starts so many servers over an engine.
    pub fn over(
        engine: Engine,
        count: usize,
        program: &Path,
        cores: Option<&Cores>,
        way: Way,
    ) -> Result<Self, LoadError> {
        let io_error = |what: &'static str| move |source| LoadError::Io { what, source };
        let files = tempfile::tempdir().map_err(io_error("could not create a temporary folder"))?;
        let key = files.path().join("person.key");
        write_key(&key).map_err(io_error("could not write the key"))?;
        let (mut each, mut proxies) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let port = match way {
                Way::Direct => engine.port(),
                Way::Proxies => {
                    let proxy = Proxy::start(engine.port())?;
                    proxies.push(proxy);
                    proxies.last().map_or(0, Proxy::port)
                }
            };
            // One public address, so that a client has one cookie.
            let presence = format!(
                "cluster-engine = [\"redis://127.0.0.1:{port}\"]\nperson-key-file = \"{}\"\n\
                 public-url = \"http://rollcall.example\"\n",
                key.display()
            );
            let limits = AdmissionLimits::Off;
            let settings = ServerSettings { limits, presence: &presence, open_files: None };
            each.push(Server::start(program, cores, settings)?);
        }
        Ok(Self { each, shared: Some(Shared { engine, proxies, _files: files }) })
    }

    /// The addresses of all servers.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.each.iter().map(|server| server.address).collect()
    }

    /// The servers' use of CPU and memory until now, without the engine's.
    pub fn usage(&self) -> Usage {
        let usages = self.each.iter().map(Server::usage);
        usages.reduce(Usage::and).unwrap_or_default()
    }

    /// Resets the peaks of their memory, where that is supported.
    pub fn reset_peak(&self) {
        self.each.iter().for_each(Server::reset_peak);
    }
}

/// A key that all servers have. It protects nobody: it only has to look like one, and be private.
fn write_key(path: &Path) -> io::Result<()> {
    let byte = |place: u8| place.wrapping_mul(place).wrapping_mul(7).wrapping_add(13);
    let key: Vec<u8> = (0..64).map(byte).collect();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(&key)
}
