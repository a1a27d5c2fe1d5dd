//! Notifications to systemd, and the listening socket that it passes: `sd_notify(3)`, `sd_listen_fds(3)`.
//!
//! Not with the `sd-notify` crate: version 0.5 can't connect to abstract sockets (names that begin with `@`).

use std::{env, io};

use listenfd::ListenFd;
use tokio::net::TcpListener;

/// The service manager's notification socket; by default there is none.
#[derive(Debug, Default)]
pub struct Systemd {
    #[cfg(unix)]
    socket: Option<std::os::unix::net::UnixDatagram>,
}

impl Systemd {
    /// The socket in `NOTIFY_SOCKET`, if it is set.
    pub fn of_this_process() -> Self {
        #[cfg(unix)]
        {
            let Some(name) = env::var_os("NOTIFY_SOCKET") else { return Self::default() };
            match unix::connect(&name) {
                Ok(socket) => Self { socket: Some(socket) },
                Err(error) => {
                    tracing::warn!(%error, "can't connect to NOTIFY_SOCKET");
                    Self::default()
                }
            }
        }
        #[cfg(not(unix))]
        Self::default()
    }

    /// Tells that the server accepts connections.
    pub fn ready(&self) {
        self.notify("READY=1");
    }

    /// Tells that the server shuts down.
    pub fn stopping(&self) {
        self.notify("STOPPING=1");
    }

    fn notify(&self, state: &str) {
        #[cfg(unix)]
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(state.as_bytes())
        {
            tracing::warn!(%error, state, "systemd could not be notified");
        }
        #[cfg(not(unix))]
        let _ = state;
    }
}

/// The listening socket that systemd opened for this process, if there is one.
pub fn inherited_listener() -> io::Result<Option<TcpListener>> {
    let Some(listener) = ListenFd::from_env().take_tcp_listener(0)? else { return Ok(None) };
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener).map(Some)
}

#[cfg(unix)]
mod unix {
    use std::{ffi::OsStr, io, os::unix::net::UnixDatagram, time::Duration};

    const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

    pub(crate) fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
        let socket = UnixDatagram::unbound()?;
        // A service manager that does not read must not hold up the server.
        socket.set_write_timeout(Some(WRITE_TIMEOUT))?;
        #[cfg(target_os = "linux")]
        {
            use std::os::{linux::net::SocketAddrExt, unix::ffi::OsStrExt, unix::net::SocketAddr};
            if let Some(name) = name.as_bytes().strip_prefix(b"@") {
                socket.connect_addr(&SocketAddr::from_abstract_name(name)?)?;
                return Ok(socket);
            }
        }
        socket.connect(name)?;
        Ok(socket)
    }

    #[cfg(test)]
    mod tests {
        use super::{super::Systemd, *};

        fn received(listening: &UnixDatagram) -> String {
            let mut buffer = [0; 64];
            let length = listening.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        }

        #[test]
        fn notifications_reach_a_socket_in_the_file_system() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("notify");
            let listening = UnixDatagram::bind(&path).unwrap();
            let systemd = Systemd { socket: Some(connect(path.as_os_str()).unwrap()) };
            systemd.ready();
            assert_eq!(received(&listening), "READY=1");
            systemd.stopping();
            assert_eq!(received(&listening), "STOPPING=1");
            Systemd::default().ready();
        }

        #[cfg(target_os = "linux")]
        #[test]
        fn a_name_that_begins_with_at_is_an_abstract_socket() {
            use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
            let name = format!("rollcall-test-{}", std::process::id());
            let address = SocketAddr::from_abstract_name(&name).unwrap();
            let listening = UnixDatagram::bind_addr(&address).unwrap();
            let socket = connect(OsStr::new(&format!("@{name}"))).unwrap();
            Systemd { socket: Some(socket) }.ready();
            assert_eq!(received(&listening), "READY=1");
        }
    }
}
