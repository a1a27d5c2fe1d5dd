//! Half of the connections are reset at once.

use std::time::Instant;

use app::presence::PresenceState;

use super::{Outcome, RunContext, event::Setup};
use crate::{client::swarm::Opening, error::LoadError};

pub(super) fn run(context: &RunContext) -> Result<Outcome, LoadError> {
    let mut setup = Setup::new(context)?;
    let clients = setup.connect_clients(context.clients(), Opening::Join)?;
    let completed = setup.run_event(|swarm| {
        let started_at = Instant::now();
        // A client whose connection broke is shown as reconnecting at once, and removed later.
        for client in clients.step_by(2) {
            swarm.drop_connection(client, PresenceState::Reconnecting);
        }
        Ok(started_at)
    })?;
    Ok(completed.outcome("drop"))
}
