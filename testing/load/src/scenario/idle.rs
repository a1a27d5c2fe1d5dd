//! What a connection costs that nothing happens on.

use std::time::Duration;

use super::{MAX_CONCURRENT_CONNECTS, Outcome, RunContext, swarm};
use crate::client::swarm::{Opening, Swarm};
use crate::error::LoadError;
use crate::measure::report::{Figures, Report, figure};
use crate::measure::server_process::{AdmissionLimits, Server, Usage};

/// How many clients come and go first: what a server does once is no connection's cost.
const WARM_UP: usize = 20;

/// Every connection is asked once in this time whether it is still there.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Sockets are opened, and nothing is said.
pub(super) fn connect(context: &RunContext) -> Result<Outcome, LoadError> {
    let (server, before) = warm_server(context)?;
    let mut swarm = swarm(&server)?;
    let clients = swarm.add(context.clients(), Opening::Silence);
    swarm.connect_all(clients, MAX_CONCURRENT_CONNECTS)?;
    swarm.run_for(context.timing.settle_time)?;
    let mut figures = Figures::new();
    add_memory(&mut figures, context, &before, &server.usage());
    let report = Report::new("connect", context.options.clients, &swarm.violations, figures);
    Ok(Outcome { report, sent: None })
}

/// All have joined and are at rest.
pub(super) fn idle(context: &RunContext) -> Result<Outcome, LoadError> {
    let (server, before) = warm_server(context)?;
    let mut swarm = swarm(&server)?;
    let clients = swarm.add(context.clients(), Opening::Join);
    swarm.connect_all(clients, MAX_CONCURRENT_CONNECTS)?;
    context.judge(&mut swarm)?;
    swarm.run_for(context.timing.settle_time)?;
    let at_rest = server.usage();
    let mut figures = Figures::new();
    add_memory(&mut figures, context, &before, &at_rest);
    swarm.run_for(HEARTBEAT)?;
    if let Some(used) = server.usage().cpu_since(&at_rest) {
        let used = used.as_secs_f64() * 1e6;
        let connections = figure(context.clients());
        figures.insert("cpu_us_per_connection_s", used / connections / HEARTBEAT.as_secs_f64());
    }
    context.judge(&mut swarm)?;
    let report = Report::new("idle", context.options.clients, &swarm.violations, figures);
    Ok(Outcome { report, sent: None })
}

/// A server that has done everything once.
fn warm_server(context: &RunContext) -> Result<(Server, Usage), LoadError> {
    let server = context.server(AdmissionLimits::Off)?;
    let mut swarm: Swarm = swarm(&server)?;
    let clients = swarm.add(WARM_UP, Opening::Join);
    swarm.connect_all(clients.clone(), MAX_CONCURRENT_CONNECTS)?;
    context.judge(&mut swarm)?;
    for client in clients {
        swarm.close(client, 1000);
    }
    swarm.run_for(context.timing.settle_time)?;
    let usage = server.usage();
    Ok((server, usage))
}

fn add_memory(figures: &mut Figures, context: &RunContext, before: &Usage, after: &Usage) {
    if let (Some(before), Some(after)) = (before.memory, after.memory) {
        let growth = figure(after.resident.saturating_sub(before.resident));
        figures.insert("kib_per_connection", growth / figure(context.clients()));
        figures.insert("peak_mib", figure(after.peak) / 1024.0);
    }
}
