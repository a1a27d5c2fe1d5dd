//! Counters of the traffic that the clients received.

use std::time::Instant;

use crate::measure::histogram::Histogram;

/// The traffic that the clients received.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Frames with changes or lists.
    pub frames: u64,
    /// The bytes of these frames on the wire.
    pub bytes: u64,
    /// Facts: changes that reached a client.
    pub facts: u64,
    /// Facts that somebody joined.
    pub joined: u64,
    /// Facts that somebody departed.
    pub departed: u64,
    /// Facts that a row's state changed.
    pub changed: u64,
    /// The bytes of the frames with changes.
    pub fact_bytes: u64,
    /// Rows that reached a client in a list.
    pub list_rows: u64,
    /// The bytes of the frames with lists, without the names.
    pub list_bytes: u64,
    /// Beats, which confirm the position and size of a list.
    pub beats: u64,
    /// When a beat first said that a list is old.
    pub first_stale: Option<Instant>,
    /// When a beat last said that such a list is new again.
    pub last_fresh: Option<Instant>,
    /// The time from sending a change until a client has received it.
    pub latency: Histogram,
}
