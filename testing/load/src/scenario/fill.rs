//! A room fills: some join at a time, each when one before has its list.

use std::time::{Duration, Instant};

use super::{Outcome, RunContext, event::Setup};
use crate::{
    client::swarm::{Opening, Swarm},
    error::LoadError,
};

/// How many join at a time.
const AT_ONCE: usize = 32;

pub(super) fn run(context: &RunContext) -> Result<Outcome, LoadError> {
    let mut setup = Setup::new(context)?;
    let clients = setup.swarm.add(context.clients(), Opening::Join);
    let completed = setup.run_event(|swarm| {
        let started_at = Instant::now();
        fill(swarm, clients, context.timing.timeout)?;
        Ok(started_at)
    })?;
    Ok(completed.outcome("fill"))
}

fn fill(
    swarm: &mut Swarm,
    clients: impl Iterator<Item = usize>,
    within: Duration,
) -> Result<(), LoadError> {
    let until = Instant::now() + within;
    let mut waiting = clients;
    let mut under_way = Vec::with_capacity(AT_ONCE);
    loop {
        under_way.retain(|client| !swarm.has_list(*client));
        for client in waiting.by_ref().take(AT_ONCE - under_way.len()) {
            swarm.connect(client)?;
            under_way.push(client);
        }
        if under_way.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            let state =
                format!("{} wait for a list, {} for their turn", under_way.len(), waiting.count());
            return Err(LoadError::Timeout { what: "filling the room", within, state });
        }
        swarm.poll_once(Duration::from_millis(50))?;
    }
}
