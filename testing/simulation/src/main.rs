//! Runs schedules until a time limit, and prints the counts of their events: `cargo xtask soak`.

#![expect(clippy::print_stdout, reason = "a command line tool prints to its standard output")]

use std::{
    io,
    path::Path,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use simulation::EventCounts;
use simulation::IS_EXACT;
use simulation::Outcome;
use simulation::{run_cluster_schedule, run_schedule};

/// A RAM disk, on systems that have it, because a schedule often restarts its server.
const RAM_DISK: &str = "/dev/shm";

/// The interval of progress reports.
const PROGRESS_INTERVAL: Duration = Duration::from_mins(1);

/// Simulates whole rooms, one schedule for each seed.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask soak", bin_name = "cargo xtask soak")]
struct Arguments {
    /// Run for this long [default: 1, if there is no --schedules]
    #[arg(long)]
    minutes: Option<u64>,
    /// Run at most this many schedules
    #[arg(long)]
    schedules: Option<u64>,
    /// Replay one schedule, and print its trace
    #[arg(long)]
    seed: Option<u64>,
    /// Three servers over one engine, instead of one server and its pages
    #[arg(long)]
    cluster: bool,
    /// The first seed [default: random]
    #[arg(long, conflicts_with = "seed")]
    from: Option<u64>,
    /// Number of schedules that run at the same time [default: one per core]
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => replay(seed, arguments.cluster),
        None => soak(&arguments),
    }
}

fn replay(seed: u64, is_cluster: bool) -> io::Result<ExitCode> {
    let directory = state_directory()?;
    let Outcome { counts, trace, failure } = if is_cluster {
        run_cluster_schedule(seed, true)?
    } else {
        run_schedule(seed, directory.path(), true)?
    };
    for line in trace {
        println!("{line}");
    }
    println!("\n{counts}");
    Ok(if let Some(why) = failure {
        println!("seed {seed} BREAKS AN INVARIANT: {why}");
        ExitCode::FAILURE
    } else {
        println!("seed {seed}: all invariants hold");
        ExitCode::SUCCESS
    })
}

/// The state that all threads share.
struct Run {
    is_cluster: bool,
    next: AtomicU64,
    end: u64,
    until: Option<Instant>,
    is_over: AtomicBool,
    counts: Mutex<EventCounts>,
    failures: Mutex<Vec<(u64, String)>>,
}

fn soak(arguments: &Arguments) -> io::Result<ExitCode> {
    let from = arguments.from.unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
    let minutes = match (arguments.minutes, arguments.schedules) {
        (None, None) => Some(1),
        (minutes, _) => minutes,
    };
    let started_at = Instant::now();
    let threads = match arguments.threads {
        Some(threads) => threads,
        None => thread::available_parallelism()?.get(),
    };
    let run = Run {
        is_cluster: arguments.cluster,
        next: AtomicU64::new(from),
        end: from.saturating_add(arguments.schedules.unwrap_or(u64::MAX / 2)),
        until: minutes.map(|minutes| started_at + Duration::from_secs(60 * minutes)),
        is_over: AtomicBool::new(false),
        counts: Mutex::default(),
        failures: Mutex::default(),
    };
    println!(
        "schedules from seed {from}, {threads} at a time; a replay is {}",
        if IS_EXACT { "exact" } else { "only approximate: build with --cfg tokio_unstable" }
    );
    thread::scope(|scope| {
        let workers = (0..threads).map(|_| scope.spawn(|| run.run_worker())).collect::<Vec<_>>();
        scope.spawn(|| run.report_progress(started_at));
        let mut outcomes = workers.into_iter().map(thread::ScopedJoinHandle::join);
        let outcome = outcomes.try_for_each(|outcome| {
            outcome.unwrap_or_else(|_| Err(io::Error::other("a worker panicked")))
        });
        run.is_over.store(true, Ordering::Relaxed);
        outcome
    })?;
    let counts = run.counts.lock().unwrap_or_else(PoisonError::into_inner);
    println!("\n{counts}");
    println!(
        "{} schedules in {:.1} s",
        counts.get("schedules"),
        started_at.elapsed().as_secs_f64()
    );
    if arguments.cluster {
        println!(
            "{} events in clusters: {} steps, {} entries of journals, {} frames to pages",
            counts.get("events") + counts.get("entries") + counts.get("frames"),
            counts.get("events"),
            counts.get("entries"),
            counts.get("frames"),
        );
    }
    let failures = run.failures.lock().unwrap_or_else(PoisonError::into_inner);
    for (seed, why) in &*failures {
        println!("seed {seed} BREAKS AN INVARIANT: {why}");
        println!("replay it with: cargo xtask soak --seed {seed}");
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Run {
    fn run_worker(&self) -> io::Result<()> {
        let directory = state_directory()?;
        while !self.is_over.load(Ordering::Relaxed)
            && self.until.is_none_or(|until| Instant::now() < until)
        {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.end {
                break;
            }
            self.run_seed(seed, directory.path())?;
        }
        Ok(())
    }

    fn run_seed(&self, seed: u64, directory: &Path) -> io::Result<()> {
        let Outcome { counts, failure, .. } = if self.is_cluster {
            run_cluster_schedule(seed, false)?
        } else {
            run_schedule(seed, directory, false)?
        };
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).extend(&counts);
        if let Some(why) = failure {
            // One failure is enough to look into.
            self.is_over.store(true, Ordering::Relaxed);
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).push((seed, why));
        }
        Ok(())
    }

    fn report_progress(&self, started_at: Instant) {
        let mut next = started_at + PROGRESS_INTERVAL;
        while !self.is_over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(100));
            if next <= Instant::now() {
                next += PROGRESS_INTERVAL;
                let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
                let (schedules, events) = (counts.get("schedules"), counts.get("events"));
                println!("{schedules} schedules, {events} events");
            }
        }
    }
}

fn state_directory() -> io::Result<tempfile::TempDir> {
    if Path::new(RAM_DISK).is_dir() { tempfile::tempdir_in(RAM_DISK) } else { tempfile::tempdir() }
}
