//! The sockets below `WebSocket`: how many there may be, and what is set on each.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted: by default it is 128,
/// and then a thousand who come back at once wait for seconds.
const BACKLOG: u32 = 4096;

/// How long what was written may stay unconfirmed before the system gives the connection up;
/// by default it tries for about a quarter of an hour, and keeps the memory for it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNCONFIRMED_FOR: Duration = Duration::from_secs(20);

/// Listens on an address; port 0 takes a free one.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the old connections to time out.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Sets what every accepted connection needs. Without it, it is served all the same.
pub(crate) fn prepare(stream: &TcpStream) {
    // What is told to everyone is written at once, in one piece: there is nothing to wait for.
    let outcome = stream.set_nodelay(true);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let outcome =
        outcome.and_then(|()| SockRef::from(stream).set_tcp_user_timeout(Some(UNCONFIRMED_FOR)));
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection is served with the system's settings");
    }
}

/// Lets this process have as many connections as it may, and says how many: on Unix every one is an open file,
/// and what is allowed at first is often 1,024.
///
/// None where the system knows no such bound.
pub fn raise_open_files_limit() -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
    }
    open_files_limit()
}

/// How many files this process may have open; none where the system knows no such bound.
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
    async fn an_accepted_connection_has_its_settings() {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let accepted = accepted.into_std().unwrap();
        prepare(&accepted);
        assert!(accepted.nodelay().unwrap());
        assert_eq!(SockRef::from(&accepted).tcp_user_timeout().unwrap(), Some(UNCONFIRMED_FOR));
    }

    #[cfg(unix)]
    #[test]
    fn as_many_files_may_be_open_as_the_system_lets() {
        use rustix::process::{Resource, getrlimit};
        assert_eq!(raise_open_files_limit(), getrlimit(Resource::Nofile).maximum);
    }
}
