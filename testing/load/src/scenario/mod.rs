//! The scenarios: each starts a server, runs clients, and reports.

mod attack;
mod drop_half;
mod event;
mod fanout;
mod idle;
mod join_storm;
mod reconnect;
mod resets;
mod slow;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    client::swarm::Swarm,
    error::LoadError,
    measure::{
        baseline::{self, BaselineWork},
        report::{Figures, Report, add_traffic, figure},
        server_process::{AdmissionLimits, Cores, Server, Usage},
        traffic::Traffic,
    },
    options::{Options, Scenario},
    oracle::{server_list, violations::Violations},
};

/// The number of sockets that are opened at the same time, where that is not measured.
const MAX_CONCURRENT_CONNECTS: usize = 64;

/// The longest duration of a baseline.
const MAX_BASELINE_DURATION: Duration = Duration::from_secs(3);

/// The times of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The time limit for lists to become right.
    pub timeout: Duration,
    /// The pause before memory is read, and before a list counts as final.
    pub settle_time: Duration,
    /// The shortest phase of `slow`: long enough for the server to drop stalled readers, and for them to
    /// reconnect.
    pub min_slow_duration: Duration,
    /// How often `slow` and `attack` alternate between without and with disturbance.
    pub repetitions: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(1),
            settle_time: Duration::from_millis(500),
            // The server's write timeout is 5 s.
            min_slow_duration: Duration::from_secs(8),
            repetitions: 3,
        }
    }
}

/// The common configuration of all runs.
#[derive(Clone, Debug)]
pub struct RunContext {
    /// The command line.
    pub options: Options,
    /// The server's program, unless there is a URL.
    pub program: Option<PathBuf>,
    /// The cores of the two sides, if threads can be pinned.
    pub cores: Option<Cores>,
    /// The times of a run.
    pub timing: Timing,
}

impl RunContext {
    /// Runs a scenario once; `fanout` runs once for each rate.
    pub fn run(&self, scenario: Scenario) -> Result<Vec<Report>, LoadError> {
        match scenario {
            Scenario::Connect => self.with_baseline(idle::connect(self)?),
            Scenario::Idle => self.with_baseline(idle::idle(self)?),
            Scenario::Fanout => {
                let rates = self.options.rates.iter();
                let runs = rates.map(|rate| self.with_baseline(fanout::run(self, *rate)?));
                runs.collect::<Result<Vec<_>, _>>().map(|reports| reports.concat())
            }
            Scenario::Storm => self.with_baseline(join_storm::run(self)?),
            Scenario::Drop => self.with_baseline(drop_half::run(self)?),
            Scenario::Return => self.with_baseline(reconnect::all_at_once(self)?),
            Scenario::Reload => self.with_baseline(reconnect::reload(self)?),
            Scenario::Slow => self.with_baseline(slow::run(self)?),
            Scenario::Attack => self.with_baseline(attack::run(self)?),
            Scenario::Resets => self.with_baseline(resets::run(self)?),
            Scenario::Baseline => self.baseline().map(|report| vec![report]),
        }
    }

    /// Adds the cost of the same frames without a server.
    ///
    /// The baseline runs after the scenario's own sockets are closed, because it needs as many.
    fn with_baseline(&self, outcome: Outcome) -> Result<Vec<Report>, LoadError> {
        let Outcome { mut report, sent } = outcome;
        if let Some(sent) = sent
            && !self.options.no_baseline
        {
            add_baseline(self, &sent, &mut report.figures)?;
        }
        Ok(vec![report])
    }

    /// The number of clients.
    pub fn clients(&self) -> usize {
        usize::try_from(self.options.clients).unwrap_or(usize::MAX)
    }

    fn server(&self, limits: AdmissionLimits) -> Result<Server, LoadError> {
        match (&self.options.url, &self.program) {
            (Some(url), _) => Server::running(url),
            (None, Some(program)) => Server::start(program, self.cores.as_ref(), limits),
            (None, None) => {
                Err(LoadError::Server("there is no --server-binary and no --url".to_owned()))
            }
        }
    }

