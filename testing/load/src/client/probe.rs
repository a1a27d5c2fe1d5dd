//! Measures the latency of joins: one client joins and leaves, another one watches.

use std::{
    net::{Ipv4Addr, SocketAddr},
    thread,
    time::{Duration, Instant},
};

use app::presence::ClientEvent;

use super::blocking_socket::BlockingSocket;
use crate::{error::LoadError, measure::histogram::Histogram};

/// The room of the probe: nobody else is in it.
pub const ROOM: &str = "probe";

/// The pause between a leave and the next join.
const PAUSE: Duration = Duration::from_millis(20);

/// A watcher of a room, and a client that joins and leaves.
#[derive(Debug)]
pub struct Probe {
    host: Option<Ipv4Addr>,
    address: SocketAddr,
    watcher: BlockingSocket,
    pause: Duration,
    /// The number of joins: each one has another name.
    joins: u64,
}

impl Probe {
    /// Connects the watcher to one server. The other client connects to a server at `address`, which may be
    /// the same.
    pub fn start(address: SocketAddr, watchers: SocketAddr) -> Result<Self, LoadError> {
        Self::between(None, address, watchers, PAUSE)
    }

    /// The same of one server, from this address and with this pause between two joins.
    pub fn from(host: Ipv4Addr, server: SocketAddr, pause: Duration) -> Result<Self, LoadError> {
        Self::between(Some(host), server, server, pause)
    }

    fn between(
        host: Option<Ipv4Addr>,
        address: SocketAddr,
        watchers: SocketAddr,
        pause: Duration,
    ) -> Result<Self, LoadError> {
        let mut watcher = BlockingSocket::open(host, watchers, ROOM)?;
        watcher.send(&ClientEvent::Watch { since: None })?;
        watcher.wait_until(|list| list.position().is_some())?;
        Ok(Self { host, address, watcher, pause, joins: 0 })
    }

    /// Joins and leaves for this long, and records the time from connecting until the watcher has the row.
    pub fn measure_joins(
        &mut self,
        time: Duration,
        latency: &mut Histogram,
    ) -> Result<(), LoadError> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.joins += 1;
            let name = format!("Visitor {}", self.joins);
            let started_at = Instant::now();
            let mut joiner = BlockingSocket::open(self.host, self.address, ROOM)?;
            joiner.join(&name)?;
            self.watcher
                .wait_until(|list| list.roster().users().any(|user| user.name.as_str() == name))?;
            latency.record(started_at.elapsed());
            joiner.send(&ClientEvent::Leave {})?;
            self.watcher.wait_until(|list| list.roster().is_empty())?;
            joiner.close()?;
            thread::sleep(self.pause);
        }
        Ok(())
    }
}
