//! The log and the metrics. Neither contains the name of a person or a room.

pub mod background_writer;
pub mod logging;
pub mod metrics;
pub mod warning_interval;
