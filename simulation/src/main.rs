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
use simulation::IS_EXACT;
use simulation::Outcome;
use simulation::Tally;
use simulation::play;

/// Where files are kept in memory, on systems that have it: a schedule restarts its server often.
const MEMORY: &str = "/dev/shm";

/// How often a long run says how far it is.
const REMARK_EVERY: Duration = Duration::from_mins(1);

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
    let Outcome { tally, story, failure } = play(seed, directory.path(), true)?;
    for line in story {
        println!("{line}");
    }
    println!("\n{tally}");
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
    tally: Mutex<Tally>,
    failures: Mutex<Vec<(u64, String)>>,
}

fn soak(arguments: &Arguments) -> io::Result<ExitCode> {
    let from = arguments.from.unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
    let minutes = match (arguments.minutes, arguments.schedules) {
        (None, None) => Some(1),
        (minutes, _) => minutes,
    };
    let begun = Instant::now();
    let threads = match arguments.threads {
        Some(threads) => threads,
        None => thread::available_parallelism()?.get(),
    };
    let run = Run {
        next: AtomicU64::new(from),
        end: from.saturating_add(arguments.schedules.unwrap_or(u64::MAX / 2)),
        until: minutes.map(|minutes| begun + Duration::from_secs(60 * minutes)),
        is_over: AtomicBool::new(false),
        tally: Mutex::default(),
        failures: Mutex::default(),
    };
    println!(
        "schedules from seed {from} on, {threads} at a time; a replay is {}",
        if IS_EXACT { "exact" } else { "nearly exact: build with --cfg tokio_unstable" }
    );
    thread::scope(|scope| {
        let players = (0..threads).map(|_| scope.spawn(|| run.play_on())).collect::<Vec<_>>();
        scope.spawn(|| run.remark(begun));
        let mut outcomes = players.into_iter().map(thread::ScopedJoinHandle::join);
        let outcome = outcomes.try_for_each(|outcome| {
            outcome.unwrap_or_else(|_| Err(io::Error::other("a player panicked")))
        });
        run.is_over.store(true, Ordering::Relaxed);
        outcome
    })?;
    let tally = run.tally.lock().unwrap_or_else(PoisonError::into_inner);
    println!("\n{tally}");
    println!("{} schedules in {:.1} s", tally.of("schedules"), begun.elapsed().as_secs_f64());
    let failures = run.failures.lock().unwrap_or_else(PoisonError::into_inner);
    for (seed, why) in &*failures {
        println!("seed {seed} BREAKS A LAW: {why}");
        println!("replay it with: cargo xtask soak --seed {seed}");
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Run {
    fn play_on(&self) -> io::Result<()> {
        let directory = state_directory()?;
        while !self.is_over.load(Ordering::Relaxed)
            && self.until.is_none_or(|until| Instant::now() < until)
        {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.end {
                break;
            }
            self.play_one(seed, directory.path())?;
        }
        Ok(())
    }

    fn play_one(&self, seed: u64, directory: &Path) -> io::Result<()> {
        let Outcome { tally, failure, .. } = play(seed, directory, false)?;
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).extend(&tally);
        if let Some(why) = failure {
            // One is enough to think about.
            self.is_over.store(true, Ordering::Relaxed);
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).push((seed, why));
        }
        Ok(())
    }

    fn remark(&self, begun: Instant) {
        let mut next = begun + REMARK_EVERY;
        while !self.is_over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(100));
            if next <= Instant::now() {
                next += REMARK_EVERY;
                let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
                let (schedules, events) = (tally.of("schedules"), tally.of("events"));
                println!("{schedules} schedules, {events} events");
            }
        }
    }
}

fn state_directory() -> io::Result<tempfile::TempDir> {
    if Path::new(MEMORY).is_dir() { tempfile::tempdir_in(MEMORY) } else { tempfile::tempdir() }
}
