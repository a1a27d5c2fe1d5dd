//! Some clients join and leave, and all receive the changes.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{MAX_CONCURRENT_CONNECTS, Outcome, RunContext, event::Setup};
use crate::{
    client::swarm::{Opening, Swarm},
    error::LoadError,
    measure::report::figure,
};

/// The server accepts five frames per second from a socket. At two, none is refused, and each client has
/// received its own last change before the next.
const CHANGES_PER_ACTOR: u32 = 2;

/// One of so many listeners watches, without being listed.
const LISTENERS_PER_WATCHER: usize = 10;

pub(super) fn run(context: &RunContext, rate: u32) -> Result<Outcome, LoadError> {
    let changes_per_second = (rate / context.options.clients).max(1);
    let time = Duration::from_secs(context.options.seconds.into());
    let mut setup = Setup::new(context)?;
    let actors = connect_clients(context, &mut setup.swarm, changes_per_second)?;
    let mut made = 0;
    let mut completed = setup.run_event(|swarm| {
        let started_at = Instant::now();
        made = churn(swarm, &actors, changes_per_second, time, &mut |_| Ok(()))?;
        Ok(started_at)
    })?;
    completed.figures.insert("changes_per_s", figure(made) / time.as_secs_f64());
    Ok(completed.outcome(format!("fanout-{}k", rate / 1000)))
}

/// Connects all listeners, and the actors that will join and leave.
pub(super) fn connect_clients(
    context: &RunContext,
    swarm: &mut Swarm,
    changes_per_second: u32,
) -> Result<Vec<usize>, LoadError> {
    let listeners = swarm.add(context.clients(), Opening::Join);
    for watcher in listeners.clone().step_by(LISTENERS_PER_WATCHER) {
        swarm.set_opening(watcher, Opening::Watch);
    }
    swarm.connect_all(listeners, MAX_CONCURRENT_CONNECTS)?;
    let actors = usize::try_from(changes_per_second.div_ceil(CHANGES_PER_ACTOR) + 1);
    let actors = swarm.add(actors.unwrap_or(usize::MAX), Opening::Watch);
    swarm.connect_all(actors.clone(), MAX_CONCURRENT_CONNECTS)?;
    Ok(actors.collect())
}

/// Lets the actors join and leave in turns, calls `meanwhile` after each poll, and returns the number of
/// changes.
pub(super) fn churn(
    swarm: &mut Swarm,
    actors: &[usize],
    changes_per_second: u32,
    time: Duration,
    meanwhile: &mut dyn FnMut(&mut Swarm) -> Result<(), LoadError>,
) -> Result<u32, LoadError> {
    let started_at = Instant::now();
    let mut turns: VecDeque<usize> = actors.iter().copied().collect();
    let mut made = 0;
    loop {
        let elapsed = started_at.elapsed();
        if elapsed >= time {
            return Ok(made);
        }
        let due = elapsed.as_secs_f64() * f64::from(changes_per_second);
        // An actor that has not received its own last change is skipped: its next change could not be
        // distinguished.
        if f64::from(made) <= due
            && let Some(place) = turns.iter().position(|actor| swarm.has_seen_own_change(*actor))
            && let Some(actor) = turns.remove(place)
        {
            if swarm.is_listed(actor) {
                swarm.leave(actor);
            } else {
                swarm.join(actor);
            }
            turns.push_back(actor);
            made += 1;
            continue;
        }
        let next = f64::from(made) / f64::from(changes_per_second) - elapsed.as_secs_f64();
        swarm.poll_once(Duration::from_secs_f64(next.clamp(0.000_5, 0.05)))?;
        meanwhile(swarm)?;
    }
}
