//! A running nginx or Caddy, in a folder of its own.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{net::TcpStream, time::timeout};

use crate::{TIMEOUT, support::Site};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    Nginx,
    Caddy,
}

/// Ends with SIGTERM when it is dropped.
pub(crate) struct Proxy {
    pub(crate) site: Site,
    child: Child,
    _directory: TempDir,
}

impl Drop for Proxy {
    /// With SIGTERM, so that nginx ends its workers.
    fn drop(&mut self) {
        let terminate = format!("kill -TERM {}", self.child.id());
        let _ = Command::new("sh").args(["-c", &terminate]).status();
        let _ = self.child.wait();
    }
}

/// A free port.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
        }
    }

    fn is_installed(self) -> bool {
        let find = format!("command -v {}", self.name());
        Command::new("sh").args(["-c", &find]).stdout(Stdio::null()).status().unwrap().success()
    }

    /// With a site's configuration, in a file of this folder.
    fn command(self, directory: &Path, site: &str) -> Command {
        let file = directory.join("configuration");
        let mut command = Command::new(self.name());
        match self {
            Self::Nginx => {
                let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                    .map(|name| format!("{name}_temp_path {};\n", directory.join(name).display()))
                    .concat();
                let whole = format!(
                    "daemon off;\nmaster_process off;\npid {};\nerror_log stderr;\nevents {{}}\n\
                     http {{\naccess_log off;\n{folders}{site}\n}}\n",
                    directory.join("pid").display()
                );
                fs::write(&file, whole).unwrap();
                command.args(["-e", "stderr", "-c"]).arg(file).arg("-p").arg(directory);
            }
            Self::Caddy => {
                // By default it would redirect from port 80.
                let whole = format!("{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}");
                fs::write(&file, whole).unwrap();
                command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
                command.env("XDG_DATA_HOME", directory).env("XDG_CONFIG_HOME", directory);
            }
        }
        command
    }
}

impl Proxy {
    /// Starts it with a site's configuration, and waits until it listens on this port; none where the program
    /// is not installed.
    pub(crate) async fn start(program: Program, port: u16, site: &str) -> Option<Self> {
        if !program.is_installed() {
            println!("not run: {} is not installed", program.name());
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let child = program.command(directory.path(), site).stdin(Stdio::null()).spawn().unwrap();
        let site = Site { address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let proxy = Self { site, child, _directory: directory };
        let listens = async {
            while TcpStream::connect(proxy.site.address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(TIMEOUT, listens).await.expect("the proxy does not listen");
        Some(proxy)
    }
}
