//! What the operator learns of a running server: its log and its metrics. Neither names a person or a room.

pub mod logging;
pub mod metrics;
