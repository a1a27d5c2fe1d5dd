//! What the clients were sent, counted.

use crate::measure::histogram::Histogram;

/// What the clients were sent.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Frames with differences and lists.
    pub frames: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Changes that reached a client in a difference.
    pub facts: u64,
    /// The bytes of the frames with differences.
    pub fact_bytes: u64,
    /// Rows that reached a client in a list.
    pub list_rows: u64,
    /// The bytes of the frames with lists, names left out.
    pub list_bytes: u64,
    /// Frames that say where the list should be.
    pub beats: u64,
    /// From the sending of a change until a client read of it.
    pub latency: Histogram,
}
