//! Whole rooms on simulated time: the real server, the page's real client, a wire that fails.
//!
//! A schedule is made from one seed: who there is, what they do, what their networks do, when the
//! server ends and how. On both sides runs what runs in earnest: `server::websocket::connection::serve` over the
//! hub and its kept rooms, and `app::client::Session`; between them go the frames as text. Only the
//! wire, the clock and the chances are made up.
//!
//! Laws, on the way: every list that a page shows is, row by row and in order, the list that the server
//! had at that very point; nothing is told that does not fit; who is said to have come or gone had; and
//! the server's rows are what the protocol's table says, by what the server heard (`row_model`).
//! In the end: every page shows what the server has, and who wanted to be listed is, once.

mod client;
mod network;
mod oracle;
mod recorder;
mod schedule;
mod server;
mod sync;
mod world;

use std::{io, path::Path};

pub use oracle::event_counts::EventCounts;
pub use schedule::Outcome;
use tokio::runtime::Builder;

/// Whether the same seed is the same schedule to the last frame.
///
/// Tokio draws by chance which of several ready things is first; only `--cfg tokio_unstable` lets that
/// chance be seeded too. Without it a replay may take another way.
pub const IS_EXACT: bool = cfg!(tokio_unstable);

/// Plays the schedule of a seed; the server keeps its rooms in `state_directory`, which has to be there.
///
/// With `is_detailed` the story tells every frame.
pub fn run_schedule(seed: u64, state_directory: &Path, is_detailed: bool) -> io::Result<Outcome> {
    let mut builder = Builder::new_current_thread();
    #[cfg(tokio_unstable)]
    builder.rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()));
    let runtime = builder.enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(schedule::run_schedule(seed, state_directory, is_detailed)))
}
