//! The time of a join on one server until the row is on another one.

use std::time::Duration;

use super::RunContext;
use crate::{
    client::probe::Probe,
    cluster::engine::Engine,
    error::LoadError,
    measure::{
        histogram::Histogram,
        report::{Figures, Report, add_latency, figure},
    },
    oracle::violations::Violations,
};

/// How long joins are made before they are measured.
const WARM_UP: Duration = Duration::from_millis(500);

pub(super) fn run(context: &RunContext) -> Result<Report, LoadError> {
    let servers = context.servers()?;
    let addresses = servers.addresses();
    let (Some(first), Some(last)) = (addresses.first(), addresses.last()) else {
        return Err(LoadError::Server("there is none".to_owned()));
    };
    let mut probe = Probe::start(*first, *last)?;
    probe.measure_joins(WARM_UP, &mut Histogram::default())?;
    let engine = servers.shared.as_ref().map(|shared| &shared.engine);
    let before = engine.map(Engine::script_time).transpose()?;
    let mut latency = Histogram::default();
    let time = Duration::from_secs(context.options.seconds.into());
    probe.measure_joins(time, &mut latency)?;
    let mut figures = Figures::new();
    add_latency(&mut figures, &latency, ["latency_ms_p50", "latency_ms_p99", "latency_ms_max"]);
    if let Some((before, engine)) = before.zip(engine) {
        let after = engine.script_time()?;
        let spent = figure(after.microseconds - before.microseconds);
        // One command a script: nothing else happens meanwhile but renewals, which cost less.
        figures.insert("engine_us_per_command", spent / figure(after.calls - before.calls));
        // The mean includes the times in which the engine was not running.
        if let Some(median) = engine.median_script_time()? {
            figures.insert("engine_us_median", median);
        }
    }
    Ok(Report::new(context.name("across"), 2, &Violations::default(), figures))
}