    /// Waits until every list is right, then checks all lists.
    fn judge(&self, swarm: &mut Swarm) -> Result<(), LoadError> {
        // A socket without a frame must not wait: the server would close it.
        if !swarm.has_followers() {
            return Ok(());
        }
        swarm.wait_until_right(self.timing.timeout)?;
        swarm.run_for(self.timing.settle_time)?;
        let server_list = server_list::fetch(swarm.address(), swarm.room());
        swarm.judge(server_list);
        Ok(())
    }

    fn baseline(&self) -> Result<Report, LoadError> {
        const FLUSHES: usize = 100;
        let work = BaselineWork {
            sockets: self.clients(),
            frame_in_bytes: 100,
            flushes: FLUSHES,
            pace_in_micros: 0,
        };
        let cost = baseline::run(work, self.cores.as_ref())?;
        let micros = cost.as_secs_f64() * 1e6;
        let figures = Figures::from([
            ("frames", figure(work.frames())),
            ("bytes_per_frame", 100.0),
            ("cpu_us_per_frame", micros),
            ("facts_per_cpu_s", 1e6 / micros),
        ]);
        Ok(Report::new("baseline", self.options.clients, &Violations::default(), figures))
    }
}

/// A swarm in a room that no other run uses.
fn swarm(server: &Server) -> Result<Swarm, LoadError> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let room = format!("load-{}", now.unwrap_or_default().as_micros());
    Swarm::new(server.address, &room)
}

/// The result of a run.
struct Outcome {
    report: Report,
    /// The traffic, where it was measured.
    sent: Option<SentTraffic>,
}

/// The traffic, and the time that it took.
#[derive(Clone, Copy, Debug)]
struct SentTraffic {
    frames: u64,
    bytes: u64,
    wall: Duration,
}

/// The start of a measurement.
struct Measurement {
    started_at: Instant,
    before: Usage,
}

impl Measurement {
    fn begin(server: &Server, swarm: &mut Swarm) -> Self {
        server.reset_peak();
        swarm.traffic = Traffic::default();
        Self { started_at: Instant::now(), before: server.usage() }
    }

    /// Adds the figures since the start.
    fn end(self, server: &Server, traffic: &Traffic, figures: &mut Figures) -> SentTraffic {
        let wall = self.started_at.elapsed();
        let after = server.usage();
        add_traffic(figures, traffic, after.cpu_since(&self.before));
        if let Some(memory) = after.memory {
            figures.insert("peak_mib", figure(memory.peak) / 1024.0);
        }
        SentTraffic { frames: traffic.frames, bytes: traffic.bytes, wall }
    }
}

/// Adds the cost of the same frames without a server, and the ratio of the server's cost to it: per frame,
/// and per fact as if every fact were a frame of its own.
fn add_baseline(
    context: &RunContext,
    sent: &SentTraffic,
    figures: &mut Figures,
) -> Result<(), LoadError> {
    let sockets = context.clients();
    let flushes = usize::try_from(sent.frames).unwrap_or_default() / sockets;
    if flushes == 0 {
        return Ok(());
    }
    let timing = sent.wall.div_f64(figure(flushes));
    let fitting = MAX_BASELINE_DURATION.as_micros() / timing.as_micros().max(1);
    let work = BaselineWork {
        sockets,
        frame_in_bytes: usize::try_from(sent.bytes / sent.frames.max(1)).unwrap_or_default(),
        flushes: flushes.min(usize::try_from(fitting).unwrap_or(usize::MAX)).max(1),
        pace_in_micros: u64::try_from(timing.as_micros()).unwrap_or_default(),
    };
    let micros = baseline::run(work, context.cores.as_ref())?.as_secs_f64() * 1e6;
    figures.insert("baseline_cpu_us_per_frame", micros);
    for (ours, ratio) in [
        ("cpu_us_per_frame", "cpu_per_frame_to_baseline"),
        ("cpu_us_per_fact", "cpu_per_fact_to_baseline"),
    ] {
        if let Some(cost) = figures.get(ours).copied() {
            figures.insert(ratio, cost / micros);
        }
    }
    Ok(())
}
