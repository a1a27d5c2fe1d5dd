//! The cost of an idle connection.

use std::time::Duration;

use super::{MAX_CONCURRENT_CONNECTS, Outcome, RunContext, swarm};
use crate::{
    client::swarm::{Opening, Swarm},
    cluster::Servers,
    error::LoadError,
    measure::{
        report::{Figures, Report, figure},
        server_process::Usage,
    },
};

/// The number of clients that join and leave first, so that one-time costs are not counted.
const WARM_UP: usize = 20;

/// The interval of the server's pings.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Opens sockets without sending a frame.
pub(super) fn connect(context: &RunContext) -> Result<Outcome, LoadError> {
    let (server, before) = warm_server(context)?;
    let mut swarm = swarm(server.addresses())?;
    let clients = swarm.add(context.clients(), Opening::Silence);
    swarm.connect_all(clients, MAX_CONCURRENT_CONNECTS)?;
    swarm.run_for(context.timing.settle_time)?;
    let mut figures = Figures::new();
    add_memory(&mut figures, context, &before, &server.usage());
    let report =
        Report::new(context.name("connect"), context.options.clients, &swarm.violations, figures);
    Ok(Outcome { report, sent: None })
}

/// All clients have joined and are idle.
pub(super) fn idle(context: &RunContext) -> Result<Outcome, LoadError> {
    let (server, before) = warm_server(context)?;
    let mut swarm = swarm(server.addresses())?;
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
    let report =
        Report::new(context.name("idle"), context.options.clients, &swarm.violations, figures);
    Ok(Outcome { report, sent: None })
}

/// Starts a server, and warms it up.
fn warm_server(context: &RunContext) -> Result<(Servers, Usage), LoadError> {
    let server = context.servers()?;
    let mut swarm: Swarm = swarm(server.addresses())?;
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
