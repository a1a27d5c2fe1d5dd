//! Several servers, as processes, over one engine.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::{
    engine::EngineProcess,
    support::{key, process::ServerProcess, write_secret},
};

/// Servers over an engine, which end with the test.
pub(crate) struct Cluster {
    pub(crate) engine: EngineProcess,
    pub(crate) servers: Vec<ServerProcess>,
    files: TempDir,
}

impl Cluster {
    /// With this engine, and no server yet.
    pub(crate) fn over(engine: EngineProcess) -> Self {
        let cluster = Self { engine, servers: Vec::new(), files: tempfile::tempdir().unwrap() };
        write_secret(&cluster.key_file(), key(7));
        cluster
    }

    pub(crate) fn start(servers: usize) -> Self {
        let mut cluster = Self::over(EngineProcess::start(&[]));
        let settings = cluster.settings();
        cluster.start_servers(servers, &settings);
        cluster
    }

    /// With these lines for the table `[presence]`.
    pub(crate) fn start_servers(&mut self, servers: usize, settings: &str) {
        self.servers.extend((0..servers).map(|_| ServerProcess::start_with(settings)));
    }

    /// Lines for the table `[presence]` of a server of this cluster.
    pub(crate) fn settings(&self) -> String {
        let (engine, key) = (self.engine.address(), self.key_file());
        // Visitors see one address, so that they have one cookie.
        format!(
            "cluster-engine = [\"{engine}\"]\nperson-key-file = \"{}\"\npublic-url = \"http://example.org\"",
            key.display()
        )
    }

    /// A file of its own, for a setting.
    pub(crate) fn write_file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.files.path().join(name);
        write_secret(&path, content);
        path
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.files.path().join("person.key")
    }
}
