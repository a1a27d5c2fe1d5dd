//! What a connection costs that nothing happens on.

use std::time::Duration;

use super::{AT_ONCE, Outcome, Stage, swarm};
use crate::client::swarm::{Opening, Swarm};
use crate::error::LoadError;
use crate::measure::report::{Figures, Report, figure};
use crate::measure::server_process::{Door, Server, Usage};

/// How many clients come and go first: what a server does once is no connection's cost.
const WARM_UP: usize = 20;

/// Every connection is asked once in this time whether it is still there.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Sockets are opened, and nothing is said.
pub(super) fn connect(stage: &Stage) -> Result<Outcome, LoadError> {
    let (server, before) = warm_server(stage)?;
    let mut swarm = swarm(&server)?;
    let clients = swarm.add(stage.clients(), Opening::Silence);
    swarm.connect_all(clients, AT_ONCE)?;
    swarm.rest(stage.pace.settle)?;
    let mut figures = Figures::new();
    put_memory(&mut figures, stage, &before, &server.usage());
    let report = Report::new("connect", stage.options.clients, &swarm.violations, figures);
    Ok(Outcome { report, sent: None })
}

/// All have joined and are at rest.
pub(super) fn idle(stage: &Stage) -> Result<Outcome, LoadError> {
    let (server, before) = warm_server(stage)?;
    let mut swarm = swarm(&server)?;
    let clients = swarm.add(stage.clients(), Opening::Join);
    swarm.connect_all(clients, AT_ONCE)?;
    stage.judge(&mut swarm)?;
    swarm.rest(stage.pace.settle)?;
    let at_rest = server.usage();
    let mut figures = Figures::new();
    put_memory(&mut figures, stage, &before, &at_rest);
    swarm.rest(HEARTBEAT)?;
    if let Some(used) = server.usage().cpu_since(&at_rest) {
        let used = used.as_secs_f64() * 1e6;
        let connections = figure(stage.clients());
        figures.insert("cpu_us_per_connection_s", used / connections / HEARTBEAT.as_secs_f64());
    }
    stage.judge(&mut swarm)?;
    let report = Report::new("idle", stage.options.clients, &swarm.violations, figures);
    Ok(Outcome { report, sent: None })
}

/// A server that has done everything once.
fn warm_server(stage: &Stage) -> Result<(Server, Usage), LoadError> {
    let server = stage.server(Door::Open)?;
    let mut swarm: Swarm = swarm(&server)?;
    let clients = swarm.add(WARM_UP, Opening::Join);
    swarm.connect_all(clients.clone(), AT_ONCE)?;
    stage.judge(&mut swarm)?;
    for client in clients {
        swarm.close(client, 1000);
    }
    swarm.rest(stage.pace.settle)?;
    let usage = server.usage();
    Ok((server, usage))
}

fn put_memory(figures: &mut Figures, stage: &Stage, before: &Usage, after: &Usage) {
    if let (Some(before), Some(after)) = (before.memory, after.memory) {
        let grown = figure(after.resident.saturating_sub(before.resident));
        figures.insert("kib_per_connection", grown / figure(stage.clients()));
        figures.insert("peak_mib", figure(after.peak) / 1024.0);
    }
}
