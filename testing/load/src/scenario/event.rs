//! An event that affects many clients: the time until every list is right, and its cost.

use std::{ops::Range, time::Instant};

use super::{MAX_CONCURRENT_CONNECTS, Measurement, Outcome, RunContext, SentTraffic, swarm};
use crate::{
    client::swarm::{Opening, Swarm},
    error::LoadError,
    measure::{
        report::{Figures, Report},
        server_process::{AdmissionLimits, Server},
    },
};

/// A server and the clients of one room, before the event.
pub(super) struct Setup<'a> {
    context: &'a RunContext,
    server: Server,
    pub(super) swarm: Swarm,
}

/// The clients after the event, when every list is right, and the figures.
pub(super) struct Completed<'a> {
    context: &'a RunContext,
    /// Dropping it would end the server.
    _server: Server,
    pub(super) swarm: Swarm,
    pub(super) figures: Figures,
    sent: SentTraffic,
}

impl<'a> Setup<'a> {
    /// Starts a server, without clients.
    pub(super) fn new(context: &'a RunContext) -> Result<Self, LoadError> {
        let server = context.server(AdmissionLimits::Off)?;
        let swarm = swarm(&server)?;
        Ok(Self { context, server, swarm })
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
        let Self { context, server, mut swarm } = self;
        context.judge(&mut swarm)?;
        let measurement = Measurement::begin(&server, &mut swarm);
        let started_at = event(&mut swarm)?;
        let mut figures = Figures::new();
        if let Some(complete) = swarm.wait_until_right(context.timing.timeout)? {
            figures.insert("time_s", (complete - started_at).as_secs_f64());
        }
        let sent = measurement.end(&server, &swarm.traffic, &mut figures);
        context.judge(&mut swarm)?;
        Ok(Completed { context, _server: server, swarm, figures, sent })
    }
}

impl Completed<'_> {
    /// The result of the run.
    pub(super) fn outcome(self, name: impl Into<String>) -> Outcome {
        let clients = self.context.options.clients;
        let report = Report::new(name, clients, &self.swarm.violations, self.figures);
        Outcome { report, sent: Some(self.sent) }
    }
}
