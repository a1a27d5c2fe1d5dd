//! Some never read: what that costs the others, and the server.

use std::time::{Duration, Instant};

use super::{Outcome, RunContext, fanout, swarm};
use crate::client::stalled_readers::StalledReaders;
use crate::client::swarm::Swarm;
use crate::error::LoadError;
use crate::measure::histogram::Histogram;
use crate::measure::report::{Figures, Report, figure};
use crate::measure::server_process::{AdmissionLimits, Server};
use crate::measure::traffic::Traffic;

/// Beside this many clients there is one that never reads.
const CLIENTS_PER_STALLED_READER: usize = 100;

/// How many facts a second there are.
const RATE: u32 = 200_000;

pub(super) fn run(context: &RunContext) -> Result<Outcome, LoadError> {
    let server = context.server(AdmissionLimits::Off)?;
    let mut swarm = swarm(&server)?;
    // In a small room that many facts would take more changes than people.
    let clients = context.options.clients;
    let changes_per_second = (RATE / clients).clamp(1, clients);
    let actors = fanout::connect_clients(context, &mut swarm, changes_per_second)?;
    context.judge(&mut swarm)?;
    let time =
        Duration::from_secs(context.options.seconds.into()).max(context.timing.min_slow_duration);
    let timeout = context.timing.timeout;
    let stretch = Phase { server: &server, actors: &actors, changes_per_second, time, timeout };
    let slow = context.clients().div_ceil(CLIENTS_PER_STALLED_READER);
    let (mut without, mut with) = (Histogram::default(), Histogram::default());
    let mut growth: Option<u64> = None;
    let mut dropped = 0;
    // What a server takes once for coming and going is no slow client's cost.
    stretch.run(&mut swarm, 0, &mut dropped)?;
    for _ in 0..context.timing.repetitions {
        let (latency, memory_without) = stretch.run(&mut swarm, 0, &mut dropped)?;
        without.add(&latency);
        let (latency, memory_with) = stretch.run(&mut swarm, slow, &mut dropped)?;
        with.add(&latency);
        if let (Some(without), Some(with)) = (memory_without, memory_with) {
            // What the first turn took may be kept for the next, which then seems to take nothing.
            growth = growth.max(Some(with.saturating_sub(without)));
        }
        swarm.wait_until_right(context.timing.timeout)?;
    }
    context.judge(&mut swarm)?;
    if dropped == 0 {
        swarm.violations.add(|| "no client that never reads was ever dropped for it".to_owned());
    }
    let mut figures =
        Figures::from([("slow_clients", figure(slow)), ("slow_clients_dropped", figure(dropped))]);
    if let (Some(without), Some(with)) = (without.quantile(0.99), with.quantile(0.99)) {
        let (without, with) = (without.as_secs_f64() * 1e3, with.as_secs_f64() * 1e3);
        figures.insert("latency_ms_p99_without", without);
        figures.insert("latency_ms_p99", with);
        figures.insert("p99_to_without", with / without);
    }
    if let Some(growth) = growth {
        figures.insert("kib_per_slow_client", figure(growth) / figure(slow));
    }
    let report = Report::new("slow", clients, &swarm.violations, figures);
    Ok(Outcome { report, sent: None })
}

/// A stretch of time in which some come and go.
struct Phase<'a> {
    server: &'a Server,
    actors: &'a [usize],
    changes_per_second: u32,
    time: Duration,
    /// How long the server is waited for that has dropped nobody yet.
    timeout: Duration,
}

impl Phase<'_> {
    /// Plays it beside this many who never read, and says how long it took until the others knew, and what
    /// the server held in the middle of it, in KiB.
    fn run(
        &self,
        swarm: &mut Swarm,
        slow: usize,
        dropped: &mut usize,
    ) -> Result<(Histogram, Option<u64>), LoadError> {
        swarm.traffic = Traffic::default();
        let mut stalled_readers = StalledReaders::open(swarm.address(), swarm.room(), slow)?;
        let mut churn = |swarm: &mut Swarm| {
            let mut meanwhile = |swarm: &mut Swarm| stalled_readers.poll(&mut swarm.violations);
            let half = self.time / 2;
            fanout::churn(swarm, self.actors, self.changes_per_second, half, &mut meanwhile)
        };
        churn(swarm)?;
        let memory = self.server.usage().memory.map(|memory| memory.resident);
        churn(swarm)?;
        // What is on its way still belongs to it.
        let until = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until {
            swarm.run_for(Duration::from_millis(10))?;
            stalled_readers.poll(&mut swarm.violations)?;
        }
        let latency = std::mem::take(&mut swarm.traffic.latency);
        // Were they blocked at all? That the server drops one says so, and it may take longer than this.
        let until = Instant::now() + self.timeout;
        while slow > 0 && stalled_readers.dropped() == 0 && Instant::now() < until {
            swarm.run_for(Duration::from_millis(10))?;
            stalled_readers.poll(&mut swarm.violations)?;
        }
        *dropped += stalled_readers.dropped();
        Ok((latency, memory))
    }
}
