//! Several servers are restarted one after the other, each at its address: no client may see a change, or get
//! the whole list.

use std::time::{Duration, Instant};

use super::{MAX_CONCURRENT_CONNECTS, RunContext, add_facts, swarm};
use crate::{
    client::swarm::{Opening, Swarm},
    cluster::{Way, engine::Persistence},
    error::LoadError,
    measure::{
        report::{Figures, Report, figure},
        system::ProcessSignal,
        traffic::Traffic,
    },
};

/// Rows of people who are thought to be away would be removed in this time.
const AFTERWARDS: Duration = Duration::from_secs(17);

/// The longest pause between two looks at who has to reconnect.
const STEP: Duration = Duration::from_millis(20);

pub(super) fn run(context: &RunContext) -> Result<Report, LoadError> {
    let mut servers = context.several("rolling", Persistence::None, Way::Direct)?;
    let mut swarm = swarm(servers.addresses())?;
    let clients = swarm.add(context.clients(), Opening::Join);
    swarm.connect_all(clients.clone(), MAX_CONCURRENT_CONNECTS)?;
    context.judge(&mut swarm)?;
    for client in clients {
        swarm.set_opening(client, Opening::Rejoin);
    }
    swarm.traffic = Traffic::default();
    swarm.expect_ends(true);
    let started_at = Instant::now();
    for server in &mut servers.each {
        server.signal(ProcessSignal::Terminate)?;
        let until = Instant::now() + context.timing.timeout;
        while !server.has_ended() {
            reconnect_lost(&mut swarm)?;
            if Instant::now() > until {
                let (within, state) = (context.timing.timeout, "it still runs".to_owned());
                return Err(LoadError::Timeout { what: "a shutdown", within, state });
            }
        }
        server.restart()?;
        while swarm.lost() > 0 {
            reconnect_lost(&mut swarm)?;
        }
    }
    swarm.wait_until_right(context.timing.timeout)?;
    let mut figures = Figures::new();
    figures.insert("restart_s", started_at.elapsed().as_secs_f64());
    swarm.run_for(AFTERWARDS)?;
    swarm.expect_ends(false);
    add_facts(&mut figures, &swarm.traffic);
    let Traffic { facts, list_rows, .. } = swarm.traffic;
    figures.insert("list_rows_seen", figure(list_rows));
    if facts + list_rows > 0 {
        swarm.violations.add(|| {
            format!(
                "{facts} changes and {list_rows} rows of lists came, although nobody joined or left"
            )
        });
    }
    context.judge(&mut swarm)?;
    Ok(Report::new(context.name("rolling"), context.options.clients, &swarm.violations, figures))
}

/// Lets everybody reconnect whose socket has ended, each to the next server.
fn reconnect_lost(swarm: &mut Swarm) -> Result<(), LoadError> {
    for client in swarm.take_lost() {
        swarm.connect(client)?;
    }
    swarm.poll_once(STEP)
}
