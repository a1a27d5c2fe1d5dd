//! An event that affects many clients: the time until every list is right, and its cost.

use std::{ops::Range, time::Instant};

use super::{MAX_CONCURRENT_CONNECTS, Measurement, Outcome, RunContext, SentTraffic, swarm};
use crate::{
    client::swarm::{Opening, Swarm},
    cluster::{
        Servers,
        engine::{Engine, ScriptTime},
    },
    error::LoadError,
    measure::report::{Figures, Report, figure},
};

/// A server and the clients of one room, before the event.
pub(super) struct Setup<'a> {
    context: &'a RunContext,
    servers: Servers,
    pub(super) swarm: Swarm,
}

/// The clients after the event, when every list is right, and the figures.
pub(super) struct Completed<'a> {
    context: &'a RunContext,
    /// Dropping them would end them.
    _servers: Servers,
    pub(super) swarm: Swarm,
    pub(super) figures: Figures,
    sent: SentTraffic,
}

impl<'a> Setup<'a> {
    /// Starts a server, without clients.
    pub(super) fn new(context: &'a RunContext) -> Result<Self, LoadError> {
        let servers = context.servers()?;
        let swarm = swarm(servers.addresses())?;
        Ok(Self { context, servers, swarm })
    }

    /// Adds clients, opens their sockets, and sends their first frame.
    pub(super) fn connect_clients(
        &mut self,
        count: usize,
        opening: Opening,
    ) -> Result<Range<usize>, LoadError> {
        let clients = self.swarm.add(count, opening);
        self.swarm.connect_all(clients.clone(), MAX_CONCURRENT_CONNECTS)?;
        Ok(clients)
    }

    /// Runs the event, which returns its start, and measures until every list is right.
    pub(super) fn run_event(
        self,
        event: impl FnOnce(&mut Swarm) -> Result<Instant, LoadError>,
    ) -> Result<Completed<'a>, LoadError> {
        let Self { context, servers, mut swarm } = self;
        context.judge(&mut swarm)?;
        let engine = servers.shared.as_ref().map(|shared| &shared.engine);
        let engine = engine.map(|engine| EngineWork::begin(engine, &swarm)).transpose()?;
        let measurement = Measurement::begin(&servers, &mut swarm);
        let started_at = event(&mut swarm)?;
        let mut figures = Figures::new();
        if let Some(complete) = swarm.wait_until_right(context.timing.timeout)? {
            figures.insert("time_s", (complete - started_at).as_secs_f64());
        }
        let sent = measurement.end(&servers, &swarm.traffic, &mut figures);
        if let Some(engine) = engine {
            engine.end(&swarm, &mut figures)?;
        }
        context.judge(&mut swarm)?;
        Ok(Completed { context, _servers: servers, swarm, figures, sent })
    }
}

impl Completed<'_> {
    /// The result of the run.
    pub(super) fn outcome(self, name: impl Into<String>) -> Outcome {
        let clients = self.context.options.clients;
        let name = self.context.name(&name.into());
        let report = Report::new(name, clients, &self.swarm.violations, self.figures);
        Outcome { report, sent: Some(self.sent) }
    }
}

/// What an event costs the engine.
struct EngineWork<'a> {
    engine: &'a Engine,
    before: ScriptTime,
    changes: u64,
}

impl<'a> EngineWork<'a> {
    fn begin(engine: &'a Engine, swarm: &Swarm) -> Result<Self, LoadError> {
        Ok(Self { engine, before: engine.script_time()?, changes: swarm.truth.version() })
    }

    /// The clients' changes are the commands: what servers add by themselves is counted as part of them.
    fn end(self, swarm: &Swarm, figures: &mut Figures) -> Result<(), LoadError> {
        let after = self.engine.script_time()?;
        let commands = figure(swarm.truth.version() - self.changes);
        if commands > 0.0 {
            let spent = figure(after.microseconds - self.before.microseconds);
            figures.insert("engine_us_per_command", spent / commands);
            let scripts = figure(after.calls - self.before.calls);
            figures.insert("commands_per_script", commands / scripts);
        }
        let people = swarm.truth.listed();
        if people > 0 {
            let bytes = self.engine.memory_of(swarm.room())?;
            figures.insert("engine_bytes_per_person", figure(bytes) / figure(people));
        }
        Ok(())
    }
}
