//! Half drop_half at once: their connections are reset, and the rest are to see it.

use std::time::Instant;

use app::presence::PresenceState;

use super::{Outcome, Stage, event::Before};
use crate::client::swarm::Opening;
use crate::error::LoadError;

pub(super) fn run(stage: &Stage) -> Result<Outcome, LoadError> {
    let mut before = Before::new(stage)?;
    let clients = before.gather(stage.clients(), Opening::Join)?;
    let after = before.happens(|swarm| {
        let begun = Instant::now();
        // Whose connection broke is shown as reconnecting at once, and taken off only later.
        for client in clients.step_by(2) {
            swarm.break_off(client, PresenceState::Reconnecting);
        }
        Ok(begun)
    })?;
    Ok(after.outcome("drop"))
}
