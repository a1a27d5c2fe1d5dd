//! The records of a schedule: event counts, the trace, and the first violation.

use std::sync::Mutex;

use fastrand::Rng;
use registry::hub::{HubClocks, ProcessorClock, WallClock};
use tokio::time::Instant;

use crate::{oracle::event_counts::EventCounts, sync::lock};

/// The start of every schedule, in milliseconds since the Unix epoch: a time in 2025.
const START_IN_UNIX_MILLISECONDS: u64 = 1_750_000_000_000;

/// The records of a schedule, and the source of its clock and random numbers.
#[derive(Debug)]
pub(crate) struct Recorder {
    rng: Mutex<Rng>,
    counts: Mutex<EventCounts>,
    trace: Mutex<Trace>,
}

#[derive(Debug)]
struct Trace {
    started_at: Instant,
    /// Whether the trace contains every frame.
    is_detailed: bool,
    lines: Vec<String>,
    failure: Option<String>,
}

impl Recorder {
    pub(crate) fn new(is_detailed: bool, rng: Rng) -> Self {
        let trace =
            Trace { started_at: Instant::now(), is_detailed, lines: Vec::new(), failure: None };
        Self { rng: Mutex::new(rng), counts: Mutex::default(), trace: Mutex::new(trace) }
    }

    /// A generator for one part of the schedule.
    pub(crate) fn fork_rng(&self) -> Rng {
        lock(&self.rng).fork()
    }

    pub(crate) fn count(&self, what: &'static str) {
        lock(&self.counts).count(what);
    }

    pub(crate) fn counts(&self) -> EventCounts {
        lock(&self.counts).clone()
    }

    /// Adds a line to the trace.
    pub(crate) fn trace(&self, what: impl FnOnce() -> String) {
        let mut trace = lock(&self.trace);
        let elapsed = trace.started_at.elapsed();
        trace.lines.push(format!("{:>9.3} s  {}", elapsed.as_secs_f64(), what()));
    }

    /// Adds a line to a detailed trace.
    pub(crate) fn trace_detail(&self, what: impl FnOnce() -> String) {
        if lock(&self.trace).is_detailed {
            self.trace(what);
        }
    }

    /// The simulated time since the start.
    pub(crate) fn elapsed(&self) -> std::time::Duration {
        lock(&self.trace).started_at.elapsed()
    }

    /// The simulated time of day, so that a replay has the same rows, and costs from the seed.
    pub(crate) fn hub_clocks(&self) -> HubClocks {
        HubClocks {
            wall: WallClock::Simulated {
                set_at: lock(&self.trace).started_at,
                unix_milliseconds: START_IN_UNIX_MILLISECONDS,
            },
            processor: ProcessorClock::Simulated { seed: lock(&self.rng).u64(..) },
        }
    }

    /// Records a violation. Only the first one counts.
    pub(crate) fn fail(&self, why: &str) {
        let is_first = {
            let mut trace = lock(&self.trace);
            let is_first = trace.failure.is_none();
            trace.failure.get_or_insert_with(|| why.to_owned());
            is_first
        };
        if is_first {
            self.trace(|| format!("VIOLATION: {why}"));
        }
    }

    /// Whether there was a violation.
    pub(crate) fn has_failed(&self) -> bool {
        lock(&self.trace).failure.is_some()
    }

    /// The trace, and the first violation.
    pub(crate) fn take_trace(&self) -> (Vec<String>, Option<String>) {
        let mut trace = lock(&self.trace);
        (std::mem::take(&mut trace.lines), trace.failure.take())
    }

    pub(crate) fn check_result(&self, outcome: Result<(), String>, label: impl FnOnce() -> String) {
        if let Err(why) = outcome {
            self.fail(&format!("{}: {why}", label()));
        }
    }
}
