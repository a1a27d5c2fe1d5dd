//! Somebody who opens pages and joins, from an address that does nothing else.

use std::{
    net::{Ipv4Addr, SocketAddr},
    thread,
    time::{Duration, Instant},
};

use crate::{
    client::{
        http::HttpConnection,
        probe::{Probe, ROOM},
    },
    error::LoadError,
    measure::histogram::Histogram,
};

/// The pause between two pages, and between two joins.
const PAUSE: Duration = Duration::from_millis(5);

/// The stranger of one server.
#[derive(Debug)]
pub(super) struct Stranger {
    server: SocketAddr,
    /// Counts the visits: each is from another address, as somebody who opens a hundred pages a second is not frugal.
    visits: u8,
}

/// What the stranger waited for.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    /// The page of a room.
    pub(super) page: Histogram,
    /// The lobby.
    pub(super) lobby: Histogram,
    /// From connecting until somebody else sees the row.
    pub(super) join: Histogram,
    /// What was refused or failed, as a sentence each.
    pub(super) refusals: Vec<String>,
}

impl Latencies {
    /// Adds those of another visit.
    pub(super) fn add(&mut self, other: Self) {
        self.page.add(&other.page);
        self.lobby.add(&other.lobby);
        self.join.add(&other.join);
        self.refusals.extend(other.refusals);
    }

    /// How often each was measured at least.
    pub(super) fn samples(&self) -> u64 {
        self.page.count().min(self.lobby.count()).min(self.join.count())
    }
}

impl Stranger {
    pub(super) fn new(server: SocketAddr) -> Self {
        Self { server, visits: 0 }
    }

    /// Opens pages and joins for this long, both at once.
    pub(super) fn visit(&mut self, time: Duration) -> Result<Latencies, LoadError> {
        self.visits = self.visits.wrapping_add(1);
        let (server, host) = (self.server, Ipv4Addr::new(127, 1, self.visits, 1));
        thread::scope(|scope| {
            let joins = scope.spawn(move || join(host, server, time));
            let pages = scope.spawn(move || open_pages(host, server, time));
            let panicked = |_| LoadError::Server("a thread of the stranger panicked".to_owned());
            let mut latencies = joins.join().map_err(panicked)?;
            latencies.add(pages.join().map_err(panicked)?);
            Ok(latencies)
        })
    }
}

/// Opens the page of a room and the lobby in turn, each on a new connection.
fn open_pages(host: Ipv4Addr, server: SocketAddr, time: Duration) -> Latencies {
    let mut latencies = Latencies::default();
    let until = Instant::now() + time;
    while Instant::now() < until {
        let Latencies { page, lobby, refusals, .. } = &mut latencies;
        for (path, latency) in [(format!("/r/{ROOM}"), page), ("/".to_owned(), lobby)] {
            let started_at = Instant::now();
            let answer = HttpConnection::open(host, server)
                .and_then(|mut connection| connection.get(&path, "br"));
            match answer {
                Ok(answer) if answer.status == 200 => latency.record(started_at.elapsed()),
                Ok(answer) => refusals.push(format!("{path} was answered with {}", answer.status)),
                Err(error) => refusals.push(format!("{path} failed: {error}")),
            }
            thread::sleep(PAUSE);
        }
    }
    latencies
}

fn join(host: Ipv4Addr, server: SocketAddr, time: Duration) -> Latencies {
    let mut latencies = Latencies::default();
    let until = Instant::now() + time;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return latencies;
        }
        let joined = Probe::from(host, server, PAUSE)
            .and_then(|mut probe| probe.measure_joins(left, &mut latencies.join));
        if let Err(error) = joined {
            latencies.refusals.push(format!("a join failed: {error}"));
            thread::sleep(PAUSE);
        }
    }
}
