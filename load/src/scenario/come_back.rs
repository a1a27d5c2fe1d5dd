//! Everyone comes back: all at once after their connections broke, or tab by tab after a reload.

use std::time::Instant;

use app::presence::PresenceState;

use super::{AT_ONCE, Measurement, Outcome, Stage, swarm};
use crate::{
    fault::LoadFault,
    report::{Figures, Report, figure},
    swarm::Opening,
    system,
};

/// A going-away goodbye, as a page says it that is reloaded (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// How many tabs are reloaded at the same moment.
const RELOADS_AT_ONCE: usize = 500;

/// One client in this many does not reload, and watches the others do it.
const OBSERVER_IN: usize = 10;

/// All connections are reset, and all clients come back in the same moment, with their cookie, their tab
/// and where their lists were.
pub(super) fn all_at_once(stage: &Stage) -> Result<Outcome, LoadFault> {
    let server = stage.server()?;
    let mut swarm = swarm(&server)?;
    let clients = swarm.add(stage.clients(), Opening::Join);
    swarm.connect_all(clients.clone(), AT_ONCE)?;
    stage.judge(&mut swarm)?;
    let overflows = system::listen_overflows();
    let measurement = Measurement::begin(&server, &mut swarm);
    for client in clients.clone() {
        swarm.break_off(client, PresenceState::Reconnecting);
    }
    let begun = Instant::now();
    for client in clients.clone() {
        swarm.let_come_back(client);
    }
    swarm.connect_all(clients, usize::MAX)?;
    let mut figures = Figures::new();
    if let Some(complete) = swarm.until_right(stage.pace.patience)? {
        figures.insert("time_s", (complete - begun).as_secs_f64());
    }
    let traffic = swarm.traffic.clone();
    let sent = measurement.end(&server, &traffic, &mut figures);
    if let (Some(before), Some(after)) = (overflows, system::listen_overflows()) {
        figures.insert("listen_overflows", figure(after.saturating_sub(before)));
    }
    stage.judge(&mut swarm)?;
    let report = Report::new("return", stage.options.clients, &swarm.wrongs, figures);
    Ok(Outcome { report, sent: Some(sent) })
}

/// Tabs say goodbye as a page does that is reloaded, and are back at once: nobody may see a change.
pub(super) fn reload(stage: &Stage) -> Result<Outcome, LoadFault> {
    let server = stage.server()?;
    let mut swarm = swarm(&server)?;
    let observers = swarm.add(stage.clients().div_ceil(OBSERVER_IN), Opening::Join);
    let tabs = swarm.add(stage.clients() - observers.len(), Opening::Join);
    swarm.connect_all(observers, AT_ONCE)?;
    swarm.connect_all(tabs.clone(), AT_ONCE)?;
    stage.judge(&mut swarm)?;
    let measurement = Measurement::begin(&server, &mut swarm);
    let begun = Instant::now();
    for first in tabs.clone().step_by(RELOADS_AT_ONCE) {
        let reloaded = first..tabs.end.min(first + RELOADS_AT_ONCE);
        for client in reloaded.clone() {
            swarm.close(client, GOING_AWAY);
            swarm.set_opening(client, Opening::ComeBack);
        }
        swarm.until_closed(reloaded.clone(), stage.pace.patience)?;
        swarm.connect_all(reloaded, usize::MAX)?;
    }
    let mut figures = Figures::new();
    if let Some(complete) = swarm.until_right(stage.pace.patience)? {
        figures.insert("time_s", (complete - begun).as_secs_f64());
    }
    let traffic = swarm.traffic.clone();
    let sent = measurement.end(&server, &traffic, &mut figures);
    stage.judge(&mut swarm)?;
    figures.insert("changes_seen", figure(traffic.facts));
    if traffic.facts > 0 {
        swarm
            .wrongs
            .add(|| format!("{} changes were seen, and nobody came or went", traffic.facts));
    }
    let report = Report::new("reload", stage.options.clients, &swarm.wrongs, figures);
    Ok(Outcome { report, sent: Some(sent) })
}
