//! Some never read: what that costs the others, and the server.

use std::time::Duration;

use super::{Outcome, PATIENCE, Stage, fanout, judge, swarm};
use crate::{
    fault::LoadFault,
    histogram::Histogram,
    report::{Figures, Report, figure},
    swarm::{Swarm, Traffic},
};

/// One listener in this many does not read.
const SLOW_IN: usize = 100;

/// How many facts a second there are.
const RATE: u32 = 200_000;

/// How often it is tried with and without, in turns.
const TURNS: u32 = 3;

pub(super) fn run(stage: &Stage) -> Result<Outcome, LoadFault> {
    let server = stage.server()?;
    let mut swarm = swarm(&server)?;
    let changes_per_second = (RATE / stage.options.clients).max(1);
    let actors = fanout::gather(stage, &mut swarm, changes_per_second)?;
    judge(&mut swarm)?;
    let slow: Vec<usize> = (1..stage.clients()).step_by(SLOW_IN).collect();
    let seconds = Duration::from_secs(stage.options.seconds.into());
    let (mut without, mut with) = (Histogram::default(), Histogram::default());
    let (mut memory_without, mut memory_with) = (None, None);
    for _ in 0..TURNS {
        without.add(&play(&mut swarm, &actors, changes_per_second, seconds)?);
        memory_without = memory_without.or(server.usage().memory);
        for client in &slow {
            swarm.set_reading(*client, false);
        }
        with.add(&play(&mut swarm, &actors, changes_per_second, seconds)?);
        memory_with = server.usage().memory.or(memory_with);
        for client in &slow {
            swarm.set_reading(*client, true);
        }
        swarm.until_right(PATIENCE)?;
    }
    judge(&mut swarm)?;
    let mut figures = Figures::new();
    if let (Some(without), Some(with)) = (without.quantile(0.99), with.quantile(0.99)) {
        let (without, with) = (without.as_secs_f64() * 1e3, with.as_secs_f64() * 1e3);
        figures.insert("latency_ms_p99_without", without);
        figures.insert("latency_ms_p99", with);
        figures.insert("p99_to_without", with / without);
    }
    if let (Some(before), Some(after)) = (memory_without, memory_with) {
        let grown = figure(after.resident.saturating_sub(before.resident));
        figures.insert("kib_per_slow_client", grown / figure(slow.len()));
    }
    let report = Report::new("slow", stage.options.clients, &swarm.wrongs, figures);
    Ok(Outcome { report, sent: None })
}

/// Lets some come and go for a while, and says how long it took until the others knew.
fn play(
    swarm: &mut Swarm,
    actors: &[usize],
    changes_per_second: u32,
    time: Duration,
) -> Result<Histogram, LoadFault> {
    swarm.traffic = Traffic::default();
    fanout::come_and_go(swarm, actors, changes_per_second, time)?;
    // What is on its way still belongs to it.
    swarm.rest(Duration::from_millis(500))?;
    Ok(std::mem::take(&mut swarm.traffic.latency))
}
