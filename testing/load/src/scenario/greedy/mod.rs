//! Addresses that do their worst by each pool in turn: what a stranger waits for, compared with the same run without
//! them, and what memory it takes.

mod memory;
mod phases;
mod stranger;
mod verdict;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use self::{
    memory::{MemoryBound, MemoryPeak},
    phases::{CONNECTIONS_OF_FEW, MIXED, PHASES, Phase, Room},
    stranger::{Latencies, Stranger},
    verdict::{PhaseResult, Verdict},
};
use super::{MAX_CONCURRENT_CONNECTS, Outcome, RunContext, swarm};
use crate::{
    client::{
        greedy::{Appetite, Frames, Greedy, Priority, Target},
        swarm::Opening,
    },
    error::LoadError,
    measure::{
        report::{Figures, Report},
        server_process::{AdmissionLimits, Server, ServerSettings},
        system,
    },
    oracle::violations::Violations,
};

/// The files of a server whose connections are few.
const FEW_FILES: u32 = 1_024;

/// Those who receive what is sent in the room of the greedy clients.
const LISTENERS: usize = 500;
const LISTENERS_HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 200, 1);

/// The number of clients for which all counts of this scenario are meant.
const USUAL_CLIENTS: usize = 1_000;

/// The time without greedy clients before each phase, as a part of the phase's.
const PART_WITHOUT: u32 = 3;

/// A p99 of fewer is that of the five slowest at most.
const ENOUGH_SAMPLES: u64 = 500;

/// A phase ends after so many times its time, whatever was measured.
const MOST_TIMES: u32 = 4;

/// What is left of a phase must not count for the next one: so many times the pause before a list is final.
const COOL_DOWN: u32 = 4;

pub(super) fn run(context: &RunContext) -> Result<Outcome, LoadError> {
    check_phases(&context.options.phases)?;
    let mut figures = Figures::new();
    let mut violations = Violations::default();
    let verdict = Verdict { bound: context.timing.stranger };
    let usual = on_usual_server(context, &mut violations)?;
    verdict.add(&usual, &mut figures, &mut violations);
    if context.program.is_some() && is_asked_for(context, &CONNECTIONS_OF_FEW) {
        let few = with_few_files(context)?;
        verdict.add(&few, &mut figures, &mut violations);
    }
    let report = Report::new("greedy", context.options.clients, &violations, figures);
    Ok(Outcome { report, sent: None })
}

/// All phases of the scenario.
fn all_phases() -> impl Iterator<Item = &'static Phase> {
    PHASES.iter().chain([&MIXED, &CONNECTIONS_OF_FEW])
}

fn check_phases(asked: &[String]) -> Result<(), LoadError> {
    let known: Vec<_> = all_phases().map(|phase| phase.names.phase).collect();
    match asked.iter().find(|asked| !known.contains(&asked.as_str())) {
        Some(unknown) => {
            Err(LoadError::UnknownPhase { name: unknown.clone(), known: known.join(", ") })
        }
        None => Ok(()),
    }
}

fn is_asked_for(context: &RunContext, phase: &Phase) -> bool {
    let asked = &context.options.phases;
    asked.is_empty() || asked.iter().any(|asked| asked == phase.names.phase)
}

/// What was measured on one server.
struct Measured {
    undisturbed: Latencies,
    phases: Vec<PhaseResult>,
    memory: Option<(MemoryPeak, MemoryBound)>,
    names: verdict::Names,
}

/// All phases but that of few connections. A crowd is in the room whose list is asked for, and its lists stay right.
fn on_usual_server(
    context: &RunContext,
    violations: &mut Violations,
) -> Result<Measured, LoadError> {
    let server = context.server(AdmissionLimits::Default)?;
    let (address, is_over) = (server.address, AtomicBool::new(false));
    let (ready, is_ready) = mpsc::channel();
    thread::scope(|scope| {
        let is_over = &is_over;
        let crowd = scope.spawn(move || keep_crowd(context, address, &ready, is_over));
        // None if it failed, which it says when it is joined.
        let measured = is_ready.recv().ok().map(|room| {
            let phases = PHASES.iter().chain([&MIXED]);
            Run::new(context, &server, room).measure(phases)
        });
        is_over.store(true, Ordering::Relaxed);
        let panicked = || LoadError::Server("the crowd panicked".to_owned());
        violations.extend(&crowd.join().map_err(|_| panicked())??);
        let measured = measured.ok_or_else(panicked)??;
        Ok(Measured { names: verdict::USUAL, ..measured })
    })
}

/// People in one room, until the phases are over, and what is wrong with their lists. They are not the stranger, so they
/// come second.
fn keep_crowd(
    context: &RunContext,
    server: SocketAddr,
    ready: &Sender<String>,
    is_over: &AtomicBool,
) -> Result<Violations, LoadError> {
    drop(system::lower_priority());
    let mut swarm = swarm(vec![server])?;
    let people = swarm.add(context.clients(), Opening::Join);
    swarm.connect_all(people, MAX_CONCURRENT_CONNECTS)?;
    context.judge(&mut swarm)?;
    // Nobody waits for it any more if the run has failed.
    let _ = ready.send(swarm.room().to_owned());
    while !is_over.load(Ordering::Relaxed) {
        swarm.run_for(Duration::from_millis(10))?;
    }
    context.judge(&mut swarm)?;
    Ok(swarm.violations)
}

