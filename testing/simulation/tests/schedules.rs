//! Some schedules of each kind: those of fixed seeds, and some that nobody chose.

use std::io;

use simulation::EventCounts;
use simulation::IS_EXACT;
use simulation::Outcome;
use simulation::run_schedule;

/// How many schedules of fixed seeds are played, and how many of others.
const FIXED: u64 = 60;
const FRESH: u64 = 20;

fn run_all(seeds: impl Iterator<Item = u64>) -> io::Result<EventCounts> {
    let directory = tempfile::tempdir()?;
    let mut counts = EventCounts::default();
    for seed in seeds {
        let outcome = run_schedule(seed, directory.path(), false)?;
        counts.extend(&outcome.counts);
        if let Some(why) = outcome.failure {
            panic!(
                "seed {seed} breaks a law: {why}\n{}\nreplay it with: cargo xtask soak --seed {seed}",
                outcome.trace.join("\n")
            );
        }
    }
    Ok(counts)
}

#[test]
fn every_law_holds_in_the_schedules_of_fixed_seeds() {
    let counts = run_all(0..FIXED).unwrap();
    assert_eq!(counts.get("schedules"), FIXED);
    assert!(counts.get("events") >= 200 * FIXED);
    // What does not occur proves nothing.
    for what in [
        "fault: a cut that both see",
        "fault: a cut that the page does not see",
        "fault: a cut that the server does not see",
        "fault: a link starves for a while",
        "fault: a machine is offline for a while",
        "fault: a machine lost its power",
        "fault: nothing comes down any more",
        "fault: nothing goes up any more",
        "fault: the server is killed",
        "fault: the server restarts",
        "frame: more_users",
        "operator: removed somebody",
        "page: replaced by one of the same tab",
        "page: the machine sleeps",
        "page: the watchdog barked",
        "persons that were rightly listed in the end",
        "persons that were rightly not listed in the end",
    ] {
        assert!(counts.get(what) > 0, "{what}:\n{counts}");
    }
}

#[test]
fn every_law_holds_in_schedules_that_nobody_chose() {
    let first = fastrand::u64(..u64::MAX / 2);
    println!("from seed {first} on");
    run_all(first..first + FRESH).unwrap();
}

/// With Tokio's chances seeded, the same seed is the same story to the last frame.
#[test]
fn a_replay_tells_the_same_story() {
    let directory = tempfile::tempdir().unwrap();
    let trace_of = || {
        let Outcome { trace, counts, .. } = run_schedule(3, directory.path(), false).unwrap();
        // Without it, what is drawn is the same as long as nothing went another way.
        if IS_EXACT {
            (trace, counts)
        } else {
            (trace.into_iter().take(10).collect(), EventCounts::default())
        }
    };
    assert_eq!(trace_of(), trace_of());
}
