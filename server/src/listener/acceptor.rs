//! Accepts connections in a thread of its own.
//!
//! In the runtime, accepting is one task among thousands: when ten thousand clients break off and come back
//! in the same moment, each turn of it waits until all the others have had theirs, and what waits to be
//! accepted meanwhile is more than the system's queue holds. The system refuses the rest without a word, and
//! they try again only seconds later. A thread gets its share of the processor from the system, whatever the
//! runtime has to do.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    thread::{self, JoinHandle},
    time::Duration,
};

use mio::{Events, Interest, Poll, Token, Waker};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::{reserve_fd::ReserveFd, tcp};

const LISTENER: Token = Token(0);
const STOP: Token = Token(1);

/// How long nothing is accepted after the system refused to, mostly because too many files are open.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// A listening socket whose connections are accepted in a thread of its own, until this is dropped.
#[derive(Debug)]
pub(crate) struct Acceptor {
    /// No more may wait here than files may be open.
    accepted: UnboundedReceiver<(std::net::TcpStream, SocketAddr)>,
    stop: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Acceptor {
    /// Begins to accept.
    ///
    /// # Errors
    /// What the system says when it gives no thread, or nothing to wait with.
    pub(crate) fn start(listener: TcpListener) -> io::Result<Self> {
        let poll = Poll::new()?;
        let stop = Waker::new(poll.registry(), STOP)?;
        let mut listener = mio::net::TcpListener::from_std(listener.into_std()?);
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let (sender, accepted) = unbounded_channel();
        let thread = thread::Builder::new()
            .name("acceptor".to_owned())
            .spawn(move || accept_until_stopped(poll, &listener, &sender))?;
        Ok(Self { accepted, stop, thread: Some(thread) })
    }
}

impl Acceptor {
    /// The next connection, with the address of its other end.
    pub(crate) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let Some((stream, peer)) = self.accepted.recv().await else {
                // The thread ended, which it does not: whoever has a connection keeps it.
                return std::future::pending().await;
            };
            match TcpStream::from_std(stream) {
                Ok(stream) => return (stream, peer),
                Err(error) => tracing::debug!(%error, "a connection can't be served"),
            }
        }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        // The listening socket is the thread's: when this is over, nobody is kept waiting in its queue.
        if self.stop.wake().is_ok()
            && let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that accepts connections had panicked");
        }
    }
}

fn accept_until_stopped(
    mut poll: Poll,
    listener: &mio::net::TcpListener,
    accepted: &UnboundedSender<(std::net::TcpStream, SocketAddr)>,
) {
    let mut events = Events::with_capacity(2);
    let mut pause = None;
    let mut spare = ReserveFd::open();
    loop {
        match poll.poll(&mut events, pause) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::error!(%error, "no connection is accepted any more");
                return;
            }
        }
        if events.iter().any(|event| event.token() == STOP) {
            return;
        }
        pause = match accept_all(listener, accepted) {
            Ok(()) => None,
            Err(error) => {
                if pause.is_none() {
                    tracing::warn!(%error, "no connection can be accepted");
                }
                spare.reject_one(|| Some(listener.accept().ok()?.0.into()));
                // It would fail again at once, and again: what is missing may come back meanwhile.
                Some(PAUSE_AFTER_REFUSAL)
            }
        };
    }
}

/// Empties the system's queue: it tells only once that there is something in it.
fn accept_all(
    listener: &mio::net::TcpListener,
    accepted: &UnboundedSender<(std::net::TcpStream, SocketAddr)>,
) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, peer)) => {
                let stream = std::net::TcpStream::from(stream);
                tcp::prepare(&stream);
                // Nobody takes it any more: this is being dropped.
                drop(accepted.send((stream, peer)));
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => return Ok(()),
                // That one went away while it waited.
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
    async fn everyone_who_connects_is_accepted_until_it_is_dropped() {
        let listener = tcp::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut acceptor = Acceptor::start(listener).unwrap();
        for _ in 0..300 {
            let client = TcpStream::connect(address).await.unwrap();
            let (_stream, peer) = acceptor.accept().await;
            assert_eq!(peer, client.local_addr().unwrap());
        }
        let mut waiting = TcpStream::connect(address).await.unwrap();
        drop(acceptor);
        // Whether it was still in the system's queue or had been taken out of it: it is let go.
        assert!(matches!(waiting.read(&mut [0]).await, Ok(0) | Err(_)));
        assert!(TcpStream::connect(address).await.is_err());
    }
}
