//! One of several servers is killed: half of its clients come back at once, the others when they are dimmed.

use std::time::{Duration, Instant};

use app::presence::PresenceState;

use super::{MAX_CONCURRENT_CONNECTS, RunContext, add_facts, judge_now, swarm, wait_for};
use crate::{
    client::swarm::Opening,
    cluster::{Way, engine::Persistence},
    error::LoadError,
    measure::{
        report::{Figures, Report, figure},
        system::ProcessSignal,
        traffic::Traffic,
    },
};

/// How long a row whose connection broke is kept, according to the protocol.
const BROKEN_GRACE: Duration = Duration::from_secs(15);

pub(super) fn run(context: &RunContext) -> Result<Report, LoadError> {
    let servers = context.several("kill", Persistence::None, Way::Direct)?;
    let mut swarm = swarm(servers.addresses())?;
    let clients = swarm.add(context.clients(), Opening::Join);
    swarm.connect_all(clients, MAX_CONCURRENT_CONNECTS)?;
    context.judge(&mut swarm)?;
    swarm.traffic = Traffic::default();
    swarm.expect_ends(true);
    let people = swarm.clients_of(0).len();
    let killed_at = Instant::now();
    servers.each[0].signal(ProcessSignal::Kill)?;
    wait_for(&mut swarm, "noticing the end", context.timing.timeout, |swarm| {
        swarm.lost() == people
    })?;
    let lost = swarm.take_lost();
    for client in &lost {
        swarm.set_opening(*client, Opening::Rejoin);
    }
    // Nobody may see that these were away.
    let (prompt, late) = lost.split_at(lost.len() / 2);
    for client in late {
        swarm.expect_state(*client, PresenceState::Reconnecting);
    }
    swarm.connect_all(prompt.iter().copied(), MAX_CONCURRENT_CONNECTS)?;
    let mut figures = Figures::new();
    figures.insert("prompt_s", killed_at.elapsed().as_secs_f64());
    if let Some(dimmed) = swarm.wait_until_right(context.timing.timeout)? {
        figures.insert("dimmed_s", (dimmed - killed_at).as_secs_f64());
    }
    if let Some(shared) = &servers.shared {
        let journal = shared.engine.journal(swarm.room())?;
        let left: usize = journal.iter().map(|batch| batch.matches("server_left").count()).sum();
        figures.insert("server_left_entries", figure(left));
    }
    let back_at = Instant::now();
    for client in late {
        swarm.expect_state(*client, PresenceState::Here);
    }
    swarm.connect_all(late.iter().copied(), MAX_CONCURRENT_CONNECTS)?;
    if let Some(right) = swarm.wait_until_right(context.timing.timeout)? {
        figures.insert("back_s", (right - back_at).as_secs_f64());
    }
    // Whoever is thought to be still away would leave now.
    swarm.run_for(BROKEN_GRACE + context.timing.settle_time)?;
    add_facts(&mut figures, &swarm.traffic);
    judge_now(&mut swarm, |server| server != 0);
    Ok(Report::new(context.name("kill"), context.options.clients, &swarm.violations, figures))
}
