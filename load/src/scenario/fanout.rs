//! Some come and go, and all are told of it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{AT_ONCE, Outcome, Stage, event::Before};
use crate::client::swarm::{Opening, Swarm};
use crate::error::LoadError;
use crate::measure::report::figure;

/// A socket may send five frames a second; at two, nobody is ever refused, and everyone has read of their
/// own last change before the next.
const CHANGES_PER_ACTOR: u32 = 2;

/// One listener in this many watches and is not listed.
const WATCHER_IN: usize = 10;

pub(super) fn run(stage: &Stage, rate: u32) -> Result<Outcome, LoadError> {
    let changes_per_second = (rate / stage.options.clients).max(1);
    let time = Duration::from_secs(stage.options.seconds.into());
    let mut before = Before::new(stage)?;
    let actors = gather(stage, &mut before.swarm, changes_per_second)?;
    let mut made = 0;
    let mut after = before.happens(|swarm| {
        let begun = Instant::now();
        made = come_and_go(swarm, &actors, changes_per_second, time, &mut |_| Ok(()))?;
        Ok(begun)
    })?;
    after.figures.insert("changes_per_s", figure(made) / time.as_secs_f64());
    Ok(after.outcome(format!("fanout-{}k", rate / 1000)))
}

/// Opens all listeners and those who will come and go, who are not listed at first.
pub(super) fn gather(
    stage: &Stage,
    swarm: &mut Swarm,
    changes_per_second: u32,
) -> Result<Vec<usize>, LoadError> {
    let listeners = swarm.add(stage.clients(), Opening::Join);
    for watcher in listeners.clone().step_by(WATCHER_IN) {
        swarm.set_opening(watcher, Opening::Watch);
    }
    swarm.connect_all(listeners, AT_ONCE)?;
    let actors = usize::try_from(changes_per_second.div_ceil(CHANGES_PER_ACTOR) + 1);
    let actors = swarm.add(actors.unwrap_or(usize::MAX), Opening::Watch);
    swarm.connect_all(actors.clone(), AT_ONCE)?;
    Ok(actors.collect())
}

/// Lets them come and go in turns for a while, does `beside` again and again meanwhile, and says how many
/// changes that made.
pub(super) fn come_and_go(
    swarm: &mut Swarm,
    actors: &[usize],
    changes_per_second: u32,
    time: Duration,
    beside: &mut dyn FnMut(&mut Swarm) -> Result<(), LoadError>,
) -> Result<u32, LoadError> {
    let begun = Instant::now();
    let mut turns: VecDeque<usize> = actors.iter().copied().collect();
    let mut made = 0;
    loop {
        let elapsed = begun.elapsed();
        if elapsed >= time {
            return Ok(made);
        }
        let due = elapsed.as_secs_f64() * f64::from(changes_per_second);
        // Who has not read of their own last change is passed over: what they do next could not be told apart.
        if f64::from(made) <= due
            && let Some(place) = turns.iter().position(|actor| swarm.is_told(*actor))
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
        swarm.turn(Duration::from_secs_f64(next.clamp(0.000_5, 0.05)))?;
        beside(swarm)?;
    }
}
