//! What all rooms of a hub share.

use std::sync::Arc;

use super::{clock::Clocks, hub_stats::HubStats};
use crate::wake::timer_queue::TimerQueue;

/// The clocks, the timers and the counters of a hub.
#[derive(Debug)]
pub(super) struct RoomContext {
    pub(super) clocks: Clocks,
    /// The timers of all connections.
    pub(super) timers: Arc<TimerQueue>,
    pub(super) stats: HubStats,
}
