//! Addresses that do their worst by plain requests: the latency of a stranger's page and join, compared with the latency
//! without them.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use super::{MAX_CONCURRENT_CONNECTS, Outcome, RunContext, swarm};
use crate::{
    client::{
        greedy::{Appetite, Greedy},
        http::HttpConnection,
        probe::Probe,
        swarm::{Opening, Swarm},
    },
    error::LoadError,
    measure::{
        histogram::Histogram,
        report::{Figures, Report, figure},
        server_process::AdmissionLimits,
    },
};

/// Connections of each greedy address.
const CONNECTIONS: usize = 50;

/// The pause between two pages of the stranger.
const PAUSE: Duration = Duration::from_millis(20);

/// The stranger's address, which is nobody else's.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// The room of the stranger's page: another one than that of the greedy requests.
const ROOM: &str = "probe";

/// What greedy addresses ask for, and the names of the figures.
struct Phase {
    /// Each phase has addresses of its own, whose budgets are full.
    network: u8,
    addresses: u8,
    path: fn(&str, u64) -> String,
    coding: &'static str,
    page_p99: &'static str,
    join_p99: &'static str,
    answers: &'static str,
    rejections: &'static str,
}

/// The names of a phase's figures.
macro_rules! phase {
    ($name:literal, $network:literal, $addresses:literal, $coding:literal, $path:expr) => {
        Phase {
            network: $network,
            addresses: $addresses,
            path: $path,
            coding: $coding,
            page_p99: concat!("page_ms_p99_", $name),
            join_p99: concat!("join_ms_p99_", $name),
            answers: concat!("answers_s_", $name),
            rejections: concat!("rejections_s_", $name),
        }
    };
}

fn users(room: &str, _: u64) -> String {
    format!("/api/rooms/{room}/users")
}

/// A page of the big room.
fn page(room: &str, _: u64) -> String {
    format!("/r/{room}")
}

/// A file that nobody has asked for lately: in each of the time zones.
fn csv(room: &str, number: u64) -> String {
    format!("/api/rooms/{room}/roll.csv?offset={}", number % 840)
}

static PHASES: [Phase; 6] = [
    phase!("users", 1, 1, "identity", users),
    phase!("users_br", 2, 1, "br", users),
    phase!("users_gzip", 3, 1, "gzip", users),
    phase!("csv_br", 4, 1, "br", csv),
    phase!("page_br", 5, 1, "br", page),
    phase!("three_addresses", 6, 3, "gzip", csv),
];

pub(super) fn run(context: &RunContext) -> Result<Outcome, LoadError> {
    let server = context.server(AdmissionLimits::Default)?;
    let address = server.address;
    let mut swarm = swarm(vec![address])?;
    let people = swarm.add(context.clients(), Opening::Join);
    swarm.connect_all(people, MAX_CONCURRENT_CONNECTS)?;
    context.judge(&mut swarm)?;
    let mut stranger = Stranger { address, probe: Probe::start(address, address)? };
    let time = Duration::from_secs(context.options.seconds.into());
    let mut figures = Figures::new();
    // Warms up the server, whose first requests are slower.
    stranger.visit(&mut swarm, Duration::from_millis(500))?;
    let undisturbed = stranger.visit(&mut swarm, time)?;
    undisturbed.add_to(&mut figures, "page_ms_p99_undisturbed", "join_ms_p99_undisturbed");
    for phase in &PHASES {
        let hosts = (1..=phase.addresses).map(|last| Ipv4Addr::new(127, 0, phase.network, last));
        let appetite = Appetite {
            hosts: hosts.collect(),
            connections: CONNECTIONS,
            path: phase.path,
            room: swarm.room().to_owned(),
            coding: phase.coding,
        };
        let greedy = Greedy::start(address, &appetite)?;
        let latencies = stranger.visit(&mut swarm, time)?;
        latencies.add_to(&mut figures, phase.page_p99, phase.join_p99);
        let helpings = greedy.helpings();
        for (name, counter) in
            [(phase.answers, &helpings.answers), (phase.rejections, &helpings.rejections)]
        {
            figures.insert(name, figure(counter.load(Ordering::Relaxed)) / time.as_secs_f64());
        }
        drop(greedy);
        if latencies.refused > 0 {
            swarm.violations.add(|| format!("the stranger was refused in {}", phase.page_p99));
        }
        // The queues that are left must not count for the next phase.
        swarm.run_for(context.timing.settle_time)?;
    }
    context.judge(&mut swarm)?;
    let report = Report::new("greedy", context.options.clients, &swarm.violations, figures);
    Ok(Outcome { report, sent: None })
}

/// Somebody who opens pages, and joins.
struct Stranger {
    address: SocketAddr,
    probe: Probe,
}

/// What the stranger waited for.
#[derive(Default)]
struct Latencies {
    page: Histogram,
    join: Histogram,
    /// Pages that did not come with 200.
    refused: u64,
}

impl Stranger {
    /// Opens pages and joins for this long, both at once, while the sockets of the swarm are served.
    fn visit(&mut self, swarm: &mut Swarm, time: Duration) -> Result<Latencies, LoadError> {
        let Self { address, probe } = self;
        let address = *address;
        let mut join = Histogram::default();
        let (pages, joins) = thread::scope(|scope| {
            let pages = scope.spawn(|| open_pages(address, time));
            let joins = scope.spawn(|| probe.measure_joins(time, &mut join));
            while !(pages.is_finished() && joins.is_finished()) {
                swarm.run_for(Duration::from_millis(10))?;
            }
            Ok::<_, LoadError>((pages.join(), joins.join()))
        })?;
        let panicked = || LoadError::Server("a thread of the stranger panicked".to_owned());
        joins.map_err(|_| panicked())??;
        let pages = pages.map_err(|_| panicked())?;
        let (page, refused) =
            pages.map_err(|source| LoadError::Io { what: "could not open a page", source })?;
        Ok(Latencies { page, join, refused })
    }
}

/// Opens one page after the other, each on a new connection.
fn open_pages(address: SocketAddr, time: Duration) -> io::Result<(Histogram, u64)> {
    let (mut latency, mut refused) = (Histogram::default(), 0);
    let until = Instant::now() + time;
    while Instant::now() < until {
        let started_at = Instant::now();
        let answer = HttpConnection::open(STRANGER, address)?.get(&page(ROOM, 0), "br")?;
        latency.record(started_at.elapsed());
        refused += u64::from(answer.status != 200);
        thread::sleep(PAUSE);
    }
    Ok((latency, refused))
}

impl Latencies {
    fn add_to(&self, figures: &mut Figures, page: &'static str, join: &'static str) {
        for (name, latency) in [(page, &self.page), (join, &self.join)] {
            if let Some(p99) = latency.quantile(0.99) {
                figures.insert(name, p99.as_secs_f64() * 1e3);
            }
        }
    }
}
