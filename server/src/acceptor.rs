//! Accepts connections in a thread of its own.
//!
//! In the runtime, accepting is one task among thousands: when ten thousand clients break off and come back
//! in the same moment, each turn of it waits until all the others have had theirs, and what waits to be
//! accepted meanwhile is more than the system's queue holds. The system refuses the rest without a word, and
//! they try again only seconds later. A thread gets its share of the processor from the system, whatever the
//! runtime has to do.

use std::{
    fs::File,
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    thread::{self, JoinHandle},
    time::Duration,
};

use mio::{Events, Interest, Poll, Token, Waker};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use crate::{door::TurnedAway, tcp};

const LISTENER: Token = Token(0);
const STOP: Token = Token(1);

/// How long nothing is accepted after the system refused to, mostly because too many files are open.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// How many are told so before each pause.
const MOST_TURNED_AWAY_AT_ONCE: usize = 100;

/// A listening socket whose connections are accepted in a thread of its own, until this is dropped.
#[derive(Debug)]
pub(crate) struct Acceptor {
    /// No more may wait here than files may be open.
    accepted: UnboundedReceiver<(std::net::TcpStream, SocketAddr)>,
    address: SocketAddr,
    stop: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Acceptor {
    /// Begins to accept.
    ///
    /// # Errors
    /// What the system says when it gives no thread, or nothing to wait with.
    pub(crate) fn start(listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let poll = Poll::new()?;
        let stop = Waker::new(poll.registry(), STOP)?;
        let mut listener = mio::net::TcpListener::from_std(listener.into_std()?);
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let (sender, accepted) = unbounded_channel();
        let thread = thread::Builder::new()
            .name("acceptor".to_owned())
            .spawn(move || accept_until_stopped(poll, &listener, &sender))?;
        Ok(Self { accepted, address, stop, thread: Some(thread) })
    }
}

impl axum::serve::Listener for Acceptor {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
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

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
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
    let mut spare = SpareFile::open();
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
                // Said once, and not again with every pause.
                if pause.is_none() {
                    tracing::warn!(%error, "connections can't be accepted");
                }
                spare.turn_away(listener);
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

/// An open file for the moment when there are no others: without it, those who can't be accepted would wait
/// where nobody tells them anything.
struct SpareFile(Option<File>);

impl SpareFile {
    fn open() -> Self {
        let nothing = if cfg!(unix) { File::open("/dev/null").ok() } else { None };
        Self(nothing)
    }

    /// Lets others in for a moment in its place, one after the other, and tells them that there is no room.
    fn turn_away(&mut self, listener: &mio::net::TcpListener) {
        if self.0.take().is_none() {
            return;
        }
        let sentence = format!("{}\n", TurnedAway::TooManyConnections);
        let answer = format!(
            "HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{sentence}",
            sentence.len()
        );
        for _ in 0..MOST_TURNED_AWAY_AT_ONCE {
            let Ok((mut stream, _)) = listener.accept() else { break };
            // What is left unread would make the system throw the answer away. Nothing is waited for:
            // what is not there yet, or does not fit into what the system keeps, is lost.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write(answer.as_bytes());
        }
        *self = Self::open();
    }
}

#[cfg(test)]
mod tests {
    use axum::serve::Listener as _;
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn everyone_who_connects_is_accepted_until_it_is_dropped() {
        let mut acceptor =
            Acceptor::start(tcp::listen(([127, 0, 0, 1], 0).into()).unwrap()).unwrap();
        let address = acceptor.local_addr().unwrap();
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
