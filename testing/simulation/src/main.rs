//! Plays schedules until the time is over, and says what happened in them: `cargo xtask soak`.

#![expect(clippy::print_stdout, reason = "a command line tool speaks on its standard output")]

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
use simulation::run_schedule;

/// Where files are kept in memory, on systems that have it: a schedule restarts its server often.
const RAM_DISK: &str = "/dev/shm";

/// How often a long run says how far it is.
const PROGRESS_INTERVAL: Duration = Duration::from_mins(1);

/// Plays whole rooms on simulated time, one schedule for each seed.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask soak", bin_name = "cargo xtask soak")]
struct Arguments {
    /// For how long; without it and without --schedules, one minute.
    #[arg(long)]
    minutes: Option<u64>,
    /// How many schedules at the most.
    #[arg(long)]
    schedules: Option<u64>,
    /// Plays one schedule again, and tells all that happens in it.
    #[arg(long)]
    seed: Option<u64>,
    /// The first seed of many; without it, one that nobody chose.
    #[arg(long, conflicts_with = "seed")]
    from: Option<u64>,
    /// How many are played at the same time; without it, one for each processor.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => replay(seed),
        None => soak(&arguments),
    }
}

fn replay(seed: u64) -> io::Result<ExitCode> {
    let directory = state_directory()?;
    let Outcome { counts, trace, failure } = run_schedule(seed, directory.path(), true)?;
    for line in trace {
        println!("{line}");
    }
    println!("\n{counts}");
    Ok(if let Some(why) = failure {
        println!("seed {seed} BREAKS A LAW: {why}");
        ExitCode::FAILURE
    } else {
        println!("seed {seed}: every law held");
        ExitCode::SUCCESS
    })
}

/// What all threads share.
struct Run {
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
        next: AtomicU64::new(from),
        end: from.saturating_add(arguments.schedules.unwrap_or(u64::MAX / 2)),
        until: minutes.map(|minutes| started_at + Duration::from_secs(60 * minutes)),
        is_over: AtomicBool::new(false),
        counts: Mutex::default(),
        failures: Mutex::default(),
    };
    println!(
        "schedules from seed {from} on, {threads} at a time; a replay is {}",
        if IS_EXACT { "exact" } else { "nearly exact: build with --cfg tokio_unstable" }
    );
    thread::scope(|scope| {
        let players = (0..threads).map(|_| scope.spawn(|| run.run_worker())).collect::<Vec<_>>();
        scope.spawn(|| run.report_progress(started_at));
        let mut outcomes = players.into_iter().map(thread::ScopedJoinHandle::join);
        let outcome = outcomes.try_for_each(|outcome| {
            outcome.unwrap_or_else(|_| Err(io::Error::other("a player panicked")))
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
    let failures = run.failures.lock().unwrap_or_else(PoisonError::into_inner);
    for (seed, why) in &*failures {
        println!("seed {seed} BREAKS A LAW: {why}");
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
        let Outcome { counts, failure, .. } = run_schedule(seed, directory, false)?;
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).extend(&counts);
        if let Some(why) = failure {
            // One is enough to think about.
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
