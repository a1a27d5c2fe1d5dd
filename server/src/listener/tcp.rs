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
pub(super) const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// How much of what was sent the system keeps for a connection until the client has received it. It is half of what
/// Linux then reckons, as that counts its own records as well. A client 100 ms away gets about 1 MB a second.
pub(super) const SEND_BUFFER_IN_BYTES: usize = 128 * 1024;

/// With so much that is not even sent, a connection takes no more: what nobody reads stays where it is shared, and not
/// in a copy for each connection.
#[cfg(target_os = "linux")]
const NOT_SENT_IN_BYTES: u32 = 16 * 1024;

/// Listens on an address; port 0 picks a free port.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the old connections to time out.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Bounds what the system keeps of each connection that is accepted from now on: connections inherit these options.
pub(crate) fn bound_send_buffers(listener: &TcpListener) {
    let socket = SockRef::from(listener);
    let outcome = socket.set_send_buffer_size(SEND_BUFFER_IN_BYTES / 2);
    #[cfg(target_os = "linux")]
    let outcome = outcome.and_then(|()| socket.set_tcp_notsent_lowat(NOT_SENT_IN_BYTES));
    if let Err(error) = outcome {
        tracing::warn!(%error, "the send buffers of connections can't be bounded");
    }
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
        bound_send_buffers(&listener);
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let accepted = accepted.into_std().unwrap();
        set_options(&accepted);
        assert!(accepted.nodelay().unwrap());
        assert_eq!(SockRef::from(&accepted).send_buffer_size().unwrap(), SEND_BUFFER_IN_BYTES);
        assert_eq!(SockRef::from(&accepted).tcp_notsent_lowat().unwrap(), NOT_SENT_IN_BYTES);
        assert_eq!(SockRef::from(&accepted).tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
    }

    #[cfg(unix)]
    #[test]
    fn the_limit_of_open_files_is_raised_to_the_maximum() {
        use rustix::process::{Resource, getrlimit};
        assert_eq!(raise_open_files_limit(), getrlimit(Resource::Nofile).maximum);
    }
}
