//! The scenarios: each starts a server, runs clients, and reports.

mod across;
mod attack;
mod drop_half;
mod engine_faults;
mod event;
mod fanout;
mod fill;
mod greedy;
mod idle;
mod join_storm;
mod kill;
mod pause;
mod reconnect;
mod resets;
mod rolling;
mod school;
mod slow;
mod socketio;

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    client::swarm::Swarm,
    cluster::{
        Servers, Way,
        engine::{Engine, Persistence},
    },
    error::LoadError,
    measure::{
        baseline::{self, BaselineWork},
        peer::Peer,
        report::{Figures, Report, add_traffic, figure},
        server_process::{AdmissionLimits, Cores, Server, ServerSettings, Usage},
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
#[derive(Clone, Copy, Debug, PartialEq)]
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
    /// How long a stranger may wait beside greedy addresses; none where the machine is too slow to judge it.
    pub stranger: Option<StrangerBound>,
}

/// How long a stranger may wait: 99 of 100 times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrangerBound {
    /// As a multiple of the time without greedy addresses.
    pub ratio: f64,
    /// In any case.
    pub most: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(1),
            settle_time: Duration::from_millis(500),
            // The server's write timeout is 5 s.
            min_slow_duration: Duration::from_secs(8),
            repetitions: 3,
            stranger: Some(StrangerBound { ratio: 3.0, most: Duration::from_millis(200) }),
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
    /// What runs in place of the server, for comparison.
    pub peer: Option<Peer>,
    /// The cores of the two sides, if threads can be pinned.
    pub cores: Option<Cores>,
    /// The times of a run.
    pub timing: Timing,
}

impl RunContext {
    /// Runs a scenario once; `fanout` runs once for each rate. With several servers it runs on one as well where
    /// that can be compared, and so it does on a peer.
    pub fn run(&self, scenario: Scenario) -> Result<Vec<Report>, LoadError> {
        let several = self.once(scenario)?;
        if let Some(peer) = self.options.against
            && scenario.runs_on_a_peer()
        {
            let theirs = Self { peer: Some(peer), ..self.clone() }.once(scenario)?;
            let compared = several.into_iter().zip(theirs);
            return Ok(compared
                .flat_map(|(ours, theirs)| [ours.against(&theirs), theirs])
                .collect());
        }
        if self.options.servers == 1 || !scenario.runs_on_one_server() {
            return Ok(several);
        }
        let one = self.alone().once(scenario)?;
        let compared = several.into_iter().zip(one);
        Ok(compared.flat_map(|(several, one)| [several.compared_with(&one), one]).collect())
    }

    /// The same with one server.
    fn alone(&self) -> Self {
        Self { options: Options { servers: 1, ..self.options.clone() }, ..self.clone() }
    }

    /// The name of a scenario's report.
    fn name(&self, scenario: &str) -> String {
        match (self.peer, self.options.servers) {
            (Some(peer), _) => format!("{scenario} on {}", peer.name()),
            (None, 1) => scenario.to_owned(),
            (None, servers) => format!("{scenario} on {servers}"),
        }
    }

