//! Clients of Socket.IO: some join and leave while others do not read, then all join; and the same natively.

use std::time::{Duration, Instant};

use app::presence::User;

use super::{RunContext, idle};
use crate::{
    client::socketio::{IoSwarm, name},
    error::LoadError,
    measure::{
        report::{Figures, Report, figure},
        server_process::{AdmissionLimits, Server, Usage},
        traffic::Traffic,
    },
    oracle::server_list,
};

/// Of a thousand clients.
const JOINING: usize = 100;
const LEAVING: usize = 50;
const NOT_READING: usize = 10;

/// For how long some clients do not read.
const PAUSE: Duration = Duration::from_secs(5);

pub(super) fn run(context: &RunContext) -> Result<Vec<Report>, LoadError> {
    let mut report = socketio(context)?;
    for (name, ratio, native) in [
        ("kib_per_connection", "memory_to_native", idle::idle(context)?.report),
        ("server_cpu_s", "cpu_to_native", storm(context)?),
    ] {
        if let (Some(ours), Some(theirs)) = (report.figures.get(name), native.figures.get(name)) {
            let ratio_of_both = ours / theirs;
            report.figures.insert(ratio, ratio_of_both);
        }
    }
    Ok(vec![report])
}

/// The native storm.
fn storm(context: &RunContext) -> Result<Report, LoadError> {
    Ok(super::join_storm::run(context)?.report)
}

fn socketio(context: &RunContext) -> Result<Report, LoadError> {
    let server = context.server(AdmissionLimits::Off)?;
    let room = "socketio";
    // So that one-time costs are not counted.
    let mut warm_up = IoSwarm::new(server.address, "warm-up")?;
    warm_up.connect(20)?;
    warm_up.run_for(context.timing.settle_time)?;
    drop(warm_up);
    std::thread::sleep(context.timing.settle_time);
    let before = server.usage();
    let mut swarm = IoSwarm::new(server.address, room)?;
    let clients = context.clients();
    swarm.connect(clients)?;
    swarm.run_for(context.timing.settle_time)?;
    let mut figures = Figures::new();

    // Some join, half of them leave, and others do not read meanwhile.
    let joining = (clients * JOINING / 1_000).max(2);
    let leaving = (clients * LEAVING / 1_000).max(1);
    let paused = (clients * NOT_READING / 1_000).max(1);
    let paused = clients - paused..clients;
    for client in paused.clone() {
        swarm.set_paused(client, true);
    }
    let paused_at = Instant::now();
    for client in 0..joining {
        swarm.join(client);
        swarm.poll_once(Duration::ZERO)?;
    }
    let mut listed: Vec<usize> = (0..joining).collect();
    wait_until_listed(&mut swarm, &server, room, &listed, context.timing.timeout)?;
    for client in 0..leaving {
        swarm.leave(client);
        swarm.poll_once(Duration::ZERO)?;
    }
    listed.drain(..leaving);
    swarm.run_for(PAUSE.saturating_sub(paused_at.elapsed()))?;
    for client in paused {
        swarm.set_paused(client, false);
    }
    wait_until_right(&mut swarm, &server, room, &listed, context.timing.timeout)?;

    // All join at once: as `storm` does it natively.
    let started = server.usage();
    swarm.traffic = Traffic::default();
    let started_at = Instant::now();
    for client in (0..clients).filter(|client| !listed.contains(client)).collect::<Vec<_>>() {
        swarm.join(client);
        swarm.poll_once(Duration::ZERO)?;
        listed.push(client);
    }
    wait_until_right(&mut swarm, &server, room, &listed, context.timing.timeout)?;
    figures.insert("time_s", started_at.elapsed().as_secs_f64());
    figures.insert("frames", figure(swarm.traffic.frames));
    figures.insert("mib_received", figure(swarm.traffic.bytes) / 1024.0 / 1024.0);
    if let Some(used) = server.usage().cpu_since(&started) {
        figures.insert("server_cpu_s", used.as_secs_f64());
    }
    swarm.run_for(2 * context.timing.settle_time)?;
    add_memory(&mut figures, clients, &before, &server.usage());
    Ok(Report::new("socketio", context.options.clients, &swarm.violations, figures))
}

fn add_memory(figures: &mut Figures, clients: usize, before: &Usage, after: &Usage) {
    if let (Some(before), Some(after)) = (before.memory, after.memory) {
        let growth = figure(after.resident.saturating_sub(before.resident));
        figures.insert("kib_per_connection", growth / figure(clients));
        figures.insert("peak_mib", figure(after.peak) / 1024.0);
    }
}

/// Waits until the server lists these clients and nobody else, whatever the clients know of it.
fn wait_until_listed(
    swarm: &mut IoSwarm,
    server: &Server,
    room: &str,
    listed: &[usize],
    within: Duration,
) -> Result<Vec<User>, LoadError> {
    let mut expected: Vec<String> = listed.iter().map(|client| name(*client)).collect();
    expected.sort_unstable();
    let until = Instant::now() + within;
    loop {
        swarm.run_for(Duration::from_millis(50))?;
        let list = server_list::fetch(server.address, room).map_err(LoadError::Server)?;
        let mut names: Vec<String> = list.iter().map(|user| user.name.to_string()).collect();
        names.sort_unstable();
        if names == expected {
            return Ok(list);
        }
        if Instant::now() > until {
            // The error takes the place of the report, which would name it.
            let violation = swarm.violations.first.as_deref().unwrap_or("no session ended");
            let state = format!("{} of {} rows, {violation}", names.len(), expected.len());
            return Err(LoadError::Timeout { what: "the server's list", within, state });
        }
    }
}

/// Waits until the server lists these clients, and all clients have the server's list.
fn wait_until_right(
    swarm: &mut IoSwarm,
    server: &Server,
    room: &str,
    listed: &[usize],
    within: Duration,
) -> Result<(), LoadError> {
    let list = wait_until_listed(swarm, server, room, listed, within)?;
    let until = Instant::now() + within;
    while Instant::now() < until {
        if swarm.wrong_lists(&list) == 0 {
            return Ok(());
        }
        swarm.run_for(Duration::from_millis(10))?;
    }
    let wrong = swarm.wrong_lists(&list);
    swarm.violations.add(|| format!("{wrong} clients have a wrong list"));
    Ok(())
}
