//! The process' lifecycle: signals, draining, notifications to systemd.

pub mod graceful_shutdown;
pub mod machine;
pub mod signals;
pub mod systemd;
