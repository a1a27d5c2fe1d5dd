//! What is written down of a schedule: how often what happened, its story, and the first law that broke.

use std::sync::Mutex;

use fastrand::Rng;
use server::hub::WallClock;
use tokio::time::Instant;

use crate::oracle::event_counts::Tally;
use crate::sync::lock;

/// When every schedule begins, in milliseconds since the Unix epoch: some time in 2025.
const BEGINNING_OF_TIME: u64 = 1_750_000_000_000;

/// What is written down of a schedule, and what the schedule's clock and chances come from.
#[derive(Debug)]
pub(crate) struct Recorder {
    rng: Mutex<Rng>,
    tally: Mutex<Tally>,
    story: Mutex<Story>,
}

#[derive(Debug)]
struct Story {
    began: Instant,
    /// Frames are told too.
    is_detailed: bool,
    lines: Vec<String>,
    failure: Option<String>,
}

impl Recorder {
    pub(crate) fn new(is_detailed: bool, rng: Rng) -> Self {
        let story = Story { began: Instant::now(), is_detailed, lines: Vec::new(), failure: None };
        Self { rng: Mutex::new(rng), tally: Mutex::default(), story: Mutex::new(story) }
    }

    /// A generator for somebody's own use.
    pub(crate) fn fork_rng(&self) -> Rng {
        lock(&self.rng).fork()
    }

    pub(crate) fn count(&self, what: &'static str) {
        lock(&self.tally).count(what);
    }

    pub(crate) fn tally(&self) -> Tally {
        lock(&self.tally).clone()
    }

    /// Tells what happens.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        let mut story = lock(&self.story);
        let passed = story.began.elapsed();
        story.lines.push(format!("{:>9.3} s  {}", passed.as_secs_f64(), what()));
    }

    /// Tells what happens, where every frame is asked for.
    pub(crate) fn tell_detail(&self, what: impl FnOnce() -> String) {
        if lock(&self.story).is_detailed {
            self.tell(what);
        }
    }

    /// How long the schedule has been running.
    pub(crate) fn passed(&self) -> std::time::Duration {
        lock(&self.story).began.elapsed()
    }

    /// The time of day: it goes with the simulated time, so that a replay shows the same rows.
    pub(crate) fn wall_clock(&self) -> WallClock {
        WallClock::Simulated {
            set_at: lock(&self.story).began,
            unix_milliseconds: BEGINNING_OF_TIME,
        }
    }

    /// A law is broken: what happens after the first time says nothing more.
    pub(crate) fn fail(&self, why: &str) {
        let is_first = {
            let mut story = lock(&self.story);
            let is_first = story.failure.is_none();
            story.failure.get_or_insert_with(|| why.to_owned());
            is_first
        };
        if is_first {
            self.tell(|| format!("BROKEN: {why}"));
        }
    }

    /// Whether a law is broken.
    pub(crate) fn has_failed(&self) -> bool {
        lock(&self.story).failure.is_some()
    }

    /// What was told, and which law is broken.
    pub(crate) fn take_story(&self) -> (Vec<String>, Option<String>) {
        let mut story = lock(&self.story);
        (std::mem::take(&mut story.lines), story.failure.take())
    }

    pub(crate) fn keep(&self, outcome: Result<(), String>, whose: impl FnOnce() -> String) {
        if let Err(why) = outcome {
            self.fail(&format!("{}: {why}", whose()));
        }
    }
}
