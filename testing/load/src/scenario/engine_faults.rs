//! The engine of several servers fails in five ways, each with servers of its own.

use std::time::{Duration, Instant};

use app::presence::PresenceState;

use super::{MAX_CONCURRENT_CONNECTS, RunContext, swarm, wait_for};
use crate::{
    client::swarm::{Opening, Swarm},
    cluster::{
        Servers, Shared, Way,
        engine::{Engine, Persistence},
    },
    error::LoadError,
    measure::{
        report::{Figures, Report},
        traffic::Traffic,
    },
};

/// One of so many clients joins during the fault.
const CLIENTS_PER_JOINER: usize = 20;

/// How long the engine is away at least.
const AWAY: Duration = Duration::from_secs(4);

/// How long a server is cut off: longer than a lease, and shorter than the grace of its people.
const CUT_OFF: Duration = Duration::from_secs(8);

/// The pause between two cuts of the listening connections.
const BETWEEN_CUTS: Duration = Duration::from_millis(50);

/// Late consequences would be seen in this time.
const AFTERWARDS: Duration = Duration::from_secs(3);

pub(super) fn run(context: &RunContext) -> Result<Vec<Report>, LoadError> {
    Ok(vec![
        away(context, "engine-data", Persistence::EveryWrite)?,
        away(context, "engine-empty", Persistence::None)?,
        failover(context)?,
        pubsub(context)?,
        cut_off(context)?,
    ])
}

/// Servers, and clients that have joined; the joiners watch.
struct Setup<'a> {
    context: &'a RunContext,
    shared: Shared,
    _servers: Servers,
    swarm: Swarm,
    joiners: Vec<usize>,
    figures: Figures,
}

impl<'a> Setup<'a> {
    fn new(
        context: &'a RunContext,
        persistence: Persistence,
        joiners: usize,
    ) -> Result<Self, LoadError> {
        let mut servers = context.several("engine", persistence, Way::Proxies)?;
        let shared = servers.shared.take().ok_or(LoadError::OneServer("engine"))?;
        let mut swarm = swarm(servers.addresses())?;
        let clients = swarm.add(context.clients(), Opening::Join);
        swarm.connect_all(clients, MAX_CONCURRENT_CONNECTS)?;
        let joiners = swarm.add(joiners, Opening::Watch);
        swarm.connect_all(joiners.clone(), MAX_CONCURRENT_CONNECTS)?;
        context.judge(&mut swarm)?;
        swarm.traffic = Traffic::default();
        let joiners = joiners.collect();
        let figures = Figures::new();
        Ok(Self { context, shared, _servers: servers, swarm, joiners, figures })
    }

    fn join(&mut self, joiners: impl IntoIterator<Item = usize>) {
        for joiner in joiners {
            self.swarm.join(joiner);
        }
    }

    /// Waits until so many clients know that their lists are old.
    fn wait_until_stale(&mut self, count: usize, since: Instant) -> Result<(), LoadError> {
        let within = self.context.timing.timeout;
        wait_for(&mut self.swarm, "as_of in beats", within, |swarm| swarm.stale() >= count)?;
        self.figures.insert("as_of_on_all_s", since.elapsed().as_secs_f64());
        if let Some(first) = self.swarm.traffic.first_stale {
            self.figures.insert("as_of_s", (first - since).as_secs_f64());
        }
        Ok(())
    }

    /// Waits until all lists are right and new.
    fn wait_until_healed(&mut self, since: Instant) -> Result<(), LoadError> {
        let within = self.context.timing.timeout;
        if let Some(right) = self.swarm.wait_until_right(within)? {
            self.figures.insert("right_s", (right - since).as_secs_f64());
        }
        wait_for(&mut self.swarm, "beats without as_of", within, |swarm| swarm.stale() == 0)?;
        if let Some(fresh) = self.swarm.traffic.last_fresh {
            self.figures.insert("fresh_s", (fresh - since).as_secs_f64());
        }
        Ok(())
    }

    fn report(mut self, name: &str) -> Result<Report, LoadError> {
        self.swarm.run_for(AFTERWARDS)?;
        super::add_facts(&mut self.figures, &self.swarm.traffic);
        self.context.judge(&mut self.swarm)?;
        let Self { context, swarm, figures, .. } = self;
        Ok(Report::new(context.name(name), context.options.clients, &swarm.violations, figures))
    }
}

fn joiners(context: &RunContext) -> usize {
    context.clients().div_ceil(CLIENTS_PER_JOINER)
}

