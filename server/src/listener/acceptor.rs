//! Accepts connections in a thread of its own.
//!
//! In the runtime, accepting is one task among thousands: when ten thousand clients reconnect at once, it
//! waits for all other tasks before each turn, and the system's accept queue overflows. The system drops the
//! rest silently, and they retry only seconds later. A thread gets its share of the processor from the
//! system, whatever the runtime has to do.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    thread::{self, JoinHandle},
    time::Duration,
};

use mio::{Events, Interest, Poll, Token, Waker};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    time::Instant,
};

use super::{reserve_fd::ReserveFd, tcp};
use crate::telemetry::warning_interval::WarningInterval;

const LISTENER: Token = Token(0);
const STOP: Token = Token(1);

/// Pause after the system could not accept a connection, mostly because too many files are open.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// The accept thread of a listening socket. Dropping it ends the thread and closes the socket.
#[derive(Debug)]
pub(crate) struct Acceptor {
    /// Each entry is an open file, so it has a bound: the rest waits in the system's queue.
    accepted: Receiver<(std::net::TcpStream, SocketAddr)>,
    stop: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Acceptor {
    /// Starts the thread, which accepts so many connections that nobody has looked at yet.
    ///
    /// # Errors
    /// If the system provides no poller or no thread.
    pub(crate) fn start(listener: TcpListener, most_waiting: usize) -> io::Result<Self> {
        tcp::bound_send_buffers(&listener);
        let poll = Poll::new()?;
        let stop = Waker::new(poll.registry(), STOP)?;
        let mut listener = mio::net::TcpListener::from_std(listener.into_std()?);
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let (sender, accepted) = channel(most_waiting.max(1));
        let thread = thread::Builder::new()
            .name("acceptor".to_owned())
            .spawn(move || accept_until_stopped(poll, &listener, &sender))?;
        Ok(Self { accepted, stop, thread: Some(thread) })
    }
}

impl Acceptor {
    /// The next connection and its peer address.
    pub(crate) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let Some((stream, peer)) = self.accepted.recv().await else {
                // The thread ends early only if polling fails: existing connections are still served.
                return std::future::pending().await;
            };
            match TcpStream::from_std(stream) {
                Ok(stream) => return (stream, peer),
                Err(error) => tracing::debug!(%error, "could not serve an accepted connection"),
            }
        }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        // The thread may wait for a place in the channel.
        self.accepted.close();
        // The thread owns the listening socket: once joined, the socket is closed, with all in its queue.
        if self.stop.wake().is_ok()
            && let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the accept thread has panicked");
        }
    }
}

fn accept_until_stopped(
    mut poll: Poll,
    listener: &mio::net::TcpListener,
    accepted: &Sender<(std::net::TcpStream, SocketAddr)>,
) {
    let mut events = Events::with_capacity(2);
    let mut pause = None;
    let mut reserve = ReserveFd::open();
    // Connections that come and go at the limit of files would repeat it several times a second.
    let warning = WarningInterval::default();
    loop {
        match poll.poll(&mut events, pause) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::error!(%error, "polling the listening socket failed: no more connections are accepted");
                return;
            }
        }
        if events.iter().any(|event| event.token() == STOP) {
            return;
        }
        pause = match accept_all(listener, accepted) {
            Ok(()) => None,
            Err(error) => {
                if warning.is_due(Instant::now()) {
                    tracing::warn!(%error, "connections can't be accepted");
                }
                reserve.reject_one(|| Some(listener.accept().ok()?.0.into()));
                // An immediate retry would fail again: files may be closed meanwhile.
                Some(PAUSE_AFTER_ERROR)
            }
        };
    }
}

/// Empties the system's queue: readiness is edge-triggered.
fn accept_all(
    listener: &mio::net::TcpListener,
    accepted: &Sender<(std::net::TcpStream, SocketAddr)>,
) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, peer)) => {
                let stream = std::net::TcpStream::from(stream);
                tcp::set_options(&stream);
                // It fails only while the acceptor is being dropped.
                if accepted.blocking_send((stream, peer)).is_err() {
                    return Ok(());
                }
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => return Ok(()),
                // Errors of that one connection, which was gone before it was accepted.
                ErrorKind::ConnectionAborted
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionRefused
                | ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn connections_are_accepted_until_the_acceptor_is_dropped() {
        let listener = tcp::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut acceptor = Acceptor::start(listener, 4).unwrap();
        for _ in 0..300 {
            let client = TcpStream::connect(address).await.unwrap();
            let (_stream, peer) = acceptor.accept().await;
            assert_eq!(peer, client.local_addr().unwrap());
        }
        let mut waiting = Vec::new();
        for _ in 0..20 {
            waiting.push(TcpStream::connect(address).await.unwrap());
        }
        // No more of them take a file than were asked for: the thread holds one, which it can't pass on.
        assert!(acceptor.accepted.len() <= 4);
        drop(acceptor);
        // They are closed whether they were still in the system's queue or accepted already.
        for mut client in waiting {
            assert!(matches!(client.read(&mut [0]).await, Ok(0) | Err(_)));
        }
        assert!(TcpStream::connect(address).await.is_err());
    }
}
