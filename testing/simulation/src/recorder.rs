//! What is written down of a schedule: how often what happened, its story, and the first law that broke.

use std::sync::Mutex;

use fastrand::Rng;
use registry::hub::WallClock;
use tokio::time::Instant;

use crate::oracle::event_counts::EventCounts;
use crate::sync::lock;

/// When every schedule begins, in milliseconds since the Unix epoch: some time in 2025.
const BEGINNING_OF_TIME: u64 = 1_750_000_000_000;

/// What is written down of a schedule, and what the schedule's clock and chances come from.
#[derive(Debug)]
pub(crate) struct Recorder {
    rng: Mutex<Rng>,
    counts: Mutex<EventCounts>,
    trace: Mutex<Trace>,
}

#[derive(Debug)]
struct Trace {
    started_at: Instant,
    /// Frames are told too.
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

    /// A generator for somebody's own use.
    pub(crate) fn fork_rng(&self) -> Rng {
        lock(&self.rng).fork()
    }

    pub(crate) fn count(&self, what: &'static str) {
        lock(&self.counts).count(what);
    }

    pub(crate) fn counts(&self) -> EventCounts {
        lock(&self.counts).clone()
    }

    /// Tells what happens.
    pub(crate) fn trace(&self, what: impl FnOnce() -> String) {
        let mut trace = lock(&self.trace);
        let elapsed = trace.started_at.elapsed();
        trace.lines.push(format!("{:>9.3} s  {}", elapsed.as_secs_f64(), what()));
    }

    /// Tells what happens, where every frame is asked for.
    pub(crate) fn trace_detail(&self, what: impl FnOnce() -> String) {
        if lock(&self.trace).is_detailed {
            self.trace(what);
        }
    }

    /// How long the schedule has been running.
    pub(crate) fn elapsed(&self) -> std::time::Duration {
        lock(&self.trace).started_at.elapsed()
    }

    /// The time of day: it goes with the simulated time, so that a replay shows the same rows.
    pub(crate) fn wall_clock(&self) -> WallClock {
        WallClock::Simulated {
            set_at: lock(&self.trace).started_at,
            unix_milliseconds: BEGINNING_OF_TIME,
        }
    }

    /// A law is broken: what happens after the first time says nothing more.
    pub(crate) fn fail(&self, why: &str) {
        let is_first = {
            let mut trace = lock(&self.trace);
            let is_first = trace.failure.is_none();
            trace.failure.get_or_insert_with(|| why.to_owned());
            is_first
        };
        if is_first {
            self.trace(|| format!("BROKEN: {why}"));
        }
    }

    /// Whether a law is broken.
    pub(crate) fn has_failed(&self) -> bool {
        lock(&self.trace).failure.is_some()
    }

    /// What was told, and which law is broken.
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