/// The engine is killed, and comes back at its address with or without what it had.
fn away(context: &RunContext, name: &str, persistence: Persistence) -> Result<Report, LoadError> {
    let mut setup = Setup::new(context, persistence, joiners(context))?;
    let killed_at = Instant::now();
    setup.shared.engine.kill();
    let everybody = context.clients() + setup.joiners.len();
    setup.join(setup.joiners.clone());
    setup.wait_until_stale(everybody, killed_at)?;
    setup.swarm.run_for(AWAY.saturating_sub(killed_at.elapsed()))?;
    setup.shared.engine.restart()?;
    setup.wait_until_healed(Instant::now())?;
    setup.report(name)
}

/// The engine is replaced by a replica that has not got the last writes, which all clients have seen.
fn failover(context: &RunContext) -> Result<Report, LoadError> {
    let mut setup = Setup::new(context, Persistence::None, joiners(context))?;
    let replica = Engine::start(Persistence::None, context.cores.as_ref())?;
    let primary = setup.shared.engine.port().to_string();
    let _: String = replica.ask(&["REPLICAOF", "127.0.0.1", &primary])?;
    wait_for(&mut setup.swarm, "replication", context.timing.timeout, |_| {
        let words = replica.ask::<String>(&["INFO", "replication"]);
        words.is_ok_and(|words| words.contains("master_link_status:up"))
    })?;
    let _: String = replica.ask(&["REPLICAOF", "NO", "ONE"])?;
    let (lost, kept) = setup.joiners.split_at(setup.joiners.len() / 2);
    let (lost, kept) = (lost.to_vec(), kept.to_vec());
    setup.join(lost.iter().copied());
    setup.swarm.wait_until_right(context.timing.timeout)?;
    let before = setup.swarm.epoch_of(0).cloned();
    let failed_at = Instant::now();
    setup.shared.engine.kill();
    for proxy in &setup.shared.proxies {
        proxy.switch(replica.port());
    }
    for client in lost {
        setup.swarm.expect_again(client);
    }
    setup.join(kept);
    let everybody = context.clients() + setup.joiners.len();
    wait_for(&mut setup.swarm, "a new epoch", context.timing.timeout, |swarm| {
        (0..everybody).all(|client| swarm.epoch_of(client) != before.as_ref())
    })?;
    setup.wait_until_healed(failed_at)?;
    setup.report("engine-failover")
}

/// The listening connections are cut three times while as many people join as are there.
fn pubsub(context: &RunContext) -> Result<Report, LoadError> {
    let mut setup = Setup::new(context, Persistence::None, context.clients())?;
    let started_at = Instant::now();
    setup.join(setup.joiners.clone());
    for _ in 0..3 {
        setup.swarm.run_for(BETWEEN_CUTS)?;
        let _: u64 = setup.shared.engine.ask(&["CLIENT", "KILL", "TYPE", "pubsub"])?;
    }
    setup.wait_until_healed(started_at)?;
    setup.report("engine-pubsub")
}

/// One server hears nothing from the engine, and the engine nothing from it.
fn cut_off(context: &RunContext) -> Result<Report, LoadError> {
    let mut setup = Setup::new(context, Persistence::None, joiners(context))?;
    let on_it = setup.swarm.clients_of(0);
    let (joiners_on_it, others): (Vec<_>, Vec<_>) =
        setup.joiners.clone().into_iter().partition(|joiner| on_it.contains(joiner));
    let people: Vec<_> =
        on_it.iter().copied().filter(|client| !joiners_on_it.contains(client)).collect();
    let cut_at = Instant::now();
    setup.shared.proxies[0].swallow(true);
    for client in &people {
        setup.swarm.expect_state(*client, PresenceState::Reconnecting);
    }
    setup.join(others);
    let within = context.timing.timeout;
    if let Some(dimmed) = setup.swarm.wait_until_right_on(within, |server| server != 0)? {
        setup.figures.insert("dimmed_s", (dimmed - cut_at).as_secs_f64());
    }
    setup.wait_until_stale(on_it.len(), cut_at)?;
    setup.join(joiners_on_it);
    setup.swarm.run_for(CUT_OFF.saturating_sub(cut_at.elapsed()))?;
    for client in &people {
        setup.swarm.expect_state(*client, PresenceState::Here);
    }
    let healed_at = Instant::now();
    setup.shared.proxies[0].swallow(false);
    setup.wait_until_healed(healed_at)?;
    setup.report("engine-cut")
}
