//! The process' lifecycle: signals, draining, notifications to systemd.

pub mod drain;
pub mod signals;
pub mod systemd;
