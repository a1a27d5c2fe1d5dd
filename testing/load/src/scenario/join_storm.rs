//! All clients join at once, on sockets that are already open.

use std::time::Instant;

use super::{Outcome, RunContext, event::Setup};
use crate::{client::swarm::Opening, error::LoadError};

pub(super) fn run(context: &RunContext) -> Result<Outcome, LoadError> {
    let mut setup = Setup::new(context)?;
    let clients = setup.connect_clients(context.clients(), Opening::Silence)?;
    let completed = setup.run_event(|swarm| {
        let started_at = Instant::now();
        for client in clients {
            swarm.set_opening(client, Opening::Join);
            swarm.join(client);
        }
        Ok(started_at)
    })?;
    Ok(completed.outcome("storm"))
}
