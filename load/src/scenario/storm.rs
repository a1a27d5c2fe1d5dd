//! All join at once: sockets that are open already say so in the same moment.

use std::time::Instant;

use super::{AT_ONCE, Measurement, Outcome, Stage, swarm};
use crate::{
    fault::LoadFault,
    report::{Figures, Report},
    swarm::Opening,
};

pub(super) fn run(stage: &Stage) -> Result<Outcome, LoadFault> {
    let server = stage.server()?;
    let mut swarm = swarm(&server)?;
    let clients = swarm.add(stage.clients(), Opening::Silence);
    swarm.connect_all(clients.clone(), AT_ONCE)?;
    let measurement = Measurement::begin(&server, &mut swarm);
    let begun = Instant::now();
    for client in clients {
        swarm.set_opening(client, Opening::Join);
        swarm.join(client);
    }
    let complete = swarm.until_right(stage.pace.patience)?;
    let mut figures = Figures::new();
    if let Some(complete) = complete {
        figures.insert("time_s", (complete - begun).as_secs_f64());
    }
    let traffic = swarm.traffic.clone();
    let sent = measurement.end(&server, &traffic, &mut figures);
    stage.judge(&mut swarm)?;
    let report = Report::new("storm", stage.options.clients, &swarm.wrongs, figures);
    Ok(Outcome { report, sent: Some(sent) })
}
