//! Notifications to systemd, and the listening socket that it passes: `sd_notify(3)`, `sd_listen_fds(3)`.
//!
//! Not with the `sd-notify` crate: version 0.5 can't connect to abstract sockets (names that begin with `@`).

use std::{env, io};
#[cfg(unix)]
use std::{sync::Arc, time::Duration};

use listenfd::ListenFd;
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::time::sleep;

/// How soon a notification is sent again that found the socket's queue full.
#[cfg(unix)]
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// The service manager's notification socket; by default there is none.
#[derive(Debug, Default)]
pub struct Systemd {
    #[cfg(unix)]
    socket: Option<Arc<unix::NotifySocket>>,
}

impl Systemd {
    /// The socket in `NOTIFY_SOCKET`, if it is set.
    pub fn of_this_process() -> Self {
        #[cfg(unix)]
        {
            let Some(name) = env::var_os("NOTIFY_SOCKET") else { return Self::default() };
            match unix::connect(&name) {
                Ok(socket) => Self { socket: Some(Arc::new(socket)) },
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

    /// Never waits: a service manager that does not read holds up neither visitors nor the stop.
    fn notify(&self, state: &'static str) {
        #[cfg(unix)]
        if let Some(socket) = &self.socket {
            let number = socket.begin();
            if !socket.is_sent(number, state) {
                let socket = Arc::clone(socket);
                tokio::spawn(async move {
                    while !socket.is_sent(number, state) {
                        sleep(RETRY_INTERVAL).await;
                    }
                });
            }
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
    use std::{
        ffi::OsStr,
        io::{self, ErrorKind},
        os::unix::net::UnixDatagram,
        sync::atomic::{AtomicU64, Ordering},
    };

    /// A socket that never waits, and the number of the last notification.
    #[derive(Debug)]
    pub(crate) struct NotifySocket {
        socket: UnixDatagram,
        last: AtomicU64,
    }

    impl NotifySocket {
        /// A new notification, which makes the one before it void.
        pub(crate) fn begin(&self) -> u64 {
            self.last.fetch_add(1, Ordering::Relaxed) + 1
        }

        /// Sends the notification with this number. False if the queue is full; true also if it failed or is void.
        pub(crate) fn is_sent(&self, number: u64, state: &str) -> bool {
            if number != self.last.load(Ordering::Relaxed) {
                return true;
            }
            match self.socket.send(state.as_bytes()) {
                Ok(_) => true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => false,
                Err(error) => {
                    tracing::warn!(%error, state, "systemd could not be notified");
                    true
                }
            }
        }
    }

    pub(crate) fn connect(name: &OsStr) -> io::Result<NotifySocket> {
        let socket = connected(name)?;
        socket.set_nonblocking(true)?;
        Ok(NotifySocket { socket, last: AtomicU64::new(0) })
    }

    fn connected(name: &OsStr) -> io::Result<UnixDatagram> {
        let socket = UnixDatagram::unbound()?;
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
        use std::sync::Arc;

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
            let systemd = Systemd { socket: Some(Arc::new(connect(path.as_os_str()).unwrap())) };
            systemd.ready();
            assert_eq!(received(&listening), "READY=1");
            systemd.stopping();
            assert_eq!(received(&listening), "STOPPING=1");
            Systemd::default().ready();
        }

        #[tokio::test(start_paused = true)]
        async fn notification_that_finds_the_queue_full_is_sent_later_unless_it_is_void() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("notify");
            let listening = UnixDatagram::bind(&path).unwrap();
            let filler = connect(path.as_os_str()).unwrap();
            let mut datagrams = 0;
            while filler.socket.send(b"filler").is_ok() {
                datagrams += 1;
            }
            let systemd = Systemd { socket: Some(Arc::new(connect(path.as_os_str()).unwrap())) };
            systemd.ready();
            systemd.stopping();
            for _ in 0..datagrams {
                assert_eq!(received(&listening), "filler");
            }
            tokio::time::sleep(super::super::RETRY_INTERVAL * 2).await;
            listening.set_nonblocking(true).unwrap();
            assert_eq!(received(&listening), "STOPPING=1");
            assert!(listening.recv(&mut [0; 64]).is_err());
        }

        #[cfg(target_os = "linux")]
        #[test]
        fn a_name_that_begins_with_at_is_an_abstract_socket() {
            use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
            let name = format!("rollcall-test-{}", std::process::id());
            let address = SocketAddr::from_abstract_name(&name).unwrap();
            let listening = UnixDatagram::bind_addr(&address).unwrap();
            let socket = connect(OsStr::new(&format!("@{name}"))).unwrap();
            Systemd { socket: Some(Arc::new(socket)) }.ready();
            assert_eq!(received(&listening), "READY=1");
        }
    }
}