/// A server that may have so few connections that one address could hold them all.
fn with_few_files(context: &RunContext) -> Result<Measured, LoadError> {
    let limits = AdmissionLimits::Default;
    let settings = ServerSettings { limits, presence: "", open_files: Some(FEW_FILES) };
    let server = context.server(settings)?;
    let run = Run::new(context, &server, "crowd".to_owned());
    Ok(Measured { names: verdict::FEW_FILES, ..run.measure([&CONNECTIONS_OF_FEW])? })
}

/// A run of phases on one server.
struct Run<'a> {
    context: &'a RunContext,
    server: &'a Server,
    /// The room with the long list.
    crowd: String,
    stranger: Stranger,
}

impl<'a> Run<'a> {
    fn new(context: &'a RunContext, server: &'a Server, crowd: String) -> Self {
        Self { context, server, crowd, stranger: Stranger::new(server.address) }
    }

    fn measure<'phases>(
        mut self,
        phases: impl IntoIterator<Item = &'phases Phase>,
    ) -> Result<Measured, LoadError> {
        let bound = MemoryBound::of(self.server);
        let peak = MemoryPeak::start(self.server);
        let time = Duration::from_secs(self.context.options.seconds.into());
        // Warms up the server, whose first requests are slower.
        self.stranger.visit(time / PART_WITHOUT)?;
        let (mut undisturbed, mut results) = (Latencies::default(), Vec::new());
        for phase in phases {
            // The operator of a server that runs already is not known.
            if phase.parts.iter().all(|part| self.target(part.room).is_none())
                || !is_asked_for(self.context, phase)
            {
                continue;
            }
            undisturbed.add(self.stranger.visit(time / PART_WITHOUT)?);
            results.push(self.measure_phase(phase, time)?);
            thread::sleep(self.context.timing.settle_time * COOL_DOWN);
        }
        undisturbed.add(self.stranger.visit(time / PART_WITHOUT)?);
        let memory = peak.end(self.server).zip(bound);
        Ok(Measured { undisturbed, phases: results, memory, names: verdict::USUAL })
    }

    fn measure_phase(&mut self, phase: &Phase, time: Duration) -> Result<PhaseResult, LoadError> {
        let _listeners = self.listeners(phase)?;
        let mut greedy = Vec::new();
        for part in phase.parts {
            let Some(target) = self.target(part.room) else { continue };
            let appetite = part.appetite.scaled(self.context.clients(), USUAL_CLIENTS);
            greedy.push(Greedy::start(&phase.hosts(), &target, &[appetite], self.priority())?);
        }
        self.wait_for_first_helping(&greedy);
        // Slow readers and idle connections are there only after a while.
        thread::sleep(time / PART_WITHOUT);
        let before = self.server.usage();
        let started_at = Instant::now();
        let latencies = self.visit_often_enough(time)?;
        let cpu = self.server.usage().cpu_since(&before);
        let share = cpu.map(|cpu| cpu.as_secs_f64() / started_at.elapsed().as_secs_f64());
        let helpings = greedy.iter().map(Greedy::helpings);
        let (answers, rejections) = helpings.fold((0, 0), |(answers, rejections), helpings| {
            (
                answers + helpings.answers.load(Ordering::Relaxed),
                rejections + helpings.rejections.load(Ordering::Relaxed),
            )
        });
        Ok(PhaseResult { names: phase.names, latencies, answers, rejections, cpu: share })
    }

    /// What the stranger waits for beside greedy clients: enough of it for a p99, if that is judged.
    fn visit_often_enough(&mut self, time: Duration) -> Result<Latencies, LoadError> {
        let until = Instant::now() + time * MOST_TIMES;
        let mut latencies = self.stranger.visit(time)?;
        while self.context.timing.stranger.is_some()
            && latencies.samples() < ENOUGH_SAMPLES
            && Instant::now() < until
        {
            latencies.add(self.stranger.visit(time / PART_WITHOUT)?);
        }
        Ok(latencies)
    }

    /// A busy machine may run the greedy clients late: the phase begins with what they do.
    fn wait_for_first_helping(&self, greedy: &[Greedy]) {
        let until = Instant::now() + self.context.timing.timeout;
        while greedy.iter().all(|greedy| greedy.helpings().is_empty()) && Instant::now() < until {
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where nobody judges how long a stranger waits, all threads are equal: other programs may leave no core idle.
    fn priority(&self) -> Priority {
        match self.context.timing.stranger {
            Some(_) => Priority::OthersFirst,
            None => Priority::Equal,
        }
    }

    fn target(&self, room: Room) -> Option<Target> {
        let server = self.server.address;
        match room {
            Room::Crowd => Some(Target { server, room: self.crowd.clone() }),
            Room::Busy => Some(Target { server, room: "busy".to_owned() }),
            Room::Operator => {
                self.server.operator().map(|server| Target { server, room: String::new() })
            }
        }
    }

    /// Those who have to receive what the phase causes.
    fn listeners(&self, phase: &Phase) -> Result<Option<Greedy>, LoadError> {
        let Some(target) = self.target(Room::Busy) else { return Ok(None) };
        if phase.parts.iter().all(|part| part.room != Room::Busy) {
            return Ok(None);
        }
        let listeners = Appetite::BusySockets { sockets: LISTENERS, frames: Frames::None };
        let listeners = listeners.scaled(self.context.clients(), USUAL_CLIENTS);
        Greedy::start(&[LISTENERS_HOST], &target, &[listeners], self.priority()).map(Some)
    }
}