    fn once(&self, scenario: Scenario) -> Result<Vec<Report>, LoadError> {
        match scenario {
            Scenario::Connect => self.with_baseline(idle::connect(self)?),
            Scenario::Idle => self.with_baseline(idle::idle(self)?),
            Scenario::Fill => self.with_baseline(fill::run(self)?),
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
            Scenario::Greedy => self.with_baseline(greedy::run(self)?),
            Scenario::Socketio => socketio::run(self),
            Scenario::School => self.with_baseline(school::run(self)?),
            Scenario::Resets => self.with_baseline(resets::run(self)?),
            Scenario::Across => across::run(self).map(|report| vec![report]),
            Scenario::Kill => kill::run(self).map(|report| vec![report]),
            Scenario::Pause => pause::run(self).map(|report| vec![report]),
            Scenario::Engine => engine_faults::run(self),
            Scenario::Rolling => rolling::run(self).map(|report| vec![report]),
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

    fn server<'lines>(
        &self,
        settings: impl Into<ServerSettings<'lines>>,
    ) -> Result<Server, LoadError> {
        if let Some(peer) = self.peer {
            return Server::start_peer(peer, self.cores.as_ref());
        }
        match (&self.options.url, &self.program) {
            (Some(url), _) => Server::running(url),
            (None, Some(program)) => Server::start(program, self.cores.as_ref(), settings),
            (None, None) => {
                Err(LoadError::Server("there is no --server-binary and no --url".to_owned()))
            }
        }
    }

    /// The servers of a run, without limits.
    fn servers(&self) -> Result<Servers, LoadError> {
        if self.options.servers == 1 {
            return self.server(AdmissionLimits::Off).map(Servers::from);
        }
        self.cluster(Persistence::None, Way::Direct)
    }

    /// The same for a scenario that needs several.
    fn several(
        &self,
        scenario: &'static str,
        persistence: Persistence,
        way: Way,
    ) -> Result<Servers, LoadError> {
        match self.options.servers {
            1 => Err(LoadError::OneServer(scenario)),
            _ => self.cluster(persistence, way),
        }
    }

    /// Several servers over an engine of their own.
    fn cluster(&self, persistence: Persistence, way: Way) -> Result<Servers, LoadError> {
        let Some(program) = &self.program else {
            return Err(LoadError::Server("there is no --server-binary".to_owned()));
        };
        let cores = self.cores.as_ref();
        let engine = Engine::start(persistence, cores)?;
        let count = usize::try_from(self.options.servers).unwrap_or(usize::MAX);
        Servers::over(engine, count, program, cores, way)
    }

    /// Waits until every list is right, then checks all lists.
    fn judge(&self, swarm: &mut Swarm) -> Result<(), LoadError> {
        // A socket without a frame must not wait: the server would close it.
        if !swarm.has_followers() {
            return Ok(());
        }
        swarm.wait_until_right(self.timing.timeout)?;
        swarm.run_for(self.timing.settle_time)?;
        judge_now(swarm, |_| true);
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
fn swarm(addresses: Vec<SocketAddr>) -> Result<Swarm, LoadError> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let room = format!("load-{}", now.unwrap_or_default().as_micros());
    Swarm::new(addresses, &room)
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
    fn begin(servers: &Servers, swarm: &mut Swarm) -> Self {
        servers.reset_peak();
        swarm.traffic = Traffic::default();
        Self { started_at: Instant::now(), before: servers.usage() }
    }

    /// Adds the figures since the start.
    fn end(self, servers: &Servers, traffic: &Traffic, figures: &mut Figures) -> SentTraffic {
        let wall = self.started_at.elapsed();
        let after = servers.usage();
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

/// Polls until a condition holds.
fn wait_for(
    swarm: &mut Swarm,
    what: &'static str,
    within: Duration,
    mut is_met: impl FnMut(&Swarm) -> bool,
) -> Result<(), LoadError> {
    let until = Instant::now() + within;
    while !is_met(swarm) {
        if Instant::now() > until {
            let state = format!("{} stale, {} lost", swarm.stale(), swarm.lost());
            return Err(LoadError::Timeout { what, within, state });
        }
        swarm.poll_once(Duration::from_millis(20))?;
    }
    Ok(())
}

/// Adds how many changes of each kind the clients have seen.
fn add_facts(figures: &mut Figures, traffic: &Traffic) {
    figures.insert("new_user_seen", figure(traffic.joined));
    figures.insert("disconnect_user_seen", figure(traffic.departed));
    figures.insert("user_changed_seen", figure(traffic.changed));
}

/// Checks all lists, and those of the servers that are there.
fn judge_now(swarm: &mut Swarm, is_there: impl Fn(usize) -> bool) {
    let addresses = swarm.addresses().to_vec();
    for (_, address) in addresses.into_iter().enumerate().filter(|(server, _)| is_there(*server)) {
        let server_list = server_list::fetch(address, swarm.room());
        swarm.judge(server_list);
    }
}
