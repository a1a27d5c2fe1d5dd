//! What the rooms of a hub share.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    clock::Clocks, fan_out::FanOutRate, hub_stats::HubStats, observer::Observer,
    processor_clock::Processor, waiting_rows::WaitingByAddress,
};
use crate::{replication::handle::ClusterHandle, wake::timer_queue::TimerQueue};

/// Clocks, timers and counters of a hub, and its cluster.
#[derive(Debug)]
pub(super) struct RoomContext {
    pub(super) clocks: Clocks,
    /// What broadcasts cost.
    pub(super) processor: Processor,
    /// The deadlines of all connections and rooms.
    pub(super) timers: Arc<TimerQueue>,
    pub(super) stats: HubStats,
    /// The rows that wait for their person, in all rooms.
    pub(super) waiting_rows: Arc<WaitingByAddress>,
    /// What each room may send.
    pub(super) fan_out: FanOutRate,
    /// Follows all rooms; none where nobody asked for one.
    pub(super) observer: OnceLock<Arc<Observer>>,
    /// `None` for a server alone.
    pub(super) cluster: Option<Arc<ClusterHandle>>,
}

impl RoomContext {
    /// How long this server has not heard its engine, if that makes its lists old.
    pub(super) fn stale_for(&self) -> Option<Duration> {
        self.cluster.as_ref()?.stale_for()
    }
}
