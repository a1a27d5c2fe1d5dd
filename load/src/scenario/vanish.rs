//! Half vanish at once: their connections are reset, and the rest are to see it.

use std::time::Instant;

use app::presence::PresenceState;

use super::{AT_ONCE, Measurement, Outcome, Stage, swarm};
use crate::{
    fault::LoadFault,
    report::{Figures, Report},
    swarm::Opening,
};

pub(super) fn run(stage: &Stage) -> Result<Outcome, LoadFault> {
    let server = stage.server()?;
    let mut swarm = swarm(&server)?;
    let clients = swarm.add(stage.clients(), Opening::Join);
    swarm.connect_all(clients.clone(), AT_ONCE)?;
    stage.judge(&mut swarm)?;
    let measurement = Measurement::begin(&server, &mut swarm);
    let begun = Instant::now();
    // Whose connection broke is shown as reconnecting at once, and taken off only later.
    for client in clients.step_by(2) {
        swarm.break_off(client, PresenceState::Reconnecting);
    }
    let mut figures = Figures::new();
    if let Some(complete) = swarm.until_right(stage.pace.patience)? {
        figures.insert("time_s", (complete - begun).as_secs_f64());
    }
    let traffic = swarm.traffic.clone();
    let sent = measurement.end(&server, &traffic, &mut figures);
    stage.judge(&mut swarm)?;
    let report = Report::new("drop", stage.options.clients, &swarm.wrongs, figures);
    Ok(Outcome { report, sent: Some(sent) })
}
