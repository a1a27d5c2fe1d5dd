//! One of several servers stands still for ten seconds, and goes on.

use std::time::{Duration, Instant};

use app::presence::PresenceState;

use super::{MAX_CONCURRENT_CONNECTS, RunContext, add_facts, swarm};
use crate::{
    client::swarm::Opening,
    cluster::{Way, engine::Persistence},
    error::LoadError,
    measure::{
        report::{Figures, Report},
        system::ProcessSignal,
        traffic::Traffic,
    },
};

/// How long it stands still: longer than a lease, and shorter than the grace of those who lose it.
const PAUSE: Duration = Duration::from_secs(10);

/// Late consequences would be seen in this time.
const AFTERWARDS: Duration = Duration::from_secs(6);

pub(super) fn run(context: &RunContext) -> Result<Report, LoadError> {
    let servers = context.several("pause", Persistence::None, Way::Direct)?;
    let mut swarm = swarm(servers.addresses())?;
    let clients = swarm.add(context.clients(), Opening::Join);
    swarm.connect_all(clients, MAX_CONCURRENT_CONNECTS)?;
    context.judge(&mut swarm)?;
    swarm.traffic = Traffic::default();
    let people = swarm.clients_of(0);
    let stopped_at = Instant::now();
    servers.each[0].signal(ProcessSignal::Stop)?;
    for client in &people {
        swarm.expect_state(*client, PresenceState::Reconnecting);
    }
    let mut figures = Figures::new();
    if let Some(dimmed) = swarm.wait_until_right_on(context.timing.timeout, |server| server != 0)? {
        figures.insert("dimmed_s", (dimmed - stopped_at).as_secs_f64());
    }
    swarm.run_for(PAUSE.saturating_sub(stopped_at.elapsed()))?;
    for client in &people {
        swarm.expect_state(*client, PresenceState::Here);
    }
    let going_on_at = Instant::now();
    servers.each[0].signal(ProcessSignal::Continue)?;
    if let Some(right) = swarm.wait_until_right(context.timing.timeout)? {
        figures.insert("back_s", (right - going_on_at).as_secs_f64());
    }
    swarm.run_for(AFTERWARDS)?;
    add_facts(&mut figures, &swarm.traffic);
    context.judge(&mut swarm)?;
    Ok(Report::new(context.name("pause"), context.options.clients, &swarm.violations, figures))
}
