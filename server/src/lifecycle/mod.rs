//! How the process ends: signals, draining, and what systemd is told.

pub mod drain;
pub mod signals;
pub mod systemd;
