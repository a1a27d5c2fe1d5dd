//! TCP sockets: the limit of open files, and the options of each socket.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};

/// The length of the accept queue. By default it is 128, and then a thousand clients that reconnect at once
/// wait for seconds.
const BACKLOG: u32 = 4096;

/// How long written data may stay unacknowledged before the system closes the connection. By default it
/// retries for about a quarter of an hour, and keeps the buffers for it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// Listens on an address; port 0 picks a free port.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the old connections to time out.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Sets the options of an accepted connection. If that fails, it is served with the system's defaults.
pub(crate) fn set_options(stream: &TcpStream) {
    // Frames are written whole: there is nothing to gather.
    let outcome = stream.set_nodelay(true);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let outcome =
        outcome.and_then(|()| SockRef::from(stream).set_tcp_user_timeout(Some(USER_TIMEOUT)));
    if let Err(error) = outcome {
        tracing::debug!(%error, "socket options could not be set");
    }
}

/// Raises the limit of open files to the maximum that the system allows, and returns it: on Unix every
/// connection is an open file, and the limit is often 1,024 at first.
///
/// None where the system has no such limit.
pub fn raise_open_files_limit() -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            tracing::debug!(%error, "the limit of open files could not be raised");
        }
    }
    open_files_limit()
}

/// How many files this process may have open; none where the system has no such limit.
pub(crate) fn open_files_limit() -> Option<u64> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_accepted_connection_gets_its_options() {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let accepted = accepted.into_std().unwrap();
        set_options(&accepted);
        assert!(accepted.nodelay().unwrap());
        assert_eq!(SockRef::from(&accepted).tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_of_open_files_is_raised_to_the_maximum() {
        use rustix::process::{Resource, getrlimit};
        assert_eq!(raise_open_files_limit(), getrlimit(Resource::Nofile).maximum);
    }
}
