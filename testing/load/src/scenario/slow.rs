//! Stalled readers: their cost to the other clients, and to the server.

use std::time::{Duration, Instant};

use super::{Outcome, RunContext, fanout, swarm};
use crate::{
    client::{stalled_readers::StalledReaders, swarm::Swarm},
    error::LoadError,
    measure::{
        histogram::Histogram,
        report::{Figures, Report, figure},
        server_process::{AdmissionLimits, Server},
        traffic::Traffic,
    },
};

/// One stalled reader for so many clients.
const CLIENTS_PER_STALLED_READER: usize = 100;

/// The rate in facts per second.
const RATE: u32 = 200_000;

pub(super) fn run(context: &RunContext) -> Result<Outcome, LoadError> {
    let server = context.server(AdmissionLimits::Off)?;
    let mut swarm = swarm(vec![server.address])?;
    // In a small room this rate would need more changes per second than there are clients.
    let clients = context.options.clients;
    let changes_per_second = (RATE / clients).clamp(1, clients);
    let actors = fanout::connect_clients(context, &mut swarm, changes_per_second)?;
    context.judge(&mut swarm)?;
    let time =
        Duration::from_secs(context.options.seconds.into()).max(context.timing.min_slow_duration);
    let timeout = context.timing.timeout;
    let stretch = SlowPhase { server: &server, actors: &actors, changes_per_second, time, timeout };
    let slow = context.clients().div_ceil(CLIENTS_PER_STALLED_READER);
    let (mut without, mut with) = (Histogram::default(), Histogram::default());
    let mut growth: Option<u64> = None;
    let mut dropped = 0;
    // Warms up the server, so that its one-time costs are not counted.
    stretch.run(&mut swarm, 0, &mut dropped)?;
    for _ in 0..context.timing.repetitions {
        let (latency, memory_without) = stretch.run(&mut swarm, 0, &mut dropped)?;
        without.add(&latency);
        let (latency, memory_with) = stretch.run(&mut swarm, slow, &mut dropped)?;
        with.add(&latency);
        if let (Some(without), Some(with)) = (memory_without, memory_with) {
            // The allocator may keep the memory of the first repetition, and the next ones then seem to need
            // none.
            growth = growth.max(Some(with.saturating_sub(without)));
        }
        swarm.wait_until_right(context.timing.timeout)?;
    }
    context.judge(&mut swarm)?;
    if dropped == 0 {
        swarm.violations.add(|| "no stalled reader was dropped".to_owned());
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

/// A phase in which actors join and leave.
struct SlowPhase<'a> {
    server: &'a Server,
    actors: &'a [usize],
    changes_per_second: u32,
    time: Duration,
    /// How long to wait for the first drop of a stalled reader.
    timeout: Duration,
}

impl SlowPhase<'_> {
    /// Runs the phase with this many stalled readers. Returns the latency of the other clients, and the
    /// server's memory in the middle of the phase, in KiB.
    fn run(
        &self,
        swarm: &mut Swarm,
        slow: usize,
        dropped: &mut usize,
    ) -> Result<(Histogram, Option<u64>), LoadError> {
        swarm.traffic = Traffic::default();
        let mut stalled_readers = StalledReaders::open(swarm.addresses()[0], swarm.room(), slow)?;
        let mut churn = |swarm: &mut Swarm| {
            let mut meanwhile = |swarm: &mut Swarm| stalled_readers.poll(&mut swarm.violations);
            let half = self.time / 2;
            fanout::churn(swarm, self.actors, self.changes_per_second, half, &mut meanwhile)
        };
        churn(swarm)?;
        let memory = self.server.usage().memory.map(|memory| memory.resident);
        churn(swarm)?;
        // Changes that are still on their way belong to the phase.
        let until = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until {
            swarm.run_for(Duration::from_millis(10))?;
            stalled_readers.poll(&mut swarm.violations)?;
        }
        let latency = std::mem::take(&mut swarm.traffic.latency);
        // A drop proves that the readers were stalled, and may take longer than the phase.
        let until = Instant::now() + self.timeout;
        while slow > 0 && stalled_readers.dropped() == 0 && Instant::now() < until {
            swarm.run_for(Duration::from_millis(10))?;
            stalled_readers.poll(&mut swarm.violations)?;
        }
        *dropped += stalled_readers.dropped();
        Ok((latency, memory))
    }
}
