//! A deterministic simulation of whole rooms: the real server, the page's real session, a failing network.
//!
//! A schedule is made from one seed: its people, what they do, what their networks do, when and how the
//! server ends. The server side is `server::websocket::connection::serve` over the hub and its saved rooms, the client
//! side is the page's `Session`. They exchange frames as text. Only the network, the clock and the random
//! choices are simulated.
//!
//! Invariants that are checked at every step:
//!
//! - A page's list equals the server's list at the same `seq`, row by row and in order.
//! - No frame has a gap, and none contradicts the page's list.
//! - A person who is reported as joined or departed was absent in between.
//! - The server's rows are those of the protocol's table, according to the frames that the server received
//!   (`oracle::row_model`).
//! - Whenever no task can run, every connection has been told what its room has broadcast, and no wake was lost
//!   (`server::quiescence`).
//!
//! At the end every page shows the server's list, and everyone who wants to be listed is listed once.

mod client;
mod cluster;
mod network;
mod oracle;
mod recorder;
mod schedule;
mod server;
mod sync;
mod world;

use std::{io, path::Path, sync::Arc};

pub use oracle::event_counts::EventCounts;
pub use schedule::Outcome;
use tokio::runtime::{Builder, Runtime};

use self::server::quiescence::Quiescence;

/// Whether the same seed gives the same schedule, to the last frame.
///
/// Tokio chooses at random which of several ready branches runs first. Only `--cfg tokio_unstable` allows to
/// seed that choice. Without it a replay may take another path.
pub const IS_EXACT: bool = cfg!(tokio_unstable);

/// Runs the schedule of a seed. The server saves its rooms in `state_directory`, which must exist.
///
/// If `is_detailed`, the trace contains every frame.
pub fn run_schedule(seed: u64, state_directory: &Path, is_detailed: bool) -> io::Result<Outcome> {
    let (runtime, quiescence) = runtime(seed)?;
    Ok(runtime.block_on(schedule::run_schedule(seed, state_directory, is_detailed, quiescence)))
}

/// Runs the schedule of a seed with three servers over one engine.
pub fn run_cluster_schedule(seed: u64, is_detailed: bool) -> io::Result<Outcome> {
    let (runtime, quiescence) = runtime(seed)?;
    Ok(runtime.block_on(cluster::run_schedule(seed, is_detailed, quiescence)))
}

/// A runtime on simulated time, and the check that it calls whenever no task can run.
fn runtime(seed: u64) -> io::Result<(Runtime, Arc<Quiescence>)> {
    let mut builder = Builder::new_current_thread();
    #[cfg(tokio_unstable)]
    builder.rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()));
    #[cfg(not(tokio_unstable))]
    let _ = seed;
    let quiescence = Arc::new(Quiescence::default());
    let check = Arc::clone(&quiescence);
    builder.on_thread_park(move || check.check());
    Ok((builder.enable_time().start_paused(true).build()?, quiescence))
}
