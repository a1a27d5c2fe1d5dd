//! Connections that are kept open for nothing.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use super::{Helpings, PAUSE, Work};
use crate::{error::LoadError, measure::system};

/// Within the server's time limit for a request.
const REQUEST_INTERVAL: Duration = Duration::from_secs(4);

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Of so many a turn: the system's queue of new connections is not what is measured.
const MOST_NEW: usize = 20;

pub(super) struct IdleConnections {
    host: Ipv4Addr,
    server: SocketAddr,
    connections: Vec<Option<Connection>>,
}

struct Connection {
    stream: TcpStream,
    next_request: Instant,
    is_counted: bool,
}

impl IdleConnections {
    pub(super) fn new(host: Ipv4Addr, server: SocketAddr, connections: usize) -> Self {
        Self { host, server, connections: (0..connections).map(|_| None).collect() }
    }
}

impl Work for IdleConnections {
    fn turn(&mut self, helpings: &Helpings) -> Result<(), LoadError> {
        let now = Instant::now();
        let mut may_open = MOST_NEW;
        for slot in &mut self.connections {
            if slot.as_mut().is_some_and(|connection| connection.go_on(now, helpings)) {
                continue;
            }
            if slot.take().is_some() {
                helpings.count_rejection();
            }
            if may_open > 0 {
                may_open -= 1;
                let stream = system::connect_from(self.host, self.server).ok();
                *slot = stream.map(|stream| Connection {
                    stream,
                    next_request: now,
                    is_counted: false,
                });
            }
        }
        thread::sleep(PAUSE);
        Ok(())
    }
}

impl Connection {
    /// Asks whenever it is time, and reads the answers. Returns false if the connection has ended, or was refused.
    fn go_on(&mut self, now: Instant, helpings: &Helpings) -> bool {
        if self.next_request <= now {
            match self.stream.write(REQUEST) {
                Ok(_) => self.next_request = now + REQUEST_INTERVAL,
                // It is not connected yet.
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) =>
                {
                    return true;
                }
                Err(_) => return false,
            }
        }
        let mut answer = [0; 1024];
        match self.stream.read(&mut answer) {
            Ok(read) => {
                let is_accepted = answer[..read].starts_with(b"HTTP/1.1 200 ");
                if is_accepted && !std::mem::replace(&mut self.is_counted, true) {
                    helpings.count_answer();
                }
                is_accepted
            }
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }
}
