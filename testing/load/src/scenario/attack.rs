//! The latency of joins during an attack, compared with the latency without one.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{Outcome, RunContext};
use crate::{
    client::{
        attack::{Attack, AttackConfig},
        probe::Probe,
    },
    error::LoadError,
    measure::{
        histogram::Histogram,
        report::{Figures, Report, add_latency, figure},
        server_process::{AdmissionLimits, Server},
    },
    oracle::violations::Violations,
};

/// The server's default limit for new sockets per address, and the joins beyond it.
const ACCEPTED_JOINS_PER_SECOND: u32 = 200;
const EXCESS_JOINS_PER_SECOND: u32 = 200;

const GARBAGE_PER_SECOND: u32 = 100;

/// More silent connections attack no other way, and keep the generator busy.
const MAX_SILENT: usize = 5_000;

/// One dripping connection for so many silent ones.
const SILENT_PER_DRIPPING: usize = 5;

/// The pause after an attack.
const COOL_DOWN: Duration = Duration::from_secs(2);

pub(super) fn run(context: &RunContext) -> Result<Outcome, LoadError> {
    let server = context.server(AdmissionLimits::Default)?;
    let silent = context.clients().min(MAX_SILENT);
    let config = AttackConfig {
        silent,
        dripping: silent.div_ceil(SILENT_PER_DRIPPING),
        joins_per_second: ACCEPTED_JOINS_PER_SECOND + EXCESS_JOINS_PER_SECOND,
        garbage_per_second: GARBAGE_PER_SECOND,
    };
    let mut run = Run {
        context,
        server: &server,
        config,
        probe: Probe::start(server.address, server.address)?,
        unattacked: Histogram::default(),
        attacked: Histogram::default(),
        figures: Figures::new(),
        violations: Violations::default(),
    };
    // Warms up the server, whose first requests are slower.
    run.probe.measure_joins(Duration::from_millis(500), &mut Histogram::default())?;
    for _ in 0..context.timing.repetitions {
        run.repeat()?;
    }
    Ok(Outcome { report: run.report(), sent: None })
}

struct Run<'a> {
    context: &'a RunContext,
    server: &'a Server,
    config: AttackConfig,
    probe: Probe,
    unattacked: Histogram,
    attacked: Histogram,
    figures: Figures,
    violations: Violations,
}

impl Run<'_> {
    /// Measures without and then during an attack.
    fn repeat(&mut self) -> Result<(), LoadError> {
        let time = Duration::from_secs(self.context.options.seconds.into());
        self.probe.measure_joins(time, &mut self.unattacked)?;
        let attack = Attack::start(self.server.address, self.config)?;
        self.wait_until_ramped_up(&attack)?;
        let before = self.server.usage();
        let started_at = Instant::now();
        self.probe.measure_joins(time, &mut self.attacked)?;
        if let Some(cpu) = self.server.usage().cpu_since(&before) {
            let share = cpu.as_secs_f64() / started_at.elapsed().as_secs_f64();
            self.figures.insert("server_cpu_share_attacked", share);
        }
        self.judge(&attack);
        drop(attack);
        thread::sleep(COOL_DOWN);
        Ok(())
    }

    /// Keeps the probe running, so that its socket answers pings.
    fn wait_until_ramped_up(&mut self, attack: &Attack) -> Result<(), LoadError> {
        let within = self.context.timing.timeout;
        let until = Instant::now() + within;
        while !attack.is_ramped_up(self.config) {
            if Instant::now() > until {
                let state = format!("{:?}", attack.stats());
                return Err(LoadError::Timeout { what: "starting the attack", within, state });
            }
            self.probe.measure_joins(Duration::from_millis(100), &mut Histogram::default())?;
        }
        Ok(())
    }

    fn judge(&mut self, attack: &Attack) {
        if !attack.is_running() {
            self.violations.add(|| "the attack ended early".to_owned());
        }
        if !attack.is_ramped_up(self.config) {
            self.violations.add(|| "not all attackers were connected at the end".to_owned());
        }
        let stats = attack.stats();
        let counts: [(&'static str, &AtomicU64); 5] = [
            ("silent", &stats.silent),
            ("dripping", &stats.dripping),
            ("joins_refused", &stats.joins_refused),
            ("joins_accepted", &stats.joins_accepted),
            ("garbage_ended", &stats.garbage_ended),
        ];
        for (name, count) in counts {
            let count = count.load(Ordering::Relaxed);
            if count == 0 {
                self.violations.add(|| format!("the attack had no effect: {name} is 0"));
            }
            self.figures.insert(name, figure(count));
        }
    }

    fn report(mut self) -> Report {
        let figures = &mut self.figures;
        let unattacked =
            ["latency_ms_p50_without", "latency_ms_p99_without", "latency_ms_max_without"];
        add_latency(figures, &self.unattacked, unattacked);
        add_latency(
            figures,
            &self.attacked,
            ["latency_ms_p50", "latency_ms_p99", "latency_ms_max"],
        );
        figures.insert("joins_seen", figure(self.unattacked.count() + self.attacked.count()));
        let p99 = |name| figures.get(name).copied();
        if let (Some(without), Some(with)) = (p99("latency_ms_p99_without"), p99("latency_ms_p99"))
        {
            figures.insert("p99_to_without", with / without);
        }
        Report::new("attack", self.context.options.clients, &self.violations, self.figures)
    }
}
