//! The metrics of a server among several.

use std::time::Duration;

use registry::replication::{handle::ClusterHandle, stats::ClusterStats};

use super::prometheus::Text;

/// Adds them; `rooms` is how many rooms this server subscribes to.
pub(super) fn write(text: &mut Text, cluster: &ClusterHandle, rooms: usize) {
    let is_up = u8::from(cluster.stale_for().is_none());
    let silence = cluster.silence().unwrap_or(Duration::ZERO);
    text.gauge("rollcall_engine_up", "1 while the engine is heard.", is_up);
    text.gauge(
        "rollcall_engine_silence_seconds",
        "Time since the engine was heard.",
        silence.as_secs_f64(),
    );
    text.gauge("rollcall_cluster_servers", "Servers with a lease.", cluster.live_servers());
    text.gauge("rollcall_cluster_rooms_subscribed", "Rooms subscribed to in the engine.", rooms);
    let ClusterStats {
        links,
        appends,
        appends_in_vain,
        append_microseconds,
        commands,
        entries,
        gaps,
        snapshot_loads,
        snapshots_saved,
        incarnations,
        expirations,
        epoch_changes,
        divergences,
    } = cluster.stats();
    let counters = [
        ("rollcall_engine_links_total", "Links to the engine that were made.", links),
        ("rollcall_cluster_commands_total", "Commands of all servers that were applied.", commands),
        ("rollcall_cluster_entries_total", "Journal entries that were applied.", entries),
        ("rollcall_cluster_gaps_total", "Entries that did not follow what was known.", gaps),
        ("rollcall_cluster_snapshot_loads_total", "Rooms loaded as a whole.", snapshot_loads),
        ("rollcall_cluster_snapshots_saved_total", "Rooms stored in the engine.", snapshots_saved),
        ("rollcall_cluster_incarnations_total", "Lives begun by this server.", incarnations),
        ("rollcall_cluster_expired_total", "Dead servers removed from a room.", expirations),
        (
            "rollcall_cluster_epoch_changes_total",
            "Epochs replaced because writes may have been lost.",
            epoch_changes,
        ),
        (
            "rollcall_cluster_divergences_total",
            "Lists that differed from another server's: a fault of the program.",
            divergences,
        ),
    ];
    for (name, help, counter) in counters {
        text.counter(name, help, counter.value());
    }
    let name = "rollcall_cluster_appends_total";
    text.family(name, "counter", "Batches sent to the engine, by outcome.");
    text.sample(name, Some(("outcome", &"appended")), appends.value());
    text.sample(name, Some(("outcome", &"refused")), appends_in_vain.value());
    let seconds = Duration::from_micros(append_microseconds.value()).as_secs_f64();
    let name = "rollcall_cluster_append_seconds_total";
    text.family(name, "counter", "Time that appended batches took.");
    text.sample(name, None, seconds);
}
