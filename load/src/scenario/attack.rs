//! Somebody attacks: what that costs a normal visitor's join.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{Outcome, Stage};
use crate::client::attack::{Attack, Strength};
use crate::client::probe::Probe;
use crate::error::LoadError;
use crate::measure::histogram::Histogram;
use crate::measure::report::{Figures, Report, figure, put_latency};
use crate::measure::server_process::{Door, Server};
use crate::oracle::violations::Violations;

/// The door lets in so many sockets of one address each second, and this many joins a second are over that.
const LET_IN_PER_SECOND: u32 = 200;
const JOINS_OVER_THE_LIMIT_PER_SECOND: u32 = 200;

const GARBAGE_PER_SECOND: u32 = 100;

/// More than so many silent ones are no other attack: they only take the generator's time to keep up.
const MOST_SILENT: usize = 5_000;

/// For so many silent connections there is one that drips.
const DRIPPING_IN: usize = 5;

/// How long the server is left alone after an attack.
const CALM: Duration = Duration::from_secs(2);

pub(super) fn run(stage: &Stage) -> Result<Outcome, LoadError> {
    let server = stage.server(Door::AsByDefault)?;
    let silent = stage.clients().min(MOST_SILENT);
    let strength = Strength {
        silent,
        dripping: silent.div_ceil(DRIPPING_IN),
        joins_per_second: LET_IN_PER_SECOND + JOINS_OVER_THE_LIMIT_PER_SECOND,
        garbage_per_second: GARBAGE_PER_SECOND,
    };
    let mut run = Run {
        stage,
        server: &server,
        strength,
        probe: Probe::arrive(server.address)?,
        undisturbed: Histogram::default(),
        attacked: Histogram::default(),
        figures: Figures::new(),
        violations: Violations::default(),
    };
    // What a server does once is not part of either.
    run.probe.measure_joins(Duration::from_millis(500), &mut Histogram::default())?;
    for _ in 0..stage.pace.turns {
        run.turn()?;
    }
    Ok(Outcome { report: run.report(), sent: None })
}

struct Run<'a> {
    stage: &'a Stage,
    server: &'a Server,
    strength: Strength,
    probe: Probe,
    undisturbed: Histogram,
    attacked: Histogram,
    figures: Figures,
    violations: Violations,
}

impl Run<'_> {
    /// Measures without and then with an attack.
    fn turn(&mut self) -> Result<(), LoadError> {
        let time = Duration::from_secs(self.stage.options.seconds.into());
        self.probe.measure_joins(time, &mut self.undisturbed)?;
        let attack = Attack::begin(self.server.address, self.strength)?;
        self.until_at_full_strength(&attack)?;
        let before = self.server.usage();
        let begun = Instant::now();
        self.probe.measure_joins(time, &mut self.attacked)?;
        if let Some(cpu) = self.server.usage().cpu_since(&before) {
            let share = cpu.as_secs_f64() / begun.elapsed().as_secs_f64();
            self.figures.insert("server_cpu_share_attacked", share);
        }
        self.judge(&attack);
        drop(attack);
        thread::sleep(CALM);
        Ok(())
    }

    /// The visitors go on meanwhile: who is not answered would be lost.
    fn until_at_full_strength(&mut self, attack: &Attack) -> Result<(), LoadError> {
        let within = self.stage.pace.patience;
        let until = Instant::now() + within;
        while !attack.is_at_full_strength(self.strength) {
            if Instant::now() > until {
                let state = format!("{:?}", attack.stats());
                return Err(LoadError::TooLong { what: "an attack", within, state });
            }
            self.probe.measure_joins(Duration::from_millis(100), &mut Histogram::default())?;
        }
        Ok(())
    }

    fn judge(&mut self, attack: &Attack) {
        if !attack.goes_on() {
            self.violations.add(|| "the attack broke off".to_owned());
        }
        if !attack.is_at_full_strength(self.strength) {
            self.violations.add(|| "at the end fewer attacked than were to".to_owned());
        }
        let stats = attack.stats();
        let counts: [(&'static str, &AtomicU64); 5] = [
            ("silent", &stats.silent),
            ("dripping", &stats.dripping),
            ("joins_refused", &stats.joins_refused),
            ("joins_let_in", &stats.joins_let_in),
            ("garbage_ended", &stats.garbage_ended),
        ];
        for (name, count) in counts {
            let count = count.load(Ordering::Relaxed);
            if count == 0 {
                self.violations.add(|| format!("there was no attack: {name} is 0"));
            }
            self.figures.insert(name, figure(count));
        }
    }

    fn report(mut self) -> Report {
        let figures = &mut self.figures;
        let undisturbed =
            ["latency_ms_p50_without", "latency_ms_p99_without", "latency_ms_max_without"];
        put_latency(figures, &self.undisturbed, undisturbed);
        put_latency(
            figures,
            &self.attacked,
            ["latency_ms_p50", "latency_ms_p99", "latency_ms_max"],
        );
        figures.insert("joins_seen", figure(self.undisturbed.count() + self.attacked.count()));
        let p99 = |name| figures.get(name).copied();
        if let (Some(without), Some(with)) = (p99("latency_ms_p99_without"), p99("latency_ms_p99"))
        {
            figures.insert("p99_to_without", with / without);
        }
        Report::new("attack", self.stage.options.clients, &self.violations, self.figures)
    }
}
