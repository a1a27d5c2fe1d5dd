//! All join at once: sockets that are open already say so in the same moment.

use std::time::Instant;

use super::{Outcome, Stage, event::Before};
use crate::client::swarm::Opening;
use crate::error::LoadError;

pub(super) fn run(stage: &Stage) -> Result<Outcome, LoadError> {
    let mut before = Before::new(stage)?;
    let clients = before.gather(stage.clients(), Opening::Silence)?;
    let after = before.happens(|swarm| {
        let begun = Instant::now();
        for client in clients {
            swarm.set_opening(client, Opening::Join);
            swarm.join(client);
        }
        Ok(begun)
    })?;
    Ok(after.outcome("storm"))
}
