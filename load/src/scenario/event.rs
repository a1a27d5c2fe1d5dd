//! Something happens to many at once: how long it takes until every list is right, and what it costs.

use std::{ops::Range, time::Instant};

use super::{AT_ONCE, Measurement, Outcome, Sent, Stage, swarm};
use crate::client::swarm::{Opening, Swarm};
use crate::error::LoadError;
use crate::measure::report::{Figures, Report};
use crate::measure::server_process::{Door, Server};

/// A server and the clients of one room, before something happens to them.
pub(super) struct Before<'a> {
    stage: &'a Stage,
    server: Server,
    pub(super) swarm: Swarm,
}

/// The same when every list is right again, and what that took.
pub(super) struct After<'a> {
    stage: &'a Stage,
    /// It answers as long as this is there.
    _server: Server,
    pub(super) swarm: Swarm,
    pub(super) figures: Figures,
    sent: Sent,
}

impl<'a> Before<'a> {
    /// A server, and nobody yet.
    pub(super) fn new(stage: &'a Stage) -> Result<Self, LoadError> {
        let server = stage.server(Door::Open)?;
        let swarm = swarm(&server)?;
        Ok(Self { stage, server, swarm })
    }

    /// Adds clients whose sockets are open, and who have said `opening`.
    pub(super) fn gather(
        &mut self,
        count: usize,
        opening: Opening,
    ) -> Result<Range<usize>, LoadError> {
        let clients = self.swarm.add(count, opening);
        self.swarm.connect_all(clients.clone(), AT_ONCE)?;
        Ok(clients)
    }

    /// Lets it happen, and measures until every list is right; the event says when it began.
    pub(super) fn happens(
        self,
        event: impl FnOnce(&mut Swarm) -> Result<Instant, LoadError>,
    ) -> Result<After<'a>, LoadError> {
        let Self { stage, server, mut swarm } = self;
        stage.judge(&mut swarm)?;
        let measurement = Measurement::begin(&server, &mut swarm);
        let begun = event(&mut swarm)?;
        let mut figures = Figures::new();
        if let Some(complete) = swarm.wait_until_right(stage.pace.patience)? {
            figures.insert("time_s", (complete - begun).as_secs_f64());
        }
        let sent = measurement.end(&server, &swarm.traffic, &mut figures);
        stage.judge(&mut swarm)?;
        Ok(After { stage, _server: server, swarm, figures, sent })
    }
}

impl After<'_> {
    /// What it came to.
    pub(super) fn outcome(self, name: impl Into<String>) -> Outcome {
        let clients = self.stage.options.clients;
        let report = Report::new(name, clients, &self.swarm.violations, self.figures);
        Outcome { report, sent: Some(self.sent) }
    }
}
