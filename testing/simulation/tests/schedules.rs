//! Some schedules of fixed seeds, and some of random ones.

use std::io;

use simulation::EventCounts;
use simulation::IS_EXACT;
use simulation::Outcome;
use simulation::{run_cluster_schedule, run_schedule};

/// The numbers of schedules with fixed and with random seeds.
const FIXED: u64 = 60;
const FRESH: u64 = 20;

fn run_all(seeds: impl Iterator<Item = u64>) -> io::Result<EventCounts> {
    let directory = tempfile::tempdir()?;
    count_all(seeds, "cargo xtask soak", |seed| run_schedule(seed, directory.path(), false))
}

fn run_all_in_a_cluster(seeds: impl Iterator<Item = u64>) -> io::Result<EventCounts> {
    let command = "cargo xtask soak -- --cluster";
    count_all(seeds, command, |seed| run_cluster_schedule(seed, false))
}

fn count_all(
    seeds: impl Iterator<Item = u64>,
    command: &str,
    run: impl Fn(u64) -> io::Result<Outcome>,
) -> io::Result<EventCounts> {
    let mut counts = EventCounts::default();
    for seed in seeds {
        let outcome = run(seed)?;
        counts.extend(&outcome.counts);
        if let Some(why) = outcome.failure {
            panic!(
                "seed {seed} breaks an invariant: {why}\n{}\nreplay it with: {command} --seed {seed}",
                outcome.trace.join("\n")
            );
        }
    }
    Ok(counts)
}

#[test]
fn invariants_hold_in_schedules_of_fixed_seeds() {
    let counts = run_all(0..FIXED).unwrap();
    assert_eq!(counts.get("schedules"), FIXED);
    assert!(counts.get("events") >= 200 * FIXED);
    // Each of these must occur, because otherwise nothing is tested.
    for what in [
        "direct write: broken",
        "direct write: in part",
        "direct write: refused",
        "direct write: whole",
        "fault: a cut that both sides notice",
        "fault: a cut that only the server notices",
        "fault: a cut that only the page notices",
        "fault: a link stalls for a while",
        "fault: a machine is offline for a while",
        "fault: a machine lost power",
        "fault: nothing reaches the page",
        "fault: nothing reaches the server",
        "fault: the server is killed",
        "fault: the server restarts",
        "frame: more_users",
        "operator: removed a person",
        "page: replaced by a page of the same tab",
        "page: the machine sleeps",
        "page: receive timeout",
        "end: persons listed, as expected",
        "end: persons not listed, as expected",
    ] {
        assert!(counts.get(what) > 0, "{what}:\n{counts}");
    }
}

#[test]
fn invariants_hold_in_schedules_of_random_seeds() {
    let first = fastrand::u64(..u64::MAX / 2);
    println!("from seed {first}");
    run_all(first..first + FRESH).unwrap();
}

#[test]
fn invariants_hold_in_clusters_of_fixed_seeds() {
    let counts = run_all_in_a_cluster(0..FIXED).unwrap();
    assert_eq!(counts.get("schedules"), FIXED);
    for what in [
        "cluster entry: ignored, a copy of an earlier one",
        "cluster entry: ignored, its server is not in the room",
        "cluster fault: a link is cut",
        "cluster fault: a server is cut off",
        "cluster fault: a server is killed",
        "cluster fault: a server is stopped for a while",
        "cluster fault: all servers are killed",
        "cluster fault: an append arrives late",
        "cluster fault: messages are lost",
        "cluster fault: the engine falls back to a replica",
        "cluster fault: the engine hangs",
        "cluster fault: the engine is away",
        "cluster fault: the engine is out of memory",
        "cluster fault: the engine restarts empty",
        "cluster fault: the engine restarts with its data",
        "cluster fault: the engine's clock jumps",
        "cluster: a client changes servers",
        "cluster: a server restarts in order",
        "cluster: the operator removes a person",
        "cluster end: clients with the right list",
        "cluster end: persons listed, as expected",
        "cluster end: persons not listed, as expected",
    ] {
        assert!(counts.get(what) > 0, "{what}:\n{counts}");
    }
}

#[test]
fn invariants_hold_in_clusters_of_random_seeds() {
    let first = fastrand::u64(..u64::MAX / 2);
    println!("from seed {first}");
    run_all_in_a_cluster(first..first + FRESH).unwrap();
}

/// With Tokio's random choices seeded, the same seed gives the same trace to the last frame.
#[test]
fn replay_has_the_same_trace() {
    let directory = tempfile::tempdir().unwrap();
    let trace_of = || {
        let Outcome { trace, counts, .. } = run_schedule(3, directory.path(), false).unwrap();
        // Without it, only the start is the same.
        if IS_EXACT {
            (trace, counts)
        } else {
            (trace.into_iter().take(10).collect(), EventCounts::default())
        }
    };
    assert_eq!(trace_of(), trace_of());
}
